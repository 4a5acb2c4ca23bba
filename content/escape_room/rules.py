"""The rules: from a state and an action to the next state and what came of it. Nothing here knows a clock."""

from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

from content.escape_room.deeds import Deeds
from content.escape_room.game import Bolt, Game
from content.escape_room.judging import Said, Value, Verdict
from content.escape_room.state import MOST, State
from core.i18n import mark


class Action(NamedTuple):
    """look (hotspot), go (door), say ((line, reply)), leave, answer (lock, value), hint (lock, (number,))."""

    verb: str
    name: str = ""
    value: Value = ()


class Outcome(NamedTuple):
    """What came of it: what is said, found as (fact, name), taught as facts' names, points won or lost.

    `did`: looked, moved, shut, said, left, opened, wrong, failed (the last try), hint, refused (`wrong` says why).
    `wrong`: the class of the mistake, in the editor's names: for reports, never for the player.
    """

    did: str
    texts: Said = ()
    lock: str = ""
    wrong: str = ""
    points: int = 0
    taught: tuple[str, ...] = ()
    found: tuple[tuple[str, str], ...] = ()


REFUSED = {
    "over": mark("这一局已经结束。"),
    "gone": mark("现在做不了这一步，请看看眼前有什么。"),
    "unreadable": mark("这个回答不完整，请重新选好再提交。"),
}
Step = tuple[State, Outcome]


def start(game: Game) -> State:
    """A new game, in the first scene."""
    none = bytes(len(game.bolts))
    return _enter(game, State(game.start, 0, 0, 0, 0, none, none, none), game.start)


def step(game: Game, state: State, action: Action) -> Step:
    """Carry an action out; what is not possible now changes nothing and is `refused`."""
    if state.ending:
        return _refused(state, "over")
    verb = _VERBS.get(action.verb)
    after, outcome = verb(game, state, action) if verb else _refused(state)
    new = after.facts & ~state.facts & game.finds
    if not new:
        return after, outcome
    return after, outcome._replace(found=tuple(pair for pair, bit in game.bits.items() if new >> bit & 1))


def _refused(state: State, why: str = "gone") -> Step:
    return state, Outcome("refused", wrong=why)


def _enter(game: Game, state: State, scene: int) -> State:
    place = game.places[scene]
    return _do(game, state._replace(scene=scene, facts=state.facts | place.bit, front=0, line=0), place.enter)


def _do(game: Game, state: State, deeds: Deeds) -> State:
    for deed in deeds:
        if state.ending or not deed.when.holds(state.facts):
            continue
        state = state._replace(facts=state.facts | deed.adds)
        if deed.scene >= 0:
            state = _enter(game, state, deed.scene)
        if deed.front and not state.ending:
            state = _show(game, state, deed.front, deed.line)
        if deed.ending:
            state = state._replace(ending=deed.ending, front=0, line=0)
    return state


def _show(game: Game, state: State, number: int, line: int) -> State:
    """A lock that is open, or closed for good, does not come to the front any more."""
    front = game.fronts[number]
    if isinstance(front, Bolt) and state.facts & (front.opened | front.failed):
        return state
    return state._replace(front=number, line=line)


def _look(game: Game, state: State, action: Action) -> Step:
    spot = game.places[state.scene].spots.get(action.name)
    if spot is None or not spot.when.holds(state.facts):
        return _refused(state)
    after = _do(game, state._replace(facts=state.facts | spot.bit, front=0, line=0), spot.deeds)
    return after, Outcome("looked", (spot.told.text,) if spot.told.text else ())


def _go(game: Game, state: State, action: Action) -> Step:
    way = game.places[state.scene].ways.get(action.name)
    if way is None or not way.when.holds(state.facts):
        return (state, Outcome("shut", (way.told.shut,))) if way and way.told.shut else _refused(state)
    bolt = game.fronts[way.lock]
    if isinstance(bolt, Bolt) and not state.facts & bolt.opened:
        limit = bolt.told.limit if state.facts & bolt.failed else None
        said = (limit.text,) if limit else ()
        return _show(game, state, way.lock, bolt.start), Outcome("shut", said, bolt.name)
    return _enter(game, state, way.to), Outcome("moved", (way.told.text,) if way.told.text else ())


def _leave(_game: Game, state: State, _action: Action) -> Step:
    return state._replace(front=0, line=0), Outcome("left")


def _say(game: Game, state: State, action: Action) -> Step:
    front, value = game.fronts[state.front], action.value
    if front is None or not front.lines or isinstance(value, str) or value[:1] != (state.line,):
        return _refused(state)
    line = front.lines[state.line]
    choice = next((one for at, one in enumerate(line.choices, start=1) if value[1:] == (at,)), None)
    if choice is None or not choice.when.holds(state.facts):
        return _refused(state)
    if isinstance(front, Bolt) and choice.out:
        return _open(game, state, front, (choice.out,))
    if isinstance(front, Bolt) and choice.fall:
        verdict = Verdict(False, (choice.fall,), f"{line.name}/{choice.name}", choice.deeds)
        return _wrong(game, state._replace(line=front.start), front, verdict)
    over = choice.next < 0
    after = state._replace(
        facts=state.facts | choice.chose, front=0 if over else state.front, line=0 if over else choice.next
    )
    return _do(game, after, choice.deeds), Outcome("said")


def _answer(game: Game, state: State, action: Action) -> Step:
    bolt = game.fronts[state.front]
    if not isinstance(bolt, Bolt) or bolt.name != action.name or bolt.judge is None:
        return _refused(state)
    verdict = bolt.judge.judge(action.value)
    if verdict is None:
        return _refused(state, "unreadable")
    return _open(game, state, bolt) if verdict.right else _wrong(game, state, bolt, verdict, action.value)


def _open(game: Game, state: State, bolt: Bolt, said: Said = ()) -> Step:
    said += (bolt.told.well,) if bolt.told.well else ()
    after = state._replace(facts=state.facts | bolt.opened, front=0, line=0)
    outcome = Outcome("opened", said, bolt.name, "", worth(state, bolt), bolt.told.teaches)
    return _do(game, after, bolt.deeds), outcome


def mistake(verdict: Verdict, value: Value = ()) -> int:
    """A sign of a wrong answer, 1 to 255: the same answer has the same."""
    return crc32(f"{verdict.wrong} {value}".encode()) % 255 + 1


def _wrong(game: Game, state: State, bolt: Bolt, verdict: Verdict, value: Value = ()) -> Step:
    """The same wrong answer twice running (a double tap) is told again and counts once."""
    outcome, sign, at = (
        Outcome("wrong", verdict.texts, bolt.name, verdict.wrong),
        mistake(verdict, value),
        bolt.number,
    )
    if sign == state.last[at]:
        return _do(game, state, verdict.deeds), outcome
    last, tries = _put(state.last, at, sign), _put(state.tries, at, min(MOST, state.tries[at] + 1))
    after, limit = state._replace(tries=tries, last=last), bolt.told.limit
    outcome = outcome._replace(points=worth(after, bolt) - worth(state, bolt))
    if limit and tries[at] >= limit.tries:
        return closed(game, after, bolt, outcome)
    return _do(game, after, verdict.deeds), outcome


def closed(game: Game, state: State, bolt: Bolt, outcome: Outcome | None = None) -> Step:
    """A lock whose tries ran out closes for good; `outcome` is that of the last one, if it is told with it."""
    outcome, limit = outcome or Outcome("failed", lock=bolt.name), bolt.told.limit
    after = state._replace(facts=state.facts | bolt.failed, front=0, line=0)
    said = (*outcome.texts, limit.text) if limit else outcome.texts
    return _do(game, after, bolt.failing), outcome._replace(did="failed", texts=said)


def _put(counts: bytes, at: int, count: int) -> bytes:
    return counts[:at] + bytes((count,)) + counts[at + 1 :]


def _hint(game: Game, state: State, action: Action) -> Step:
    bolt, value = game.fronts[state.front], action.value
    if not isinstance(bolt, Bolt) or bolt.name != action.name or isinstance(value, str) or len(value) != 1:
        return _refused(state)
    taken, number = state.hints[bolt.number], value[0]
    if not 0 < number <= min(taken + 1, len(bolt.told.hints)):
        return _refused(state)
    after = state._replace(hints=_put(state.hints, bolt.number, max(number, taken)))
    lost = worth(after, bolt) - worth(state, bolt)
    return after, Outcome("hint", (bolt.told.hints[number - 1].text,), bolt.name, points=lost)


_VERBS: dict[str, Callable[[Game, State, Action], Step]]
_VERBS = {"look": _look, "go": _go, "leave": _leave, "say": _say, "answer": _answer, "hint": _hint}


def worth(state: State, bolt: Bolt) -> int:
    """The points that a lock gives, or gave, after these tries and hints."""
    told, taken = bolt.told, state.hints[bolt.number]
    hints = sum(hint.cost for hint in told.hints[:taken]) if taken else 0
    return max(0, told.points - told.cost * min(state.tries[bolt.number], told.counted) - hints)


def score(game: Game, state: State, seconds: float | None = None) -> int:
    """Points so far: open locks, the clock's bonus (None: it is off), the ending's share and bonus; never below 0."""
    points = sum(worth(state, bolt) for bolt in game.bolts if state.facts & bolt.opened)
    if not state.ending:
        return points
    clock, ending = game.room.clock, game.room.endings[game.endings[state.ending - 1]]
    if clock and seconds is not None:
        points += int(clock.bonus * (1 - min(1, max(0, seconds) / (clock.minutes * 60))))
    return points * ending.share // 100 + ending.bonus
