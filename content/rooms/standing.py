"""Judges an answer by what the server knows of the play, whatever the state that came with it says."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from content.escape_room import rules
from content.escape_room.codes import normal
from content.escape_room.game import Bolt
from content.escape_room.judging import Numbers
from content.escape_room.rules import Action, Outcome
from content.escape_room.state import State
from content.rooms.games import Ready
from content.rooms.traces import HINT, RIGHT, Trace, Traces

_BESIDE = 10  # rows of a lock besides wrong answers: nine hints, the right answer


class Asked(NamedTuple):
    """An action in a play, from a state."""

    play: str
    state: State
    action: Action
    now: datetime


def judged(ready: Ready, traces: Traces, asked: Asked, told: Outcome) -> tuple[State, Outcome]:
    """The step of an answer again, with the tries and hints that are written down; `told` is what came of it by the
    rules alone. A wrong one is written down; a right one where tries are limited, so that of many answers sent in
    the same moment no more are judged than the limit allows."""
    bolt = ready.names[told.lock]
    limit = bolt.told.limit.tries if bolt.told.limit else 0
    right = told.did == "opened"
    if right and not limit:
        known = before = traces.of(asked.play).get(bolt.name, ())
    else:
        what = RIGHT if right else digest(asked, bolt)
        most = max(limit, bolt.told.counted) + _BESIDE
        kept = traces.keep(Trace(asked.play, bolt.name, what, asked.now, 99 if right else most))
        known, before = kept.all, kept.before
    if limit and _wrong(before) >= limit:
        return rules.closed(ready.game, asked.state, bolt)
    tries = _wrong(before) if right else max(0, _wrong(known) - 1)
    return rules.step(ready.game, _as_known(asked.state, bolt, tries, known), asked.action)


def hinted(traces: Traces, asked: Asked, told: Outcome) -> None:
    """Write down that a hint was taken: going back to before does not make the lock worth more."""
    number = asked.action.value[0]
    traces.keep(Trace(asked.play, told.lock, f"{HINT}{number}", asked.now))


def digest(asked: Asked, bolt: Bolt) -> str:
    """What tells one wrong answer to a lock from another; nothing can be read from it."""
    value = asked.action.value
    if isinstance(value, str):
        plain = normal(value)
    else:
        whole = isinstance(bolt.judge, Numbers) and not bolt.judge.row
        plain = ",".join(map(str, sorted(value) if whole else value))
    made = hashlib.blake2b(f"{bolt.name}\n{plain}".encode(), key=asked.play.encode(), digest_size=15)
    return urlsafe_b64encode(made.digest()).decode()


def _as_known(state: State, bolt: Bolt, tries: int, known: Iterable[str]) -> State:
    taken = max((int(what.removeprefix(HINT)) for what in known if what.startswith(HINT)), default=0)
    counts, hints, last = bytearray(state.tries), bytearray(state.hints), bytearray(state.last)
    counts[bolt.number], last[bolt.number] = tries, 0
    hints[bolt.number] = max(hints[bolt.number], min(taken, len(bolt.told.hints)))
    return state._replace(tries=bytes(counts), hints=bytes(hints), last=bytes(last))


def _wrong(known: Iterable[str]) -> int:
    return sum(what != RIGHT and not what.startswith(HINT) for what in known)
