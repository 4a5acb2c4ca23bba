"""A room as a picture: its graph laid out, with what the proof says of each part."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from content.escape_room.faults import RoomFault
from content.escape_room.format import Room
from content.escape_room.graph import graph
from content.making.layout import HEIGHT, WIDTH, Spot, layout
from content.making.parts import TABLES, title
from core.i18n import gettext as _
from core.i18n import mark

KINDS = {
    "scene": mark("场景"),
    "dialogue": mark("对话"),
    "lock": mark("锁"),
    "ending": mark("结局"),
}
_TABLE_OF = {"scene": "scenes", "dialogue": "dialogues", "lock": "locks", "ending": "endings"}
_PER_LINE, _LINES = 9, 2


@dataclass(frozen=True)
class Node:
    """A box: `lines` are its title broken to fit, `faults` how many the proof found in it, `lost` unreachable."""

    kind: str
    table: str
    name: str
    title: str
    lines: Sequence[str]
    start: bool
    spot: Spot
    faults: int
    lost: bool

    @property
    def label(self) -> str:
        """What a screen reader says of it."""
        more = [_("开头")] if self.start else []
        more += [_("走不到")] if self.lost else []
        more += [_("%(count)s 处要改", count=self.faults)] if self.faults else []
        return _("、").join([f"{_(KINDS[self.kind])} {self.title}", *more])


@dataclass(frozen=True)
class Drawing:
    """Boxes and lines (path, kind) in a picture of this size."""

    width: float
    height: float
    nodes: Sequence[Node]
    lines: Sequence[tuple[str, str]]
    box: tuple[int, int] = (WIDTH, HEIGHT)


@dataclass(frozen=True)
class Row:
    """A part of the room in the list beneath the picture, with every fault that belongs to it."""

    table: str
    name: str
    title: str
    lost: bool
    faults: Sequence[RoomFault]
    leads: Sequence[str]


def draw(room: Room, faults: Sequence[RoomFault], lang: str) -> Drawing:
    """The picture of a room in a language."""
    made = graph(room, lang)
    edges = [(edge["source"], edge["target"]) for edge in made["edges"]]
    placed = layout([node["id"] for node in made["nodes"]], edges, f"scene:{room.start}")
    owned, lost = by_part(faults), unreached(faults)
    nodes = []
    for node in made["nodes"]:
        kind, name, spot = node["kind"], node["name"], placed.spots[node["id"]]
        part = (_TABLE_OF[kind], name)
        found = len(owned.get(part, ()))
        lines, away = _broken(node["title"]), not spot.reached or part in lost
        nodes.append(Node(kind, part[0], name, node["title"], lines, node["start"], spot, found, away))
    drawn = dict.fromkeys(zip(placed.paths, (edge["kind"] for edge in made["edges"]), strict=True))
    return Drawing(placed.width, placed.height, nodes, [line for line in drawn if line[0]])


def rows(room: Room, faults: Sequence[RoomFault], lang: str) -> Mapping[str, Sequence[Row]]:
    """Every part of the room by its table, as the list says it."""
    owned, lost = by_part(faults), unreached(faults)
    made = graph(room, lang)
    titles = {node["id"]: node["title"] for node in made["nodes"]}
    leads: dict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for edge in made["edges"]:
        kind, _colon, name = edge["source"].partition(":")
        leads[_TABLE_OF[kind], name][titles.get(edge["target"], edge["target"])] = None
    return {
        table: [
            Row(
                table,
                name,
                title(room, table, name, lang),
                (table, name) in lost,
                owned.get((table, name), ()),
                list(leads[table, name]),
            )
            for name in getattr(room, table)
        ]
        for table in TABLES
    }


def by_part(faults: Sequence[RoomFault]) -> dict[tuple[str, str], list[RoomFault]]:
    """The faults of each part (table, name); what belongs to none stands under ("", "")."""
    found: dict[tuple[str, str], list[RoomFault]] = defaultdict(list)
    for fault in faults:
        found[_owner(fault)].append(fault)
    return found


def _owner(fault: RoomFault) -> tuple[str, str]:
    if len(fault.place) > 1 and fault.place[0] in TABLES:
        return str(fault.place[0]), str(fault.place[1])
    if fault.lock:
        return "locks", fault.lock
    return ("scenes", fault.scene) if fault.scene else ("", "")


_WHOLE = (
    "unreached_scene",
    "unreached_dialogue",
    "unreached_lock",
    "unreached_item",
    "unreached_clue",
    "ending",
)


def unreached(faults: Sequence[RoomFault]) -> set[tuple[str, str]]:
    """The parts that no player gets to."""
    return {_owner(fault) for fault in faults if fault.kind in _WHOLE}


def _broken(text: str) -> list[str]:
    """A title in two lines at most; a Latin letter takes half of what a Chinese one takes."""
    lines, width = [""], 0.0
    for sign in _pieces(text):
        size = sum(1 if ord(letter) > 0x2E7F else 0.55 for letter in sign)
        if width + size > _PER_LINE and lines[-1]:
            if len(lines) == _LINES:
                return [*lines[:-1], lines[-1].rstrip() + "…"]
            lines.append("")
            width = 0
        lines[-1] += sign if lines[-1] else sign.lstrip()
        width += size
    return lines


def _pieces(text: str) -> Iterator[str]:
    """Single Chinese letters, whole Latin words, cut where they are longer than a line."""
    word = ""
    for letter in text:
        if ord(letter) > 0x2E7F or len(word) >= 2 * _PER_LINE - 4:
            if word:
                yield word
            word = ""
        if ord(letter) > 0x2E7F:
            yield letter
        else:
            word += letter
            if letter == " ":
                yield word
                word = ""
    if word:
        yield word
