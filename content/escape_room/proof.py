"""The proof of a room: explored before it is published, so that no player gets stuck and nothing is in vain.

How far the exploration may be made coarse without losing anything is told in `reduction`, `exploring` and `leaving`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from content.escape_room import coverage, leaving, telling, ways
from content.escape_room.compiling import compile_room
from content.escape_room.exploring import Explorer, Node, Point, TooMany
from content.escape_room.faults import RoomFault
from content.escape_room.format import Room
from content.escape_room.game import Bolt, Game
from content.escape_room.reduction import signs
from content.escape_room.rules import Action, start
from core.i18n import gettext as _
from core.i18n import mark

BOUND = 20_000


@dataclass(frozen=True)
class Walk:
    """A way from the start to an ending. `exact`: there is none shorter, or (the longest) none with more in it."""

    ending: str
    actions: tuple[Action, ...]
    steps: tuple[str, ...]
    exact: bool


@dataclass(frozen=True)
class Report:
    """What a proof found. `states`: coarse states looked at; `complete`: the bound was not met."""

    room: str
    faults: tuple[RoomFault, ...]
    states: int
    bound: int
    complete: bool
    shortest: Mapping[str, Walk] = field(default_factory=dict)
    longest: Walk | None = None

    @property
    def good(self) -> bool:
        """Whether the room may be published."""
        return not self.faults

    def as_json(self) -> dict[str, object]:
        """For programs and for the editor."""
        return {
            "room": self.room,
            "good": self.good,
            "states": self.states,
            "bound": self.bound,
            "complete": self.complete,
            "faults": [fault.as_json() for fault in self.faults],
            "shortest": {name: _walk_json(walk) for name, walk in self.shortest.items()},
            "longest": _walk_json(self.longest) if self.longest else None,
        }


def _walk_json(walk: Walk) -> dict[str, object]:
    return {
        "ending": walk.ending,
        "length": len(walk.actions),
        "steps": list(walk.steps),
        "exact": walk.exact,
    }


def prove(room: Room, bound: int = BOUND, *, file: str = "") -> Report:
    """Explore a room without faults of reading; looks at no more than `bound` coarse states."""
    game = compile_room(room)
    explorer = Explorer(game, bound)
    first = explorer.point(start(game))
    faults: list[RoomFault] = list(coverage.lacking(game))
    states = 0
    shortest: dict[str, Walk] = {}
    longest: Walk | None = None
    try:
        explorer.graph(first)
        covered = coverage.Covered(explorer, first)
        faults += [*coverage.unopened(covered), *coverage.unreached(covered)]
        shortest = {name: _walk(game, name, *found) for name, found in ways.shortest(explorer, first).items()}
        most = ways.longest(explorer, first)
        longest = _walk(game, *most, False) if most else None
        dead = _dead_ends(explorer, first)
        states = len(explorer)
        if not dead and any(bolt.needs for bolt in game.bolts):
            lucky = Explorer(_told_before(game), bound)
            dead = _dead_ends(lucky, first)
            states += len(lucky)
        faults += dead
        complete = True
    except TooMany:
        complete, states = False, max(states, len(explorer))
        faults.append(RoomFault("bound", words={"count": states}))
    named = {(one.kind, one.place, one.lock, one.path): one for one in faults}
    placed = tuple(_in_file(one, file) for one in named.values())
    return Report(room.key, placed, states, bound, complete, shortest, longest)


def _told_before(game: Game) -> Game:
    """The same for somebody who knows every answer from elsewhere, and may skip what leads to it."""
    bolts = tuple(bolt._replace(needs=0) for bolt in game.bolts)
    talks = tuple(front for front in game.fronts if not isinstance(front, Bolt))
    return game._replace(bolts=bolts, fronts=(*talks, *bolts))


def _in_file(fault: RoomFault, file: str) -> RoomFault:
    return RoomFault(**{**fault.__dict__, "file": file})


def _walk(game: Game, ending: str, actions: tuple[Action, ...], exact: bool) -> Walk:
    return Walk(ending, actions, telling.steps(game, actions), exact)


def _dead_ends(explorer: Explorer, first: Point) -> list[RoomFault]:
    found = list(leaving.dead_ends(explorer, first))
    return [_told(explorer, way) for way in ways.into(explorer, first, found)]


def _told(explorer: Explorer, way: ways.Way) -> RoomFault:
    game = explorer.game
    scene = game.places[min(way.node.spots)[0]].name
    lock, missing = _lacking(explorer, way.node)
    why = _(_WHY[bool(missing), bool(lock)]) % {"lock": lock, "missing": _("、").join(missing)}
    path = telling.steps(game, way.actions)
    return RoomFault(
        "dead_end",
        scene=scene,
        lock=lock,
        missing=missing,
        path=path,
        place=("scenes", scene),
        words={"why": why},
    )


_WHY = {
    (True, True): mark("，锁“%(lock)s”还缺“%(missing)s”"),
    (True, False): mark("，还缺“%(missing)s”"),
    (False, False): mark("，没有一步能再往前"),
    (False, True): "",
}


def _lacking(explorer: Explorer, node: Node) -> tuple[str, tuple[str, ...]]:
    """A lock that could be opened with what is lacking, and names of what is lacking; else what things ask for."""
    game, wanted = explorer.game, 0
    for at in sorted(node.spots):
        front = game.fronts[at[1]]
        if isinstance(front, Bolt) and (lacks := front.needs & ~node.facts):
            return front.name, _names(game, lacks)
        if front is None:
            spots, doors = game.places[at[0]].spots.values(), game.places[at[0]].ways.values()
            for test in (*(spot.when for spot in spots), *(way.when for way in doors)):
                wanted |= signs(test)[0] & ~node.facts
    return "", _names(game, wanted)


def _names(game: Game, mask: int) -> tuple[str, ...]:
    return tuple(name for (_fact, name), bit in game.bits.items() if mask >> bit & 1)
