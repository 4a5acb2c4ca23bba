"""Explores what can happen in a room, by the very `step` that players play with, on states made coarse.

A *spot on the map* (scene, what is in front, line) and the facts make a point. Points that can be reached from each
other by free moves (they take harmless facts only, `reduction`) are one node; all that can be taken there without
leaving it is taken. `omitted` facts are never taken: exploring with them shows what happens to somebody who did not.
"""

from collections.abc import Iterator
from typing import NamedTuple

from content.escape_room.game import Bolt, Game
from content.escape_room.moves import moves
from content.escape_room.reduction import dependence, masks
from content.escape_room.rules import Action, step
from content.escape_room.state import State

At = tuple[int, int, int]


class Point(NamedTuple):
    """Where somebody is and with what; `tries` and `last` only as far as locks with a limit are concerned."""

    at: At
    facts: int
    tries: bytes
    last: bytes


class Edge(NamedTuple):
    """What an action does at a spot: facts added, where it leads, an ending (0: none)."""

    action: Action
    manner: str
    adds: int
    to: At
    ending: int
    tries: bytes
    last: bytes


class Node(NamedTuple):
    """Points that are one: the spots of the map, the facts after taking all that is free."""

    spots: frozenset[At]
    facts: int
    tries: bytes
    last: bytes


class Exit(NamedTuple):
    """A way out of a node that is no way back, or changes something touchy: from a spot, by an edge, to a point."""

    at: At
    edge: Edge
    to: Point


class TooMany(Exception):
    """More than the bound on nodes; what was found until then stands, what was not found says nothing."""


class Explorer:
    """Explores one game, with players who do not guess: they open a lock when they have what it needs.

    `never`: bits that no player ever takes; who could is noted in `refrained`.
    """

    def __init__(self, game: Game, bound: int, never: int = 0) -> None:
        self.game, self.bound, self.never = game, bound, never
        self.masks = masks(game)
        self.refrained: list[tuple[State, Action]] = []
        self._edges: dict[State, list[Edge]] = {}
        self._asks: dict[At, int] = {}
        self._nodes: dict[tuple[Point, int], Node] = {}
        self._exits: dict[Node, list[Exit]] = {}
        self._offers: dict[Point, int] = {}
        self._alive: dict[Node, bool] = {}
        limited = [one for one in game.bolts if one.told.limit]
        self._limited = frozenset(one.number for one in limited)
        self._none = bytes(len(game.bolts))

    def __len__(self) -> int:
        return len(self._nodes)

    def point(self, state: State) -> Point:
        """A state made coarse."""
        tries, last = self._coarse(state)
        at = (state.scene, state.front, state.line)
        return Point(at, state.facts & self.masks.relevant, tries, last)

    def _coarse(self, state: State) -> tuple[bytes, bytes]:
        if not self._limited:
            return self._none, self._none
        kept = [number in self._limited for number in range(len(self._none))]
        return _only(state.tries, kept), _only(state.last, kept)

    def edges(self, at: At, facts: int, tries: bytes, last: bytes) -> list[Edge]:
        """What can be done at a point; worked out once for all points that do not differ in what it depends on."""
        if at not in self._asks:
            self._asks[at] = dependence(self.game, *at)
        front = self.game.fronts[at[1]]
        counted = isinstance(front, Bolt) and front.number in self._limited
        tried = (last, tries) if counted else (self._none, self._none)
        state = State(at[0], facts & self._asks[at], at[1], at[2], 0, *tried, self._none)
        if state not in self._edges:
            self._edges[state] = list(self._tried(state, front if isinstance(front, Bolt) else None))
        found = self._edges[state]
        if counted or not any(tries):
            return found
        return [edge._replace(tries=tries, last=last) for edge in found]

    def _tried(self, state: State, bolt: Bolt | None) -> Iterator[Edge]:
        for action, manner in moves(self.game, state):
            in_vain = manner == "wrong" and bolt and bolt.number in self.masks.quiet
            if in_vain or manner in ("hint", "guess"):
                continue
            after, outcome = step(self.game, state, action)
            if outcome.did in ("refused", "shut") and after == state:
                continue
            if after.facts & ~state.facts & self.never:
                self.refrained.append((state, action))
                continue
            tries, last = self._coarse(after)
            to = (after.scene, after.front, after.line)
            yield Edge(action, manner, after.facts & ~state.facts, to, after.ending, tries, last)

    def free(self, at: At, edge: Edge, facts: int, tries: bytes) -> bool:
        """Whether an edge takes nothing but harmless facts and tries."""
        front = self.game.fronts[at[1]]
        if edge.ending or edge.adds & ~facts & self.masks.touchy:
            return False
        return edge.tries == tries or (isinstance(front, Bolt) and front.number in self.masks.patient)

    def node(self, point: Point, omitted: int = 0) -> Node:
        """The node of a point. What is omitted matters only as far as it is on offer there."""
        point = point._replace(last=self._calm(point.last))
        if omitted:
            self.node(point)
            omitted &= self._offers[point] & ~point.facts
        key = (point, omitted)
        if key not in self._nodes:
            if len(self._nodes) >= self.bound:
                raise TooMany
            self._nodes[key] = self._settled(point, omitted)
        return self._nodes[key]

    def _calm(self, last: bytes) -> bytes:
        """The wrong answers given last, where they decide anything."""
        if not self.masks.patient:
            return last
        return _only(last, [number not in self.masks.patient for number in range(len(last))])

    def _settled(self, point: Point, omitted: int) -> Node:
        at, facts, tries, last = point
        offers = 0
        while True:
            ways = self.around(Point(at, facts, tries, last), omitted)
            spots, more, most = set(ways), facts, tries
            for leads in ways.values():
                for edge in leads:
                    more |= edge.adds
                    most = most if edge.tries == tries else bytes(map(max, most, edge.tries))
            offers |= more
            if more & self.masks.relevant == facts and most == tries:
                if not omitted:
                    self._offers[point] = offers
                return Node(frozenset(spots), facts, tries, last)
            facts, tries = more & self.masks.relevant, most
            at = min((spot for spot in spots if not spot[1]), default=at)

    def around(self, point: Point, omitted: int = 0) -> dict[At, list[Edge]]:
        """The spots that free moves reach and come back from, with the free moves among them."""
        at, facts, tries, last = point
        ways: dict[At, list[Edge]] = {}
        todo = [at]
        while todo:
            spot = todo.pop()
            if spot in ways:
                continue
            ways[spot] = [
                edge
                for edge in self.edges(spot, facts, tries, last)
                if not edge.adds & ~facts & omitted and self.free(spot, edge, facts, tries)
            ]
            todo += [edge.to for edge in ways[spot]]
        spots = _returning(at, ways)
        return {spot: [edge for edge in ways[spot] if edge.to in spots] for spot in spots}

    def exits(self, node: Node, omitted: int = 0) -> list[Exit]:
        """What leads on from a node."""
        if node not in self._exits:
            self._exits[node] = list(self._leading(node))
        if not omitted:
            return self._exits[node]
        return [way for way in self._exits[node] if not way.to.facts & ~node.facts & omitted]

    def _leading(self, node: Node) -> Iterator[Exit]:
        for spot in sorted(node.spots):
            for edge in self.edges(spot, node.facts, node.tries, node.last):
                new = edge.adds & ~node.facts & self.masks.relevant
                stays = edge.to in node.spots and edge.tries == node.tries and not edge.ending
                if new or not stays:
                    last = self._calm(edge.last)
                    yield Exit(spot, edge, Point(edge.to, node.facts | new, edge.tries, last))

    def alive(self, node: Node) -> bool:
        """Whether an ending can be reached from a node (explored without omitting anything)."""
        trail: list[tuple[Node, Iterator[Exit]]] = []
        if node not in self._alive:
            trail.append((node, iter(self.exits(node))))
        while trail:
            at, rest = trail[-1]
            step_on = next((way for way in rest if self._still_open(at, way)), None)
            if self._alive.get(at) or step_on is None:
                self._alive.setdefault(at, False)
                trail.pop()
                if trail and self._alive[at]:
                    self._alive[trail[-1][0]] = True
            else:
                after = self.node(step_on.to)
                trail.append((after, iter(self.exits(after))))
        return self._alive[node]

    def _still_open(self, at: Node, way: Exit) -> bool:
        """Whether an exit must be followed to know more; what is known already is noted."""
        if self._alive.get(at):
            return False
        if way.edge.ending or self._alive.get(self.node(way.to)):
            self._alive[at] = True
            return False
        return self.node(way.to) not in self._alive

    def tried(self) -> Iterator[tuple[State, list[Edge]]]:
        """Everything that was tried so far, with what came of it."""
        yield from self._edges.items()

    def graph(self, start: Point, omitted: int = 0) -> dict[Node, list[Exit]]:
        """Every node from a start on, in the order of being found."""
        found: dict[Node, list[Exit]] = {}
        todo = [self.node(start, omitted)]
        for node in todo:
            if node not in found:
                found[node] = self.exits(node, omitted)
                todo += [self.node(way.to, omitted) for way in found[node] if not way.edge.ending]
        return found


def _only(counts: bytes, kept: list[bool]) -> bytes:
    return bytes(count if keep else 0 for count, keep in zip(counts, kept, strict=True))


def _returning(at: At, ways: dict[At, list[Edge]]) -> set[At]:
    """The spots from which there is a way back to this one."""
    back: dict[At, list[At]] = {}
    for spot, leads in ways.items():
        for edge in leads:
            back.setdefault(edge.to, []).append(spot)
    found, todo = {at}, [at]
    while todo:
        for spot in back.get(todo.pop(), ()):
            if spot not in found:
                found.add(spot)
                todo.append(spot)
    return found
