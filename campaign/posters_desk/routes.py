"""The blueprint of the desk of posters, the lines of its table, and where an order belongs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint
from sqlmodel import Session, col, select

from campaign.base import archives
from campaign.base.models import DONE, FAILED, POSTERS, PlaqueArchive
from content.models import Revision
from core.i18n import gettext as _
from institution import places

EDIT = "link.edit"
blueprint = Blueprint("posters_desk", __name__, url_prefix="/desk/posters", template_folder="../templates")
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One order: its row, whose outlets, which piece, its state in a word with a tone."""

    one: PlaqueArchive
    place: str
    title: str
    state: str
    tone: str
    fault: str

    @property
    def share(self) -> float:
        """How much is made, 0 to 1."""
        return self.one.made / self.one.total if self.one.total else 1.0

    @property
    def mib(self) -> str:
        """The size of the file."""
        return f"{self.one.bytes / _MIB:.1f} MB"

    @property
    def done(self) -> bool:
        """Whether it can be downloaded."""
        return self.one.state == DONE

    @property
    def failed(self) -> bool:
        """Whether it may be tried again."""
        return self.one.state == FAILED


def of_order(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the order that `<number>` names, or NotFound."""
    return archives.get(session, arguments["number"], POSTERS).outlet_code


def lines(session: Session, found: Sequence[PlaqueArchive]) -> list[Line]:
    """Orders as the pages show them."""
    names = places.names(session, {one.outlet_code for one in found})
    keys = {(one.piece_key, one.revision) for one in found}
    query = select(Revision).where(col(Revision.piece_key).in_({key for key, _number in keys}))
    titles = {(one.piece_key, one.number): one.title for one in session.exec(query)}
    made = []
    for one in found:
        word, tone = archives.STATES[one.state]
        title = titles.get((one.piece_key, one.revision), one.piece_key)
        made.append(
            Line(one, names[one.outlet_code], title, _(word), tone, _(one.fault) if one.fault else "")
        )
    return made
