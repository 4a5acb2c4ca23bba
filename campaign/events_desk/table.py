"""The table of occurrences at the desk: how full, how many came; narrowed, sorted, exported."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.events import load, month
from campaign.events.models import CALLED_OFF, ONLINE, STATE_NAMES, EventSeries, Occurrence
from campaign.events_desk.routes import (
    blueprint,
    node,
    seen_occurrences,
    seen_series,
    today,
    trail,
    zone,
)
from campaign.registration.models import WAITING, RegisteredPerson, Registration
from core.http import asked_export, attachment, page_number, reading, render
from core.i18n import gettext as _
from core.i18n import mark
from institution import desk_table
from institution.access import requires
from institution.desk_table import Column, Listing, View

_WAITING = (
    select(func.coalesce(func.sum(Registration.size), 0))
    .where(Registration.occurrence_id == Occurrence.id, Registration.state == WAITING)
    .correlate(Occurrence)
    .scalar_subquery()
)
_CAME = (
    select(func.count(col(RegisteredPerson.id)))
    .join(Registration, col(Registration.id) == RegisteredPerson.registration_id)
    .where(Registration.occurrence_id == Occurrence.id, col(RegisteredPerson.arrived_at).is_not(None))
    .correlate(Occurrence)
    .scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class Row:
    """An occurrence in the table."""

    one: Occurrence
    series: str
    online: bool
    place: str
    waiting: int
    came: int

    @property
    def fullness(self) -> float | None:
        """The taken part of its seats."""
        return self.one.taken / self.one.capacity if self.one.capacity else None

    @property
    def status(self) -> tuple[str, str]:
        """Its state in a word, and the tone."""
        if self.one.state == CALLED_OFF:
            return _(STATE_NAMES[CALLED_OFF]), "bad"
        return (_("已满"), "info") if self.one.free <= 0 else (_(STATE_NAMES[self.one.state]), "good")


COLUMNS: tuple[Column[Row], ...] = (
    Column("starts_at", mark("时间"), lambda row: row.one.starts_at, sort=Occurrence.starts_at),
    Column("series", mark("系列"), lambda row: row.series),
    Column("topic", mark("主题"), lambda row: row.one.topic, sort=Occurrence.topic),
    Column("place", mark("网点"), lambda row: row.place, sort=Occurrence.outlet_code),
    Column("outlet_code", mark("编号"), lambda row: row.one.outlet_code, shown=False),
    Column(
        "capacity",
        mark("名额"),
        lambda row: row.one.capacity,
        sort=Occurrence.capacity,
        numeric=True,
        shown=False,
    ),
    Column("taken", mark("已报"), lambda row: row.one.taken, sort=Occurrence.taken, numeric=True),
    Column("waiting", mark("候补"), lambda row: row.waiting, sort=_WAITING, numeric=True),
    Column("came", mark("到场"), lambda row: row.came, sort=_CAME, numeric=True),
    Column("state", mark("状态"), lambda row: row.status[0], sort=Occurrence.state),
    Column("reason", mark("原因"), lambda row: row.one.reason, shown=False),
)


@dataclass(frozen=True, slots=True)
class TablePage:
    """The occurrences that fit the filter in the address."""

    listing: Listing[Row]
    view: View[Row]
    first: date
    before: str
    after: str
    node: str
    trail: Sequence[tuple[str, str]]
    series: str
    series_options: Sequence[tuple[str, str]]
    state: str
    left: int

    @property
    def name(self) -> str:
        """The month as an address says it."""
        return f"{self.first:%Y-%m}"

    @property
    def state_options(self) -> list[tuple[str, str]]:
        """States to choose from."""
        return [
            ("", _("全部")),
            ("open", _("照常")),
            ("called_off", _("已取消")),
            ("full", _("已满")),
            ("free", _("还有空位")),
        ]


@blueprint.get("/occurrences")
@requires("event.view")
def occurrences() -> ResponseReturnValue:
    """Occurrences of a month, or those that did not follow a change of their series."""
    asked = request.args
    first = month.first_of(asked.get("month", "").strip()[:7], today())
    code, state, left = (
        asked.get("series", "")[:60],
        asked.get("state", "")[:12],
        _numbers(asked.get("left", "")),
    )
    view: View[Any] = desk_table.view(COLUMNS, asked, first="starts_at")
    with reading() as session:
        at = node(session, "event.view")
        query = _query(session, at, code=code, state=state, left=left, first=first)
        if form := asked_export():
            rows = _rows(session, desk_table.everything(session, query, view, ties=(Occurrence.id,)))
            return attachment(
                desk_table.export(view, rows, form, zone()), f"occurrences-{first:%Y-%m}.{form}"
            )
        found = desk_table.listing(session, query, view, page_number(), ties=(Occurrence.id,))
        page = TablePage(
            Listing(_rows(session, found.rows), found.total, found.page, found.pages), view, first,
            f"{month.next_month(first, -1):%Y-%m}", f"{month.next_month(first):%Y-%m}", at,
            trail(session, at, "event.view"), code,
            [("", _("全部系列")), *load.series_seen(session, seen_series())], state, len(left),
        )  # fmt: skip
    return render("campaign/event_desk_table.html", page)


def _query(
    session: Session, at: str, *, code: str, state: str, left: Sequence[int], first: date
) -> SelectOfScalar[Occurrence]:
    where: list[ColumnElement[bool]] = [seen_occurrences()]
    if at:
        where.append(col(Occurrence.outlet_code).in_(load.inside(session, at)))
    if code:
        where.append(col(Occurrence.series_id).in_(select(EventSeries.id).where(EventSeries.code == code)))
    if left:
        where.append(col(Occurrence.id).in_(left))
    else:
        where += [col(Occurrence.day) >= first, col(Occurrence.day) <= month.last_of(first)]
    full = col(Occurrence.taken) >= col(Occurrence.capacity)
    if state in STATE_NAMES:
        where.append(col(Occurrence.state) == state)
    elif state in ("full", "free"):
        where.append(full if state == "full" else ~full)
    return select(Occurrence).where(*where)


def _rows(session: Session, found: Sequence[Occurrence]) -> list[Row]:
    numbers = [one.id or 0 for one in found]
    series = {one.id: one for one in session.exec(select(EventSeries))}
    names = load.where(session, found)
    figures: dict[int, tuple[int, int]] = {}
    for start in range(0, len(numbers), 500):
        query = select(Occurrence.id, _WAITING, _CAME).where(
            col(Occurrence.id).in_(numbers[start : start + 500])
        )
        figures |= {number or 0: (int(waiting), came) for number, waiting, came in session.exec(query)}
    return [
        Row(
            one,
            series[one.series_id].shown("name"),
            series[one.series_id].form == ONLINE,
            names[one.outlet_code],
            *figures[one.id or 0],
        )
        for one in found
    ]


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")[:100] if one.isdecimal() and len(one) < 10]
