"""One part of a room's file as a form: read out of the text, changed by what was sent, put back, faults at fields."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from content.escape_room import reading, yamls
from content.escape_room.faults import RoomFault
from content.escape_room.format import Room
from content.escape_room.outline import Place
from content.making import tree
from content.making.merging import merged
from content.making.parts import ABOUT, LOCKS, ONE, TABLES
from content.making.splicing import at, spliced
from content.making.tree import Field, Values
from core.errors import NotFound
from core.i18n import mark


@dataclass(frozen=True)
class Part:
    """Which part: an entry of a list, or the room itself (`table` about, `place` the top of the file)."""

    table: str
    name: str
    model: type[BaseModel]

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return () if self.table == ABOUT else (self.table, self.name)


def data_of(text: str) -> dict[str, Any]:
    """What a text says; {} when it says nothing that can be read."""
    data, _lines, wrong = yamls.load(text)
    return data if isinstance(data, dict) and not wrong else {}


def part(data: dict[str, Any], table: str, name: str) -> Part:
    """A part that is there; NotFound otherwise."""
    if table == ABOUT:
        return Part(table, name, Room)
    found = at(data, (table, name)) if table in TABLES else None
    if not isinstance(found, dict):
        raise NotFound(mark("这个密室里没有它。"))
    return new_part(table, name, str(found.get("kind", "")))


def new_part(table: str, name: str, kind: str = "") -> Part:
    """A part that is to be; NotFound when there is no such list, or no such kind of lock."""
    model = LOCKS.get(kind) if table == "locks" else ONE.get(table)
    if model is None:
        raise NotFound(mark("这个密室里没有它。"))
    return Part(table, name, model)


def values(data: dict[str, Any], mine: Part) -> Values:
    """The values of the form of a part."""
    return tree.flatten(mine.model, at(data, mine.place))


def put(text: str, mine: Part, fields: Sequence[Field]) -> str:
    """The text with what the form says of a part; notes at fields what cannot be said."""
    data = data_of(text)
    old, after = at(data, mine.place), tree.read(fields)
    before = tree.read(tree.build(mine.model, values(data, mine), mine.place))
    new = merged(old, before, after) if isinstance(old, dict) else after
    return spliced(text, _with(data, mine, new))


def without(text: str, mine: Part) -> str:
    """The text without a part."""
    data = data_of(text)
    rest = {name: one for name, one in data[mine.table].items() if name != mine.name}
    return spliced(text, {**data, mine.table: rest})


def _with(data: dict[str, Any], mine: Part, new: dict[str, Any]) -> dict[str, Any]:
    if mine.table == ABOUT:
        return new
    listed = data.get(mine.table)
    entries = {**listed, mine.name: new} if isinstance(listed, dict) else {mine.name: new}
    return {**data, mine.table: entries}


def faults(text: str) -> list[RoomFault]:
    """Everything that reading finds wrong with a text."""
    return reading.read_text(text)[1]


def mark_faults(fields: Sequence[Field], mine: Part, found: Sequence[RoomFault]) -> list[RoomFault]:
    """Note each fault at the field that it is about; what belongs to none of them is given back."""
    return [fault for fault in found if not _noted(fields, mine, fault)]


def _noted(fields: Sequence[Field], mine: Part, fault: RoomFault) -> bool:
    if fault.place[: len(mine.place)] != mine.place:
        return False
    best: Any = None
    for one in (inner for each in fields for inner in each.all()):
        targets: list[tuple[Place, Any]] = [(one.place, one)]
        keys = [row.name if one.spec.kind == "named" else number for number, row in enumerate(one.rows)]
        targets += [((*one.place, key), row) for key, row in zip(keys, one.rows, strict=True)]
        for place, target in targets:
            longer = best is None or len(place) > len(best[0])
            if fault.place[: len(place)] == place and longer:
                best = (place, target)
    if best is not None:
        best[1].faults.append(fault.rule)
    return best is not None
