"""Rooms at random, played in every way: solver and player agree about everything the checker says."""

from hypothesis import HealthCheck, event, given, reject, settings
from hypothesis import strategies as st

from content.escape_room.compiling import compile_room
from content.escape_room.game import Bolt, Game, Talk
from content.escape_room.moves import moves
from content.escape_room.proof import Report, Walk, prove
from content.escape_room.rules import REFUSED, Action, score, start, step
from content.escape_room.state import decode, encode
from tests.content.escape_room import making, playing
from tests.content.escape_room.making import Data
from tests.content.escape_room.playing import Played
from tests.content.escape_room.random_rooms import LOCKS, rooms

ACTIONS = st.builds(
    Action,
    st.sampled_from(["look", "go", "say", "leave", "answer", "hint", "fly"]),
    st.sampled_from(["h-0", "h-1", "h-2", "d-0", "d-1", "finish", *LOCKS]),
    st.one_of(st.text(max_size=4), st.just("1958"), st.lists(st.integers(-1, 4), max_size=3).map(tuple)),
)


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rooms())
def test_the_checker_says_what_play_in_every_way_finds(data: Data) -> None:
    room = making.read(data)
    game = compile_room(room)
    try:
        honest, guessing = playing.play(game, guessing=False), playing.play(game, guessing=True)
    except playing.TooBig:
        reject()
    report = prove(room)
    assert report.complete
    event(f"dead ends: {bool(guessing.dead())}, endings: {len(honest.endings)}")
    dead_ends_are_those_of_play(report, honest, guessing)
    endings_are_those_of_play(game, report, honest)
    assert _said(report) == _never(game, honest)


def dead_ends_are_those_of_play(report: Report, honest: Played, guessing: Played) -> None:
    """There are some exactly when play finds some, and the shortest way into the nearest is given."""
    dead = honest.dead() or guessing.dead()  # who knows the answers is asked only when the others are safe
    paths = [len(fault.path) for fault in report.faults if fault.kind == "dead_end"]
    assert bool(paths) == bool(dead)
    assert not dead or min(paths) == min(dead.values())


def endings_are_those_of_play(game: Game, report: Report, honest: Played) -> None:
    """The same endings, by ways that are the shortest, or the longest, and lead there."""
    lacking = {fault.missing[0] for fault in report.faults if fault.kind == "ending"}
    reached = {game.endings[number - 1]: depth for number, depth in honest.endings.items()}
    assert lacking == set(game.endings) - set(reached)
    assert {name: len(walk.actions) for name, walk in report.shortest.items()} == reached
    assert bool(report.longest) == bool(reached)
    for walk in (*report.shortest.values(), *((report.longest,) if report.longest else ())):
        assert walked(game, walk) == walk.ending
        assert len(walk.steps) == len(walk.actions) >= reached[walk.ending]


def walked(game: Game, walk: Walk) -> str:
    """The ending to which a way leads, action by action."""
    state = start(game)
    for action in walk.actions:
        state, outcome = step(game, state, action)
        assert outcome.did != "refused"
    return game.endings[state.ending - 1]


def _said(report: Report) -> set[tuple[str, str]]:
    """What the checker says that nobody comes to."""
    within = ("hotspots", "doors", "lines", "replies")
    return {
        (
            fault.kind.removeprefix("unreached_"),
            "/".join(str(at) for at in fault.place[1:] if at not in within),
        )
        for fault in report.faults
        if fault.kind.startswith("unreached_")
    }


def _never(game: Game, played: Played) -> set[tuple[str, str]]:
    """What play never came to; what is inside of something that it never came to is not named again."""
    never = set()
    for place in game.places:
        inside = {("hotspot", f"{place.name}/{name}") for name in place.spots}
        inside |= {("door", f"{place.name}/{name}") for name in place.ways}
        here = ("scene", place.name)
        never |= inside - played.done if here in played.done else {here}
    for front in game.fronts[1:]:
        never |= _never_in(front, played) if front else set()
    for fact, kind in (("has", "item"), ("knows", "clue")):
        names = game.room.items if fact == "has" else game.room.clues
        never |= {(kind, name) for name in names if not played.facts >> game.bits[fact, name] & 1}
    return never


def _never_in(front: Talk | Bolt, played: Played) -> set[tuple[str, str]]:
    here = ("lock" if isinstance(front, Bolt) else "dialogue", front.name)
    if here not in played.done:
        return {here}
    never = set()
    for line in front.lines:
        at = ("line", f"{front.name}/{line.name}")
        inside = {
            ("reply", f"{front.name}/{line.name}/{one.name}")
            for one in line.choices
            if not one.fall and not one.out
        }
        inside = set() if isinstance(front, Bolt) else inside
        never |= inside - played.done if at in played.done else {at}
    return never


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rooms(), st.lists(st.integers(0, 99), max_size=40))
def test_what_is_offered_is_never_refused_and_every_state_goes_into_its_short_form(
    data: Data, picks: list[int]
) -> None:
    game = making.game(data)
    state = start(game)
    for pick in picks:
        offered = list(moves(game, state))
        if not offered:
            break
        state, outcome = step(game, state, offered[pick % len(offered)].action)
        assert outcome.did != "refused"
        assert decode(game, encode(game, state)) == state


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(rooms(), st.lists(ACTIONS, max_size=30))
def test_any_action_whatever_is_carried_out_or_refused_and_refusing_changes_nothing(
    data: Data, actions: list[Action]
) -> None:
    game = making.game(data)
    state = start(game)
    for action in actions:
        after, outcome = step(game, state, action)
        assert outcome.did != "refused" or (after == state and outcome.wrong in REFUSED)
        assert after.facts & state.facts == state.facts
        assert score(game, after) >= 0
        state = after
