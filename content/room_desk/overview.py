"""The first page of a room: its picture, its proof, everything in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from content import history
from content.desk.routes import TONES
from content.escape_room.faults import RoomFault
from content.escape_room.proof import Report
from content.faults import Fault, Faulty
from content.making import drawing
from content.making.drawing import KINDS, Drawing, Row
from content.making.parts import LOCK_NAMES, TABLES
from content.models import STATE_NAMES, Revision, State
from content.room_desk.routes import blueprint, newest, place
from content.rooms import file
from core.http import reading as session_for_reading
from core.http import render
from core.i18n import current_locale
from institution import access


@dataclass(frozen=True)
class RoomPage:
    """A room with its proof; without one (`report` None) its text broke a rule that came later."""

    key: str
    revision: Revision
    state: str
    tone: str
    may_edit: bool
    report: Report | None = None
    drawing: Drawing | None = None
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    general: Sequence[RoomFault] = ()
    broken: Sequence[Fault] = ()
    refused: Sequence[str] = ()  # what was wrong with a file that was to come in
    tables: Mapping[str, str] = field(default_factory=lambda: TABLES)
    kinds: Mapping[str, str] = field(default_factory=lambda: KINDS)
    locks: Mapping[str, str] = field(default_factory=lambda: LOCK_NAMES)

    @property
    def lost(self) -> int:
        """How many parts no player gets to."""
        return sum(row.lost for rows in self.rows.values() for row in rows)


@blueprint.get("")
@access.requires("content.view", at=place, above=True)
def room(key: str) -> str:
    """The newest revision of a room."""
    return shown(key)


def shown(key: str, refused: Sequence[str] = ()) -> str:
    """The page, also with what was refused."""
    return render("content/desk_room.html", replace(_page(key), refused=refused))


def _page(key: str) -> RoomPage:
    revision, me = newest(key), access.signed_in()
    with session_for_reading() as session:
        outlet = history.get_piece(session, key).outlet_code
        may_edit = me.may_at(session, "content.edit", outlet)
    state = State(revision.state)
    told, lang = (STATE_NAMES[state], TONES[state], may_edit), current_locale()
    try:
        found, report = file.stored(revision.text), file.proved(revision.text)
    except Faulty as error:
        return RoomPage(key, revision, *told, broken=error.faults)
    return RoomPage(
        key,
        revision,
        *told,
        report=report,
        drawing=drawing.draw(found, report.faults, lang),
        rows=drawing.rows(found, report.faults, lang),
        general=drawing.by_part(report.faults).get(("", ""), ()),
    )
