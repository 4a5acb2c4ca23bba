"""The calendar of a month: a grid of weeks with what is held each day, in a city outlet by outlet."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, case
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from campaign.events import days, listing
from campaign.events.listing import Line
from campaign.events.models import ONLINE, OPEN, EventSeries, Occurrence
from institution import outlets
from institution.models import Outlet

IN_A_DAY, MOST = 4, 3_000
_EARLIEST, _LATEST = date(2020, 1, 1), date(2099, 12, 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a day: a series with how many outlets hold it, or one occurrence."""

    title: str
    topic: str
    url: str
    starts_at: Any
    held: int
    off: bool
    online: bool
    outlet: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the grid."""

    day: date
    inside: bool
    entries: Sequence[Entry]
    more: int
    holiday: str
    works: bool


@dataclass(frozen=True, slots=True)
class Month:
    """The calendar page. `lines` are all of the chosen `day`, if one is chosen."""

    first: date
    weeks: Sequence[Sequence[Day]]
    before: str
    after: str
    provinces: Sequence[str]
    cities: Sequence[str]
    province: str
    city: str
    chosen: date | None
    lines: Sequence[Line]
    today: date

    @property
    def name(self) -> str:
        """The month as an address says it: 2026-12."""
        return f"{self.first:%Y-%m}"

    @property
    def busy(self) -> list[Day]:
        """The days on which something is held: what a phone lists."""
        return [one for week in self.weeks for one in week if one.inside and (one.entries or one.holiday)]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is held in the month."""
        return not any(one.entries for week in self.weeks for one in week if one.inside)


def first_of(text: str, today: date) -> date:
    """The first of the month that an address names (2026-12), this month where it names none."""
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return today.replace(day=1)
    return min(max(found, _EARLIEST), _LATEST)


def next_month(first: date, by: int = 1) -> date:
    """The first of the month `by` months later."""
    number = first.year * 12 + first.month - 1 + by
    return date(number // 12, number % 12 + 1, 1)


def last_of(first: date) -> date:
    """The last day of a month."""
    return next_month(first) - timedelta(days=1)


def page(
    session: Session,
    first: date,
    today: date,
    *,
    country: str,
    province: str = "",
    city: str = "",
    day: str = "",
) -> Month:
    """The calendar of a month in a city, a province or everywhere. A city alone finds its province."""
    province = province or _province_of(session, city)
    provinces = outlets.province_names(session)
    province = province if province in provinces else ""
    cities = outlets.city_names(session, province) if province else []
    city = city if city in cities else ""
    place = listing.in_city(province, city)
    if place:
        place = [place[0] | (col(Occurrence.outlet_code) == "")]
    grid = calendar.Calendar().monthdatescalendar(first.year, first.month)
    span = [col(Occurrence.day) >= grid[0][0], col(Occurrence.day) <= grid[-1][-1], *place]
    found = _single(session, span) if city else _summed(session, span)
    chosen = _day(day, first)
    mine = [col(Occurrence.day) == chosen, *place]
    return Month(
        first,
        [[_cell(one, first, found, country) for one in week] for week in grid],
        f"{next_month(first, -1):%Y-%m}",
        f"{next_month(first):%Y-%m}",
        provinces,
        cities,
        province,
        city,
        chosen,
        listing.lines(session, *mine, most=200) if chosen else [],
        today,
    )


def _province_of(session: Session, city: str) -> str:
    if not city:
        return ""
    return session.exec(select(Outlet.province).where(Outlet.city == city).limit(1)).first() or ""


def _day(text: str, first: date) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if found.replace(day=1) == first else None


def _cell(day: date, first: date, found: Mapping[date, list[Entry]], country: str) -> Day:
    entries = found.get(day, [])
    inside = day.month == first.month
    return Day(
        day,
        inside,
        entries[:IN_A_DAY],
        max(0, len(entries) - IN_A_DAY),
        days.holiday(country, day) if inside else "",
        bool(days.working_weekends(country, day, day)),
    )


def _summed(session: Session, span: Sequence[ColumnElement[bool]]) -> dict[date, list[Entry]]:
    """By day and series: how many outlets hold it."""
    held = func.sum(case((col(Occurrence.state) == OPEN, 1), else_=0))
    query = (
        columns(
            col(Occurrence.day), EventSeries, func.min(col(Occurrence.starts_at)), func.max(col(Occurrence.topic)),
            func.max(col(Occurrence.topic_en)), held,
        )
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .where(col(EventSeries.visible), *span)
        .group_by(col(Occurrence.day), col(EventSeries.id))
        .order_by(func.min(col(Occurrence.starts_at)), col(EventSeries.id))
    )  # fmt: skip
    found: dict[date, list[Entry]] = {}
    for row in session.execute(query):
        found.setdefault(row[0], []).append(_entry(row))
    return found


def _entry(row: Row[Any]) -> Entry:
    _day, series, starts_at, topic, topic_en, held = tuple(row)
    texts = Occurrence(topic=topic, topic_en=topic_en)  # type: ignore[call-arg]
    return Entry(
        series.shown("name"),
        texts.shown("topic"),
        series.url,
        starts_at,
        int(held),
        not held,
        series.form == ONLINE,
    )


def _single(session: Session, span: Sequence[ColumnElement[bool]]) -> dict[date, list[Entry]]:
    """By day: every occurrence; what is spoken of is said once where outlets follow each other with the same."""
    found: dict[date, list[Entry]] = {}
    said: dict[date, str] = {}
    for one in listing.lines(session, *span, most=MOST):
        topic = "" if said.get(one.day) == one.topic else one.topic
        said[one.day] = one.topic
        made = Entry(one.series, topic, one.url, one.starts_at, 1, one.off, one.online, one.outlet)
        found.setdefault(one.day, []).append(made)
    return found
