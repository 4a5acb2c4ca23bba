"""What the server remembers of a play: going back in time wins no tries, no hints, no points."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlmodel import select
from werkzeug.datastructures import MultiDict

from content.escape_room import rules
from content.escape_room.compiling import compile_room
from content.escape_room.reading import read_text
from content.escape_room.rules import Action, worth
from content.escape_room.state import State
from content.rooms import standing
from content.rooms.envelope import Envelopes
from content.rooms.games import Ready
from content.rooms.models import RoomTrace
from content.rooms.playing import Step, Table
from content.rooms.standing import Asked
from content.rooms.traces import Trace, Traces
from core.database import Database
from tests.content.rooms.conftest import KEY, SAMPLES

Take = Callable[..., Step]


@pytest.fixture
def table(app: Flask, room: str) -> Table:
    """Where the sample room is played."""
    found: Table = app.extensions["signpost"][Table]
    return found


@pytest.fixture
def take(table: Table, now: datetime) -> Take:
    """A step from a step: `take(before, "look:photo", code=…)`."""

    def taken(before: Step, do: str, **more: str | list[str]) -> Step:
        pairs = [("state", before.sealed), ("do", do)]
        for name, value in more.items():
            pairs += [(name, one) for one in ([value] if isinstance(value, str) else value)]
        return table.take(KEY, MultiDict(pairs), now, {})

    return taken


def at_drawer(table: Table, take: Take, now: datetime) -> Step:
    """Before the drawer, whose code is 1958: 10 points, 2 less for each of three wrong tries."""
    return take(table.start(KEY, now, clock=False), "look:drawer")


def points(step: Step, lock: str) -> int:
    return worth(step.state, step.ready.names[lock])


def test_an_old_state_sent_again_does_not_take_wrong_tries_back(
    table: Table, take: Take, now: datetime
) -> None:
    fresh = at_drawer(table, take, now)
    take(take(fresh, "answer:drawer", code="1111"), "answer:drawer", code="2222")
    again = take(fresh, "answer:drawer", code="1958")
    assert again.outcome and (again.outcome.did, again.outcome.points) == ("opened", 6)
    by_rules_alone = rules.step(fresh.ready.game, fresh.state, Action("answer", "drawer", "1958"))[1]
    assert by_rules_alone.points == 10, "the control: the state alone knows nothing of the tries"


def test_the_same_wrong_answer_counts_once_however_it_is_sent(
    table: Table, take: Take, now: datetime
) -> None:
    fresh = at_drawer(table, take, now)
    first = take(fresh, "answer:drawer", code="1111")
    assert points(first, "drawer") == 8
    for again in (take(fresh, "answer:drawer", code="1111"), take(first, "answer:drawer", code="１１１１")):
        assert points(again, "drawer") == 8
    other = take(first, "answer:drawer", code="2222")
    assert points(take(other, "answer:drawer", code="1111"), "drawer") == 6


def test_a_right_answer_sent_twice_gives_its_points_once(table: Table, take: Take, now: datetime) -> None:
    fresh = at_drawer(table, take, now)
    once, twice = (take(fresh, "answer:drawer", code="1958") for _ in range(2))
    assert once.state == twice.state
    after = take(once, "answer:drawer", code="1958")
    assert after.outcome and after.outcome.did == "refused"


def test_a_hint_taken_and_forgotten_still_costs(table: Table, take: Take, now: datetime) -> None:
    fresh = at_drawer(table, take, now)
    take(take(fresh, "hint:drawer:1"), "hint:drawer:2")
    assert take(fresh, "answer:drawer", code="1958").outcome.points == 6  # type: ignore[union-attr]


def at_caller(table: Table, take: Take, now: datetime) -> Step:
    """Before the caller, who may be answered wrongly three times."""
    ringing = take(table.start(KEY, now, clock=False), "look:phone")
    bolt = ringing.ready.names["first"]
    assert bolt.judge is not None
    inside = take(ringing, "answer:first", pick=[str(number) for number in bolt.judge.right])
    return take(inside, "look:phone")


def say(step: Step, line: int, kind: str) -> str:
    """The first reply of a kind: `fall` or `out`."""
    choices = step.ready.names["caller"].lines[line].choices
    return f"say:{line}:{next(at for at, one in enumerate(choices, start=1) if getattr(one, kind))}"


def many_falls(now: datetime) -> Ready:
    """The sample with a conversation of five ways to fall and one way out, closed after three falls."""
    text = (SAMPLES / KEY / "room.yaml").read_text("utf-8")
    replies = "".join(f"          f{n}: {{text: 答{n}, fall: 错{n}}}\n" for n in range(4))
    text = text.replace("          which: {text:", f"{replies}          which: {{text:", 1)
    room, faults = read_text(text)
    assert room is not None, faults
    return Ready(1, KEY, compile_room(room), {})


def test_a_lock_whose_tries_ran_out_is_closed_for_old_states_too(database: Database, now: datetime) -> None:
    ready, traces = many_falls(now), Traces(database)
    before = _before_caller(ready)
    for number in _falls(ready)[:3]:
        outcome = _judge(ready, traces, before, number, now)[1]
    assert outcome.did == "failed"
    out = _out(ready)
    after, outcome = _judge(ready, traces, before, out, now)
    assert outcome.did == "failed" and after.ending, "the old state does not open it any more"
    by_rules_alone = rules.step(ready.game, before, Action("say", value=(0, out)))[1]
    assert by_rules_alone.did == "opened", "the control: the old state alone would"


@pytest.mark.parametrize("guarded", [True, False], ids=["guarded", "control"])
def test_of_many_answers_in_the_same_moment_no_more_are_judged_than_the_limit(
    database: Database, now: datetime, guarded: bool
) -> None:
    ready, traces = many_falls(now), Traces(database)
    before = _before_caller(ready)
    answers = _falls(ready)

    def send(number: int) -> str:
        if not guarded:
            return rules.step(ready.game, before, Action("say", value=(0, number)))[1].did
        outcome = _judge(ready, traces, before, number, now)[1]
        return "told" if ready_texts(ready, number) in [text.zh for text in outcome.texts] else "closed"

    with ThreadPoolExecutor(len(answers)) as pool:
        told = list(pool.map(send, answers)).count("told" if guarded else "wrong")
    assert told == (3 if guarded else len(answers))
    if guarded:
        assert _judge(ready, traces, before, _out(ready), now)[1].did == "failed"
        with database.reading() as session:
            rows = session.exec(select(RoomTrace.nth)).all()
        assert sorted(rows) == list(range(1, len(rows) + 1))


def ready_texts(ready: Ready, number: int) -> str:
    """What is said to a fall."""
    fall = ready.names["caller"].lines[0].choices[number - 1].fall
    assert fall is not None
    return fall.zh


def _before_caller(ready: Ready) -> State:
    bolt = ready.names["caller"]
    front = ready.game.fronts.index(bolt)
    return ready.begin._replace(front=front, line=0)


def _judge(
    ready: Ready, traces: Traces, before: State, number: int, now: datetime
) -> tuple[State, rules.Outcome]:
    asked = Asked("a-play", before, Action("say", value=(0, number)), now)
    return standing.judged(ready, traces, asked, rules.step(ready.game, before, asked.action)[1])


def _falls(ready: Ready) -> list[int]:
    choices = ready.names["caller"].lines[0].choices
    return [at for at, one in enumerate(choices, start=1) if one.fall]


def _out(ready: Ready) -> int:
    choices = ready.names["caller"].lines[0].choices
    return next(at for at, one in enumerate(choices, start=1) if one.out)


def test_an_honest_player_runs_out_of_tries_and_may_have_the_last_answer_repeated(
    table: Table, take: Take, now: datetime
) -> None:
    step = at_caller(table, take, now)
    fall = say(step, 0, "fall")
    step = take(step, fall)
    assert step.outcome and step.outcome.did == "wrong"
    same = take(step, fall)
    assert same.outcome and same.outcome.did == "wrong" and same.state.tries == step.state.tries


def test_a_lock_of_many_guesses_keeps_few_rows(database: Database, now: datetime, tmp_path: Path) -> None:
    traces = Traces(database)
    for number in range(30):
        traces.keep(Trace("p", "lock", f"guess {number}", now, most=13))
    assert len(traces.of("p")["lock"]) == 13
    assert traces.keep(Trace("p", "lock", "guess 2", now, most=13)).place == 2
    assert traces.keep(Trace("p", "lock", "guess 29", now, most=13)).place == -1


def test_plays_of_others_are_not_mixed(database: Database, now: datetime) -> None:
    traces = Traces(database)
    traces.keep(Trace("p", "lock", "x", now))
    assert traces.of("q") == {}
    assert traces.keep(Trace("q", "lock", "x", now)).new


def test_the_key_of_envelopes_is_their_own(app: Flask, table: Table, now: datetime) -> None:
    assert isinstance(table.envelopes, Envelopes)
    sealed = table.start(KEY, now, clock=True).sealed
    assert table.envelopes.open(sealed, now.timestamp()).clock
