"""Where a player is: one small value, written short. Whoever hands it out signs it; here its form is checked."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from content.escape_room.game import Bolt, Game
from core.errors import Invalid
from core.i18n import mark

MOST = 99  # wrong tries are counted up to here


class State(NamedTuple):
    """`front`: what stands before the scene, at a line; `ending`: 0 while it goes on. By lock: `last`: a sign of the
    wrong answer given last, `tries` and `hints`: how many."""

    scene: int
    facts: int
    front: int
    line: int
    ending: int
    last: bytes
    tries: bytes
    hints: bytes


def encode(game: Game, state: State) -> str:
    """A line of JSON that begins with the room's hash; about 200 characters for a big room."""
    facts = state.facts.to_bytes((len(game.bits) + 7) // 8, "little")
    parts = (facts, state.last, state.tries, state.hints)
    packed = [urlsafe_b64encode(part).decode().rstrip("=") for part in parts]
    plain = (state.scene, state.front, state.line, state.ending)
    return json.dumps([game.hash, *plain, *packed], separators=(",", ":"))


def decode(game: Game, text: str) -> State:
    """What `encode` wrote; Invalid when it is of another room or version, or could not have been written by it."""
    try:
        _hash, scene, front, line, ending, *packed = json.loads(text)
        facts, last, tries, hints = (urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in packed)
        state = State(scene, int.from_bytes(facts, "little"), front, line, ending, last, tries, hints)
        good = _possible(game, state) and encode(game, state) == text
    except (ValueError, TypeError, OverflowError, RecursionError):
        good = False
    if not good:
        raise Invalid(mark("这份进度不属于这个房间，或者读不懂。请从头开始。"))
    return state


def _possible(game: Game, state: State) -> bool:
    """Whether the parts fit each other and the room."""
    most = (len(game.places) - 1, len(game.fronts) - 1, len(game.endings))
    numbers = (state.scene, state.front, state.ending)
    if any(type(one) is not int or not 0 <= one <= top for one, top in zip(numbers, most, strict=True)):
        return False
    if state.facts >> len(game.bits) or not state.facts & game.places[state.scene].bit:
        return False
    front = game.fronts[state.front]
    if isinstance(front, Bolt) and state.facts & (front.opened | front.failed):
        return False
    if not 0 <= state.line < max(1, len(front.lines) if front else 1) or (state.ending and front):
        return False
    hinted = all(taken <= len(one.told.hints) for one, taken in zip(game.bolts, state.hints, strict=True))
    whole = len(state.tries) == len(state.last) == len(game.bolts)
    return hinted and whole and max(state.tries, default=0) <= MOST
