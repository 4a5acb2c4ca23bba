"""What falls due in published pieces: the day of review, and figures and sources whose day of truth ends."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date as Day
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from content.check import source
from content.check.figures import until_of
from content.models import Piece, Revision, State
from core.i18n import mark

REVIEW, FIGURE, SOURCE = "review", "figure", "source"
DUE_NAMES = {
    REVIEW: mark("到期复核"),
    FIGURE: mark("数字到期"),
    SOURCE: mark("来源到期"),
}


@dataclass(frozen=True, slots=True)
class Due:
    """One thing that has to be looked at again by a day; `line` 0 where it stands in the front matter."""

    on: Day
    kind: str
    key: str
    title: str
    what: str
    line: int
    outlet_code: str

    def is_over(self, today: Day) -> bool:
        """Whether the day has passed."""
        return self.on < today

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"on": self.on.isoformat()}


def due(session: Session, today: Day, days: int, *where: ColumnElement[bool]) -> list[Due]:
    """What of the published pieces (for which conditions on `Piece` hold) is due within so many days, soonest first."""
    query = (
        select(Revision, Piece)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == State.published.value, *where)
    )
    found = [
        one for revision, piece in session.exec(query) for one in of_revision(revision, piece.outlet_code)
    ]
    last = today + timedelta(days=days)
    return sorted(
        (one for one in found if one.on <= last), key=lambda one: (one.on, one.key, one.line, one.what)
    )


def stale(revision: Revision, today: Day) -> tuple[Due, ...]:
    """The figures and sources of a revision whose day of truth is over: a page that shows them says so."""
    return tuple(one for one in of_revision(revision) if one.kind != REVIEW and one.is_over(today))


def of_revision(revision: Revision, outlet_code: str = "") -> Iterator[Due]:
    """Every day that a revision names, whenever it is."""

    def one(day: Day, kind: str, what: str, line: int = 0) -> Due:
        return Due(day, kind, revision.piece_key, revision.title, what, line, outlet_code)

    if revision.meta.get("review_by"):
        yield one(Day.fromisoformat(str(revision.meta["review_by"])), REVIEW, revision.title)
    for given in revision.meta.get("sources") or ():
        if given.get("until"):
            yield one(Day.fromisoformat(str(given["until"])), SOURCE, str(given["title"]))
    read = source.read("", revision.text)
    for block in read.blocks:
        day = until_of(block) if block.name == "figure" else None
        if day is not None:
            what = block.argument + block.options.get("unit", "")
            yield one(day, FIGURE, what, read.line_of(block.offset)[0])
