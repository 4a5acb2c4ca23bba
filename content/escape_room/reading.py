"""Reads a room: the text of its file, or a folder `<key>/` with `room.yaml` and its pictures. All faults at once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from content import svg
from content.escape_room import references, yamls
from content.escape_room.faults import RULES, RoomFault, at
from content.escape_room.format import Room
from content.escape_room.outline import Place, parts
from content.escape_room.yamls import Lines
from content.faults import Faulty
from core.errors import Invalid
from core.i18n import gettext as _
from core.i18n import mark

FILE = "room.yaml"


@dataclass(frozen=True)
class Folder:
    """A room that was read and found well-formed, its pictures made harmless, and pictures nobody shows."""

    room: Room
    pictures: dict[str, bytes]
    unused: tuple[str, ...]


def read_text(text: str, file: str = FILE) -> tuple[Room | None, list[RoomFault]]:
    """The room of a text, or everything that is wrong with the text."""
    data, lines, wrong = yamls.load(text)
    if not wrong and not isinstance(data, dict):
        wrong = [RoomFault("mapping", line=1)]
    if wrong:
        return None, [_placed(fault, file, lines) for fault in wrong]
    return read_data(data, file, lines)


def read_data(
    data: dict[str, Any], file: str = FILE, lines: Lines | None = None
) -> tuple[Room | None, list[RoomFault]]:
    """The same for a room that is data already, as a form sends it."""
    try:
        room = Room.model_validate(data)
    except ValidationError as error:
        found = [_fault(detail, lines or {}) for detail in error.errors(include_url=False)]
        return None, [_placed(fault, file, lines or {}) for fault in found]
    faults = [_placed(fault, file, lines or {}) for fault in references.check(room)]
    return (None if faults else room), faults


def read_folder(path: Path) -> Folder:
    """A whole folder, or its `room.yaml`; Faulty names every fault of the file and of the pictures."""
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        raise Invalid(mark("没有这个文件：%(name)s"), name=str(file))
    try:
        room, faults = read_text(file.read_bytes().decode("utf-8-sig"), file.name)
    except UnicodeDecodeError:
        room, faults = None, [RoomFault("encoding", file.name)]
    pictures, wrong = _pictures(file.parent)
    faults += wrong
    if room is not None:
        faults += _fits(room, file, pictures)
    if faults or room is None:
        raise Faulty([fault.plain() for fault in faults])
    shown = set(_shown(room).values())
    kept = {name: data for name, data in pictures.items() if name in shown}
    return Folder(room, kept, tuple(sorted(pictures.keys() - shown)))


def _fits(room: Room, file: Path, pictures: dict[str, bytes]) -> list[RoomFault]:
    faults = [
        at(RoomFault("no_picture", file.name, words={"name": name}), place)
        for place, name in _shown(room).items()
        if name not in pictures and not (file.parent / name).exists()
    ]
    folder = file.resolve().parent.name
    if file.name == FILE and room.key != folder:
        faults.append(RoomFault("key", file.name, place=("key",), words={"name": folder}))
    return faults


def _shown(room: Room) -> dict[Place, str]:
    """Every picture by the place where it is shown."""
    pictures = ((place, getattr(part, "picture", None)) for place, part in parts(room))
    found = {(*place, "picture"): name for place, name in pictures if name}
    return {**found, ("cover",): room.cover} if room.cover else found


def _pictures(folder: Path) -> tuple[dict[str, bytes], list[RoomFault]]:
    pictures: dict[str, bytes] = {}
    faults = []
    for path in sorted(folder.glob("*.svg")):
        try:
            pictures[path.name], _width, _height = svg.clean(path.read_bytes())
        except Invalid as error:
            words = {"name": path.name, "why": str(error)}
            faults.append(RoomFault("bad_picture", path.name, words=words))
    return pictures, faults


def _placed(fault: RoomFault, file: str, lines: Lines) -> RoomFault:
    """With the file and the nearest line that is known."""
    place = fault.place
    while place and place not in lines:
        place = place[:-1]
    return RoomFault(**{**fault.__dict__, "file": file, "line": fault.line or lines.get(place, 0)})


def _fault(detail: Any, lines: Lines) -> RoomFault:
    """What pydantic found, in our words."""
    place = _field(tuple(detail["loc"]), lines)
    kind, context = str(detail["type"]), detail.get("ctx", {})
    ours = str(context.get("error", "")) if kind == "value_error" else _KINDS.get(kind, "other")
    if kind == "string_pattern_mismatch":
        ours = "picture_name" if "svg" in str(context.get("pattern")) else "name"
    most = context.get("max_length", context.get("le", context.get("lt", "")))
    least = context.get("min_length", context.get("ge", context.get("gt", "")))
    expected = str(context.get("expected", context.get("expected_tags", ""))).replace(" or ", ", ")
    words = {"most": most, "least": least, "expected": expected}
    return at(RoomFault(ours if ours in RULES else "other", words=words), place)


def _field(loc: Place, lines: Lines) -> Place:
    """The place without what pydantic adds: tags of unions, the number of the one that stands without its list."""
    place: Place = ()
    for number, part in enumerate(loc):
        last = number == len(loc) - 1
        if (*place, part) in lines or not lines or (last and isinstance(part, str) and part not in _TAGS):
            place = (*place, part)
    return place


_TAGS = ("choice", "choices", "code", "order", "match", "spot", "conversation", "[key]")
_KINDS = {
    "missing": "missing_field",
    "extra_forbidden": "unknown_field",
    "literal_error": "one_of",
    "enum": "one_of",
    "union_tag_invalid": "one_of",
    "union_tag_not_found": "missing_field",
    "string_type": "text",
    "string_too_short": "empty",
    "string_too_long": "long",
    "too_long": "long",
    "too_short": "few",
    "int_type": "number",
    "int_from_float": "number",
    "float_type": "number",
    "float_parsing": "number",
    "greater_than_equal": "small",
    "less_than_equal": "big",
    "bool_type": "yes_no",
    "model_type": "part",
    "model_attributes_type": "part",
    "dict_type": "part",
    "tuple_type": "list",
    "list_type": "list",
    "date_type": "date",
    "date_from_datetime_parsing": "date",
    "date_from_datetime_inexact": "date",
    "date_parsing": "date",
}


def summary(room: Room) -> str:
    """One line about a room: how much is in it."""
    counts = {
        "scenes": len(room.scenes),
        "items": len(room.items),
        "clues": len(room.clues),
        "locks": len(room.locks),
    }
    return _("%(scenes)s 个场景，%(items)s 件物品，%(clues)s 条线索，%(locks)s 把锁", **counts)
