"""Which ways lead to the endings of a room, and into its dead ends."""

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

from content.escape_room import walks
from content.escape_room.exploring import At, Edge, Exit, Explorer, Node, Point
from content.escape_room.leaving import Dead
from content.escape_room.rules import Action
from content.escape_room.state import State

_MOST = 5
_STEPS = 2_000  # of a search that must ask of each point whether it is dead
Trail = tuple[tuple[At, Edge], ...]


class Way(NamedTuple):
    """Actions from the start to a node; `exact`: none shorter lead there."""

    node: Node
    actions: tuple[Action, ...]
    exact: bool


def shortest(explorer: Explorer, first: Point) -> dict[str, tuple[tuple[Action, ...], bool]]:
    """The shortest way to each ending that is reached, and whether it is certain that none is shorter."""
    game = explorer.game
    found: dict[str, tuple[tuple[Action, ...], bool]] = {}
    for seen in walks.search(explorer):
        name = game.endings[seen.edge.ending - 1] if seen.edge.ending else ""
        if name and name not in found:
            found[name] = walks.way_to(seen), True
            if len(found) == len(game.endings):
                break
    for name, trail in _trails(explorer, first).items():
        if name not in found:
            good = partial(_ended, game.endings.index(name) + 1)
            found[name] = walks.shortened(explorer, walks.along(explorer, trail), good), False
    return {name: found[name] for name in game.endings if name in found}


def _ended(ending: int, state: State) -> bool:
    return state.ending == ending


def _trails(explorer: Explorer, first: Point) -> dict[str, Trail]:
    """Exit by exit to each ending."""
    come: dict[Node, Trail] = {explorer.node(first): ()}
    found: dict[str, Trail] = {}
    for node, exits in explorer.graph(first).items():
        for way in exits:
            trail = (*come[node], (way.at, way.edge))
            if way.edge.ending:
                found.setdefault(explorer.game.endings[way.edge.ending - 1], trail)
            else:
                come.setdefault(explorer.node(way.to), trail)
    return found


_Best = dict[Node, tuple[int, Exit | None]]


def longest(explorer: Explorer, first: Point) -> tuple[str, tuple[Action, ...]] | None:
    """The ending and the way on which most is found: all is taken before every step that cannot be taken back."""
    graph = explorer.graph(first)
    best: _Best = {}
    for node in _backwards(explorer, graph):
        options = [(_gain(explorer, node, way, best), way) for way in graph[node]]
        best[node] = max(options, key=lambda option: option[0], default=(0, None))
    trail: list[tuple[At, Edge]] = []
    node = explorer.node(first)
    while best[node][0] and (way := best[node][1]) is not None:
        trail.append((way.at, way.edge))
        if way.edge.ending:
            return explorer.game.endings[way.edge.ending - 1], tuple(walks.along(explorer, trail))
        node = explorer.node(way.to)
    return None


def _gain(explorer: Explorer, node: Node, way: Exit, best: _Best) -> int:
    if way.edge.ending:
        return 1
    after = explorer.node(way.to)
    beyond = best[after][0]
    return beyond + 1 + (after.facts & ~node.facts).bit_count() if beyond else 0


def _backwards(explorer: Explorer, graph: Mapping[Node, list[Exit]]) -> list[Node]:
    """Nodes so that each comes after those it leads to (nothing leads back: see `exploring`)."""
    done: dict[Node, None] = {}
    for root in graph:
        todo = [root]
        while todo:
            after = [explorer.node(way.to) for way in graph[todo[-1]] if not way.edge.ending]
            waiting = [one for one in after if one not in done and todo[-1] not in done]
            if waiting:
                todo += waiting
            else:
                done.setdefault(todo.pop())
    return list(done)


def into(explorer: Explorer, first: Point, found: list[Dead]) -> list[Way]:
    """The shortest ways into dead ends; those not found in a search, the way they were found without detours."""
    if not found:
        return []
    if not explorer.alive(explorer.node(first)):
        return [Way(explorer.node(first), (), True)]
    ways = _nearest(explorer)
    for dead in found:
        if dead.node.spots not in ways:
            actions = walks.along(explorer, dead.trail, dead.omitted)
            fewer = walks.shortened(explorer, actions, partial(_stuck, explorer))
            ways[dead.node.spots] = Way(dead.node, fewer, False)
    return list(ways.values())


def _nearest(explorer: Explorer) -> dict[frozenset[At], Way]:
    ways: dict[frozenset[At], Way] = {}
    for seen in walks.search(explorer, _STEPS):
        if not _may_be_dead(explorer, seen):
            continue
        node = explorer.node(seen.after)
        if node.spots not in ways and not explorer.alive(node):
            ways[node.spots] = Way(node, walks.way_to(seen), True)
            if len(ways) == _MOST:
                break
    return ways


def _may_be_dead(explorer: Explorer, seen: walks.Seen) -> bool:
    """Whether the edge leads out of what it comes from, which lives."""
    if seen.edge.ending or not explorer.alive(explorer.node(seen.point)):
        return False
    at, facts, tries, _last = seen.point
    return seen.edge.to not in explorer.node(seen.point).spots or not explorer.free(
        at, seen.edge, facts, tries
    )


def _stuck(explorer: Explorer, state: State) -> bool:
    return not state.ending and not explorer.alive(explorer.node(explorer.point(state)))
