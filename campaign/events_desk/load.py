"""Calendar and load at the desk: a month day by day, and below a node child by child."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import request
from flask.typing import ResponseReturnValue

from campaign.events import days, load, month, series
from campaign.events.load import DayLoad, Load
from campaign.events_desk.routes import blueprint, country, node, seen_series, today, trail
from core.http import asked_export, attachment, reading, render
from core.i18n import gettext as _
from core.i18n import mark
from institution import desk_table
from institution.access import requires
from institution.desk_table import Column, View

COLUMNS: tuple[Column[Load], ...] = (
    Column("name", mark("机构"), lambda one: one.name or _("线上"), sort=lambda one: one.code),
    Column("code", mark("编号"), lambda one: one.code, shown=False),
    Column(
        "occurrences",
        mark("场次"),
        lambda one: one.occurrences,
        sort=lambda one: one.occurrences,
        numeric=True,
    ),
    Column("off", mark("已取消"), lambda one: one.off, sort=lambda one: one.off, numeric=True),
    Column("seats", mark("名额"), lambda one: one.seats, sort=lambda one: one.seats, numeric=True),
    Column("taken", mark("已报"), lambda one: one.taken, sort=lambda one: one.taken, numeric=True),
    Column("fullness", mark("报满"), lambda one: one.fullness, sort=lambda one: one.fullness, numeric=True),
    Column("waiting", mark("候补"), lambda one: one.waiting, sort=lambda one: one.waiting, numeric=True),
    Column("came", mark("到场"), lambda one: one.came, sort=lambda one: one.came, numeric=True),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """A day of the calendar; `level` 0 to 5 says how full it is."""

    day: date
    inside: bool
    load: DayLoad | None
    level: int
    holiday: str
    works: bool


@dataclass(frozen=True, slots=True)
class LoadPage:
    """A month below a node."""

    first: date
    before: str
    after: str
    node: str
    trail: Sequence[tuple[str, str]]
    weeks: Sequence[Sequence[Cell]]
    view: View[Load]
    rows: Sequence[Load]
    total: Load
    series: str
    series_options: Sequence[tuple[str, str]]
    today: date

    @property
    def name(self) -> str:
        """The month as an address says it."""
        return f"{self.first:%Y-%m}"


@blueprint.get("/load")
@requires("event.view")
def load_page() -> ResponseReturnValue:
    """How much is planned and taken: calendar, and the children of a node to step down into."""
    first = month.first_of(request.args.get("month", "").strip()[:7], today())
    last = month.last_of(first)
    code = request.args.get("series", "").strip()[:60]
    with reading() as session:
        at = node(session, "event.view")
        choices = load.series_seen(session, seen_series())
        chosen = series.find(session, code) if code in dict(choices) else None
        number = chosen.id if chosen else None
        rows = load.by_child(session, at, first, last, series_id=number)
        by_day = load.by_day(session, at, first, last, series_id=number)
        steps = trail(session, at, "event.view")
    view = desk_table.view(COLUMNS, request.args, first="name")
    arranged = view.arranged(rows)
    if form := asked_export():
        return attachment(desk_table.export(view, arranged, form), f"events-{first:%Y-%m}.{form}")
    page = LoadPage(
        first, f"{month.next_month(first, -1):%Y-%m}", f"{month.next_month(first):%Y-%m}", at, steps,
        _weeks(first, by_day), view, arranged, load.summed(rows, _("合计")), code if chosen else "",
        [("", _("全部系列")), *choices], today(),
    )  # fmt: skip
    return render("campaign/event_desk_load.html", page)


def _weeks(first: date, by_day: dict[date, DayLoad]) -> list[list[Cell]]:
    grid = calendar.Calendar().monthdatescalendar(first.year, first.month)
    return [[_cell(day, first, by_day.get(day)) for day in week] for week in grid]


def _cell(day: date, first: date, found: DayLoad | None) -> Cell:
    inside = day.month == first.month
    level = 0
    if found is not None and found.seats:
        level = min(5, 1 + int(4 * found.taken / found.seats))
    return Cell(
        day,
        inside,
        found if inside else None,
        level,
        days.holiday(country(), day) if inside else "",
        inside and bool(days.working_weekends(country(), day, day)),
    )
