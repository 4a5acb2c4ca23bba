"""Plays rooms in every possible way, state by state, with nothing made coarse: what proofs are compared with."""

from collections import deque
from dataclasses import dataclass, field

from content.escape_room.game import Bolt, Game, Way
from content.escape_room.moves import moves
from content.escape_room.rules import Action, start, step
from content.escape_room.state import State


class TooBig(Exception):
    """More states than a test wants to look at."""


@dataclass
class Played:
    """Every state with its distance from the start, the moves between them, and what happened on the way."""

    depth: dict[State, int] = field(default_factory=dict)
    back: dict[State, list[State]] = field(default_factory=dict)
    done: set[tuple[str, str]] = field(default_factory=set)
    endings: dict[int, int] = field(default_factory=dict)
    facts: int = 0

    def dead(self) -> dict[State, int]:
        """States from which no ending can be reached, with their distance."""
        alive = {state for state in self.depth if state.ending}
        todo = deque(alive)
        while todo:
            for before in self.back.get(todo.popleft(), ()):
                if before not in alive:
                    alive.add(before)
                    todo.append(before)
        return {state: depth for state, depth in self.depth.items() if state not in alive}


def plain(game: Game, state: State) -> State:
    """Without what decides nothing: hints, tries of locks without a limit, the answer given to them last."""
    limits = [bool(bolt.told.limit) for bolt in game.bolts]
    tries = bytes(number if limit else 0 for number, limit in zip(state.tries, limits, strict=True))
    last = bytes(number if limit else 0 for number, limit in zip(state.last, limits, strict=True))
    return state._replace(tries=tries, hints=bytes(len(limits)), last=last)


def play(game: Game, *, guessing: bool, most: int = 4000) -> Played:
    """Every state that can be reached, by players who guess what they cannot know, or do not."""
    played = Played()
    first = plain(game, start(game))
    played.depth[first] = 0
    played.facts = first.facts
    played.done |= seen(game, first)
    todo = deque([first])
    while todo:
        state = todo.popleft()
        for action, manner in moves(game, state):
            if manner == "hint" or (manner == "guess" and not guessing):
                continue
            after = plain(game, step(game, state, action)[0])
            if after not in played.depth:
                played.depth[after] = played.depth[state] + 1
                todo.append(after)
            played.back.setdefault(after, []).append(state)
            note(game, played, state, action, after)
        if len(played.depth) > most:
            raise TooBig
    return played


def note(game: Game, played: Played, state: State, action: Action, after: State) -> None:
    """What a move brought."""
    place, front = game.places[state.scene], game.fronts[state.front]
    played.facts |= after.facts
    if after.ending:
        played.endings.setdefault(after.ending, played.depth[after])
    if action.verb == "look":
        played.done.add(("hotspot", f"{place.name}/{action.name}"))
    elif action.verb == "go" and _open(game, state, place.ways[action.name]):
        played.done.add(("door", f"{place.name}/{action.name}"))
    elif action.verb == "say" and front is not None:
        line = front.lines[state.line]
        played.done.add(("reply", f"{front.name}/{line.name}/{line.choices[int(action.value[1]) - 1].name}"))
    for at in (state, after):
        played.done |= seen(game, at)


def _open(game: Game, state: State, way: Way) -> bool:
    bolt = game.fronts[way.lock]
    return way.when.holds(state.facts) and (not isinstance(bolt, Bolt) or bool(state.facts & bolt.opened))


def seen(game: Game, state: State) -> set[tuple[str, str]]:
    """What stands before a player."""
    found, front = {("scene", game.places[state.scene].name)}, game.fronts[state.front]
    if front is not None:
        found.add(("lock" if isinstance(front, Bolt) else "dialogue", front.name))
        if front.lines:
            found.add(("line", f"{front.name}/{front.lines[state.line].name}"))
    return found
