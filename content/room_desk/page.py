"""The page of one part of a room: its form with what was typed, and all that the form offers to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from content.desk.form import PieceForm
from content.escape_room.faults import RoomFault
from content.escape_room.proof import Report
from content.faults import Faulty
from content.making import drawing
from content.making.document import Part
from content.making.labels import VALUES
from content.making.parts import ABOUT, LOCK_NAMES, TABLES
from content.making.tree import Field, Row
from content.media import Picture
from content.rooms import file
from core.i18n import current_locale
from core.i18n import gettext as _

Names = Mapping[str, Sequence[tuple[str, str]]]


@dataclass(frozen=True)
class PartPage:
    """A part in its form. `report` is the proof of what is saved; `others` are faults that stand elsewhere."""

    key: str
    room: str
    part: Part
    form: PieceForm
    fields: Sequence[Field]
    names: Names
    new: bool = False
    kind: str = ""
    may_edit: bool = True
    report: Report | None = None
    others: Sequence[str] = ()
    wrong: bool = False
    name_fault: str = ""
    opened: str = ""  # a row that was just added

    @property
    def title(self) -> str:
        """What the part is called."""
        if self.part.table == ABOUT:
            return _("标题、简介、开头、计时")
        if self.new:
            kind = f"（{_(LOCK_NAMES[self.kind])}）" if self.kind else ""
            return _("新的%(what)s", what=_(TABLES[self.part.table])) + kind
        named = dict(self.names.get(self.part.table, ()))
        return f"{_(TABLES[self.part.table]).capitalize()} · {named.get(self.part.name) or self.part.name}"

    @property
    def own(self) -> Sequence[RoomFault]:
        """What the proof says of this part."""
        where = (self.part.table, self.part.name)
        return drawing.by_part(self.report.faults).get(where, ()) if self.report else ()

    @property
    def pictures(self) -> Sequence[str]:
        """The pictures of the room, by the names that its file uses."""
        return sorted(name.removeprefix("media/") for name in self.form.pictures if name.endswith(".svg"))

    def picture(self, name: str) -> Picture | None:
        """A picture of the room."""
        return self.form.pictures.get(f"media/{name}") if name else None

    @property
    def stage(self) -> Picture | None:
        """The picture on which the hotspots and doors of a scene are drawn."""
        if self.part.table != "scenes":
            return None
        return next((self.picture(one.value) for one in self.fields if one.spec.key == "picture"), None)

    @property
    def spots(self) -> Sequence[tuple[str, Row]]:
        """The rows that may stand on the picture, each with the name of its list."""
        found = (one for one in self.fields if one.spec.key in ("hotspots", "doors"))
        return [(one.spec.key, row) for one in found for row in one.rows]

    def choices(self, one: Field) -> Sequence[tuple[str, str]]:
        """What a field that names another part may name; what it names now is always among it."""
        known = self.names.get(one.spec.table, ()) if one.spec.table != "lines" else self._lines()
        now = [one.value, *one.chosen]
        return [*known, *((name, name) for name in now if name and name not in dict(known))]

    def _lines(self) -> Sequence[tuple[str, str]]:
        own = (row for one in self.fields if one.spec.key == "lines" for row in one.rows)
        return [(row.name, _short(words(row, "says")) or row.name) for row in own if row.name]

    def value_name(self, value: str) -> str:
        """A single value in words."""
        return _(VALUES[value]) if value in VALUES else value


def box_of(row: Row) -> list[str]:
    """The four numbers of a row as they were typed, empty where none is."""
    box = next((one for one in row.fields if one.spec.kind == "box"), None)
    return [one.value for one in box.fields] if box else []


def words(row: Row, *keys: str) -> str:
    """The first of these texts of a row."""
    found = next((one for one in row.fields if one.spec.key in keys and one.value), None)
    if found is None:
        return ""
    return found.en if current_locale() == "en" and found.en else found.value


def row_title(row: Row) -> str:
    """What a row is called while it is closed."""
    return _short(words(row, "label", "text", "says", "ask", "left", "like", "title", "name"))


def names(data: Mapping[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Every name of the room with what it is called, by list: also of one that breaks rules."""
    found = {}
    for table in TABLES:
        listed = data.get(table)
        entries = listed.items() if isinstance(listed, dict) else ()
        found[table] = [(name, _called(one) or _by(data, one)) for name, one in entries]
    return found


def _called(one: Any) -> str:
    for key in ("title", "name", "text"):
        said = one.get(key) if isinstance(one, dict) else None
        said = (said.get(current_locale()) or said.get("zh")) if isinstance(said, dict) else said
        if isinstance(said, str):
            return _short(said)
    return ""


def _by(data: Mapping[str, Any], one: Any) -> str:
    """A dialogue is called by whom it is with."""
    people = data.get("characters")
    person = people.get(one.get("by")) if isinstance(people, dict) and isinstance(one, dict) else None
    return _called(person)


def _short(said: str) -> str:
    said = " ".join(said.split())
    most = 24 if any(ord(sign) > 0x2E7F for sign in said) else 48
    return said if len(said) <= most else said[: most - 1] + "…"


def proof_of(text: str) -> Report | None:
    """The proof of a text; None when it is no room (any more)."""
    try:
        return file.proved(text)
    except Faulty:
        return None
