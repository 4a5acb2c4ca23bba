"""Trying a room out from any place: the shortest way there is walked by the very rules, then staff play on."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from content.escape_room import rules, walks
from content.escape_room.compiling import compile_room
from content.escape_room.exploring import At, Explorer
from content.escape_room.game import Bolt, Game
from content.escape_room.judging import Code, Numbers
from content.escape_room.proof import BOUND
from content.escape_room.rules import Action
from content.escape_room.state import State
from content.rooms import file
from content.rooms.games import Ready
from core.errors import NotFound
from core.i18n import gettext as _
from core.i18n import mark

_FRONTS = ("dialogues", "locks")
_STEPS = 4_000  # points of a search; a room of a dozen scenes has more
_Test = Callable[[At], bool]


class Hidden(NamedTuple):
    """What only editors see: the answer of the lock in front, and what is hidden in the scene (name, why)."""

    answer: Sequence[str]
    unseen: Sequence[str]


@lru_cache(32)
def way_to(text: str, table: str, name: str) -> tuple[Action, ...]:
    """The shortest way from the start to where a scene, a lock or a dialogue is in front; NotFound without one.

    In a big room, where not everything can be searched, it is a stretch of a way to an ending without its detours.
    """
    room = file.stored(text)
    if (table, name) == ("scenes", room.start):
        return ()
    game = compile_room(room)
    there, explorer = _there(game, table, name), Explorer(game, BOUND)
    for seen in walks.search(explorer, _STEPS):
        if not seen.edge.ending and there(seen.after.at):
            return walks.way_to(seen)
    return _along(text, explorer, there)


def _along(text: str, explorer: Explorer, there: _Test) -> tuple[Action, ...]:
    """On the ways that the proof found to the endings, the one that comes there first."""
    report = file.proved(text)
    longest = [report.longest] if report.longest else []
    found = []
    for walk in (*report.shortest.values(), *longest):
        now = rules.start(explorer.game)
        for done, action in enumerate(walk.actions, start=1):
            now, _outcome = rules.step(explorer.game, now, action)
            if there(_at(now)) and not now.ending:
                found.append(walk.actions[:done])
                break
    if not found:
        raise NotFound(mark("没有找到走到那里的路，所以不能从那里试玩。先看看证明里说了什么。"))
    return walks.shortened(
        explorer, min(found, key=len), lambda state: there(_at(state)) and not state.ending
    )


def _at(state: State) -> At:
    return state.scene, state.front, state.line


def _there(game: Game, table: str, name: str) -> _Test:
    if table == "scenes" and name in game.room.scenes:
        scene = list(game.room.scenes).index(name)
        return lambda at: at[0] == scene and not at[1]
    if table in _FRONTS and name in getattr(game.room, table):
        front = next(
            number
            for number, one in enumerate(game.fronts)
            if one is not None and one.name == name and isinstance(one, Bolt) == (table == "locks")
        )
        return lambda at: at[1] == front
    raise NotFound(mark("这个密室里没有它。"))


def walked(game: Game, actions: Sequence[Action]) -> State:
    """The state after a way from the start."""
    state = rules.start(game)
    for action in actions:
        state, _outcome = rules.step(game, state, action)
    return state


def hidden(ready: Ready, state: State, lang: str) -> Hidden:
    """What is hidden from players in this state."""
    game, place = ready.game, ready.game.places[state.scene]
    front = game.fronts[state.front]
    unseen = [one.told.label.of(lang) for one in place.spots.values() if not one.when.holds(state.facts)]
    unseen += [one.told.label.of(lang) for one in place.ways.values() if not one.when.holds(state.facts)]
    return Hidden(answer(ready, front, lang) if isinstance(front, Bolt) else (), unseen)


def answer(ready: Ready, bolt: Bolt, lang: str) -> list[str]:
    """What opens a lock, in words: the options, the order, the pairs, the codes, or what to say to the fraudster."""
    shown = [ready.phrase(one.of(lang)).striptags() for one in bolt.shown]
    if isinstance(bolt.judge, Code):
        return list(getattr(bolt.told, "answers", ()))
    if not isinstance(bolt.judge, Numbers):
        return [
            _("说“%(name)s”", name=choice.text.of(lang))
            for line in bolt.lines
            for choice in line.choices
            if choice.out
        ]
    if bolt.partners:
        partners = [one.of(lang) for one in bolt.partners]
        return [
            f"{left} ↔ {partners[number - 1]}" for left, number in zip(shown, bolt.judge.right, strict=True)
        ]
    return [shown[number - 1] for number in bolt.judge.right]
