"""Dead ends: states that can be reached, and from which no ending can.

Whoever stands in a dead end did without some harmless facts, perhaps left behind on the far side of a door that
does not open again. Let Y be those facts. The greedy player who takes everything but Y comes to the same place with
the same things: so every dead end shows itself to some greedy player. Not all Y need to be tried: if a player who
omits the facts L, and one who omits the larger U, can walk through the whole room side by side (the same spots, the
same exits) and always reach an ending, so can everybody who omits something between. Otherwise the first exit that
only one of them can take names a fact on which to split the question in two.
"""

from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from content.escape_room.exploring import At, Edge, Exit, Explorer, Node, Point, TooMany
from content.escape_room.reduction import dependence, each, givers, wanted
from content.escape_room.rules import Action

_MOST = 5


class Dead(NamedTuple):
    """A dead end: the node (all taken that can be), how a player who omits `omitted` gets there, exit by exit."""

    node: Node
    omitted: int
    trail: tuple[tuple[At, Edge], ...]


_Pair = tuple[Node, Node]
_Signed = dict[tuple[object, ...], Exit]


class Odd(NamedTuple):
    """What the one can do at a spot and the other cannot: the action, the facts that each has."""

    at: At
    action: Action | None
    rich: int
    poor: int


def dead_ends(explorer: Explorer, start: Point) -> Iterator[Dead]:
    """At least one dead end if there are any, each way into one once; TooMany when there is too much to look at."""
    harmless = explorer.masks.relevant & ~explorer.masks.touchy
    gives = givers(explorer.game)
    todo = [(0, harmless)]
    seen: set[object] = set()
    for _number in range(explorer.bound):
        if not todo or len(seen) >= _MOST:
            return
        least, most = todo.pop()
        found, odd = _side_by_side(explorer, start, least, most)
        for dead in found:
            key = (dead.trail[-1:], dead.node.spots)
            if key not in seen:
                seen.add(key)
                yield dead
        if odd is not None:
            causes = _causes(explorer, gives, odd, most & ~least)
            todo += [(least | bit, most) for bit in each(causes)] + [(least, most & ~causes)]
    raise TooMany


def _side_by_side(explorer: Explorer, start: Point, least: int, most: int) -> tuple[list[Dead], Odd | None]:
    """Dead ends met by the two players, and what only one of them can do (None: they go side by side all the way)."""
    first = (explorer.node(start, least), explorer.node(start, most))
    trails: dict[_Pair, tuple[tuple[At, Edge], ...]] = {first: ()}
    todo, dead = deque([first]), []
    while todo:
        pair = todo.popleft()
        stuck = [
            (node, omitted)
            for node, omitted in zip(pair, (least, most), strict=True)
            if not _lives(explorer, node)
        ]
        if stuck:
            node, omitted = stuck[0]
            dead.append(Dead(_all_taken(explorer, node), omitted, trails[pair]))
            continue
        exits = [
            {_sign(explorer, way): way for way in explorer.exits(node, omitted)}
            for node, omitted in zip(pair, (least, most), strict=True)
        ]
        odd = _odd(explorer, pair, exits)
        if odd is not None and least != most:
            return dead, odd
        for sign, way in exits[0].items():
            if not way.edge.ending and sign in exits[1]:
                after = (explorer.node(way.to, least), explorer.node(exits[1][sign].to, most))
                if after not in trails:
                    trails[after] = (*trails[pair], (way.at, exits[1][sign].edge))
                    todo.append(after)
    return dead, None


def _all_taken(explorer: Explorer, node: Node) -> Node:
    return explorer.node(Point(min(node.spots), node.facts, node.tries, node.last))


def _lives(explorer: Explorer, node: Node) -> bool:
    return explorer.alive(_all_taken(explorer, node))


def _sign(explorer: Explorer, way: Exit) -> tuple[object, ...]:
    touched = way.to.facts & explorer.masks.touchy
    return (way.at, way.edge.action, way.edge.ending, touched, way.to.at, way.to.tries, way.to.last)


def _odd(explorer: Explorer, pair: _Pair, exits: list[_Signed]) -> Odd | None:
    """Something that the one can do and the other cannot."""
    rich, poor = pair
    lacking = rich.spots - poor.spots
    for spot in sorted(poor.spots) if lacking else ():
        for edge in explorer.edges(spot, rich.facts, rich.tries, rich.last):
            if edge.to in lacking:
                return Odd(spot, edge.action, rich.facts, poor.facts)
    if lacking:
        return Odd(min(lacking), None, rich.facts, poor.facts)
    odd = next((way for sign, way in exits[0].items() if sign not in exits[1]), None)
    return Odd(odd.at, odd.edge.action, rich.facts, poor.facts) if odd else None


def _causes(explorer: Explorer, gives: list[tuple[int, int]], odd: Odd, between: int) -> int:
    """Facts on which the difference depends: what the action wants, and what that depends on in turn.

    Any facts in question would do; these make the question small.
    """
    differs = odd.rich & ~odd.poor
    causes = wanted(explorer.game, odd.at, odd.action) & differs if odd.action else 0
    before = 0
    while causes != before:
        before = causes
        for wants, adds in gives:
            if adds & causes:
                causes |= (wants | adds) & differs
    mask = causes & between
    if mask:
        return mask
    some = differs & between or dependence(explorer.game, *odd.at) & between or between
    return some & -some
