"""Walks through a room that people can follow: the shortest into something, and one that takes everything."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from content.escape_room.exploring import At, Edge, Explorer, Point
from content.escape_room.rules import Action, start, step
from content.escape_room.state import State

STEPS = 20_000
Trail = Sequence[tuple[At, Edge]]
Come = dict[Point, tuple[Point, Action] | None]


class Seen(NamedTuple):
    """What a search has just seen: from a point, by an edge, a new point or an ending."""

    come: Come
    point: Point
    edge: Edge
    after: Point


def replay(explorer: Explorer, state: State, actions: Sequence[Action]) -> tuple[list[Action], list[State]]:
    """Those of the actions that are offered one after the other, and the states behind each."""
    states, done = [], []
    for action in actions:
        if state.front and action.verb in ("look", "go"):
            continue  # would do, but putting down what is in front is a step of its own
        after, outcome = step(explorer.game, state, action)
        if outcome.did != "refused" and after != state:
            done.append(action)
            states.append(after)
            state = after
    return done, states


def search(explorer: Explorer, steps: int = STEPS) -> Iterator[Seen]:
    """Every point from the start on, nearest first, as long as there are not too many to look at."""
    first = explorer.point(start(explorer.game))
    come: Come = {first: None}
    todo = deque([first])
    while todo and len(come) < steps:
        point = todo.popleft()
        for edge in explorer.edges(*point):
            facts = point.facts | edge.adds & explorer.masks.relevant
            after = Point(edge.to, facts, edge.tries, edge.last)
            if edge.ending or after not in come:
                yield Seen(come, point, edge, after)
            if not edge.ending and after not in come:
                come[after] = (point, edge.action)
                todo.append(after)


def way_to(seen: Seen) -> tuple[Action, ...]:
    """The actions from the start that a search took to what it has just seen."""
    actions, point = [seen.edge.action], seen.point
    while (before := seen.come[point]) is not None:
        point, action = before
        actions.append(action)
    return tuple(reversed(actions))


def along(explorer: Explorer, trail: Trail, omitted: int = 0) -> list[Action]:
    """The actions of the greedy player who leaves each node by the next exit of a trail."""
    actions: list[Action] = []
    point = explorer.point(start(explorer.game))
    for at, edge in trail:
        point = _take_all(explorer, point, omitted, actions)
        point = _walk_to(explorer, point, omitted, actions, partial(_this, explorer, at, edge))
    return actions


def _this(explorer: Explorer, at: At, wanted: Edge, spot: At, edge: Edge) -> bool:
    """The same step; for a mistake any at that lock that has the same effect, since one just made does not count."""
    effects = [(one.to, one.ending, one.tries, one.adds & explorer.masks.touchy) for one in (edge, wanted)]
    if edge.manner == wanted.manner == "wrong":
        return spot[1] == at[1] and effects[0] == effects[1]
    return spot == at and edge.action == wanted.action


def _new(facts: int, relevant: int, tries: bytes, _spot: At, edge: Edge) -> bool:
    return bool(edge.adds & relevant & ~facts) or edge.tries != tries


def _take_all(explorer: Explorer, point: Point, omitted: int, actions: list[Action]) -> Point:
    relevant = explorer.masks.relevant
    while True:
        new = partial(_new, point.facts, relevant, point.tries)
        ways = explorer.around(point, omitted)
        if not any(new(spot, edge) for spot, leads in ways.items() for edge in leads):
            return point
        point = _walk_to(explorer, point, omitted, actions, new, free=True)


def _walk_to(
    explorer: Explorer,
    point: Point,
    omitted: int,
    actions: list[Action],
    wanted: Callable[[At, Edge], bool],
    *,
    free: bool = False,
) -> Point:
    """Walk over free moves to the nearest spot with a wanted edge, and take it."""
    ways = explorer.around(point, omitted)
    come: dict[At, list[Action]] = {point.at: []}
    todo = deque([point.at])
    while todo:
        spot = todo.popleft()
        leads = ways[spot] if free else explorer.edges(spot, point.facts, point.tries, point.last)
        edge = next((edge for edge in leads if wanted(spot, edge)), None)
        if edge is not None:
            actions += [*come[spot], edge.action]
            return Point(edge.to, point.facts | edge.adds & explorer.masks.relevant, edge.tries, edge.last)
        for edge in ways[spot]:
            if edge.to not in come and not _new(
                point.facts, explorer.masks.relevant, point.tries, spot, edge
            ):
                come[edge.to] = [*come[spot], edge.action]
                todo.append(edge.to)
    return point


def shortened(
    explorer: Explorer, actions: Sequence[Action], good: Callable[[State], bool]
) -> tuple[Action, ...]:
    """Leave out whatever can be left out so that the rest still leads to a good state."""
    first = start(explorer.game)
    kept, states = replay(explorer, first, actions)
    size = max(1, len(kept) // 2)
    while size and good([first, *states][-1]):
        at = 0
        while at < len(kept):
            before = [first, *states][at]
            rest, after = replay(explorer, before, kept[at + size :])
            if at + len(rest) < len(kept) and good([before, *after][-1]):
                kept, states = kept[:at] + rest, states[:at] + after
            else:
                at += size
        size //= 2
    return tuple(kept)
