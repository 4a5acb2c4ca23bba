"""A month of occurrences for many outlets from one series: what is missing, and making it in one transaction.

An outlet's day of a series is covered by whatever occurrence was first meant for that day, wherever it was moved
since, resized or called off: planning again makes nothing twice and touches nothing that is there. Whoever plans
holds the series' row, so that two who plan the same month plan one after the other; the unique key of series,
outlet and beginning stands behind that.
"""

import secrets
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from typing import Any, NamedTuple, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, exists, func, insert, literal
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from campaign.events import days
from campaign.events.days import PlannedDay
from campaign.events.models import ONLINE, EventDate, EventSeries, Occurrence, OptionSeats
from content import pages
from core.clock import day_of
from core.errors import NotFound
from core.i18n import gettext, mark
from institution import audit
from institution.models import Outlet

audit.declare({"event.plan": mark("排定场次")})

ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"  # nothing that is mistaken for another when read aloud
_CODE, _BATCH, _ASKED = 10, 2_000, 500
_TABLE = cast(Table, Occurrence.__table__)  # type: ignore[attr-defined]


class Times(NamedTuple):
    """The moments (UTC) of an occurrence."""

    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    closes_at: datetime


@dataclass(frozen=True, slots=True)
class Planned:
    """What came of planning: how many were made, how many were there, and the days left out with their reason."""

    made: int
    there: int
    skipped: tuple[PlannedDay, ...]


@dataclass(frozen=True, slots=True)
class Gaps:
    """A span of a series over outlets: its days, and the outlets without an occurrence by day (of the rule)."""

    days: tuple[PlannedDay, ...]
    missing: dict[date, tuple[str, ...]]
    there: int

    @property
    def count(self) -> int:
        """How many occurrences are missing."""
        return sum(len(codes) for codes in self.missing.values())

    @property
    def skipped(self) -> tuple[PlannedDay, ...]:
        """The days left out."""
        return tuple(one for one in self.days if one.skipped)


def times(series: EventSeries, day: date, zone: ZoneInfo) -> Times:
    """When an occurrence of that day begins, ends, opens and closes for registration, on the institution's clock.

    The clock decides the beginning, so 09:30 stays 09:30 when a zone changes its offset; how long it lasts is
    counted in real minutes. It opens as the day begins, `opens_days` before.
    """
    starts = moment(day, series.starts_minute, zone)
    opens = moment(day - timedelta(days=series.opens_days), 0, zone)
    closes = starts - timedelta(minutes=series.closes_minutes)
    return Times(starts, starts + timedelta(minutes=series.minutes), min(opens, closes), closes)


def moment(day: date, minute: int, zone: ZoneInfo) -> datetime:
    """A minute of a local day as UTC."""
    return datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)


def new_code() -> str:
    """A code for an address, which nobody meets twice: 31^10 of them."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_CODE))


def hold(session: Session, series_id: int) -> EventSeries:
    """The series, while whoever else wants to plan or change it waits until this transaction ends; or NotFound."""
    query = select(EventSeries).where(EventSeries.id == series_id).with_for_update()
    found = session.exec(query.execution_options(populate_existing=True)).first()
    if found is None:
        raise NotFound(mark("没有找到这个系列活动，可能已经撤下。"))
    return found


def gaps(
    session: Session,
    series: EventSeries,
    outlet_codes: Iterable[str],
    first: date,
    last: date,
    *,
    zone: ZoneInfo,
    country: str,
    now: datetime,
) -> Gaps:
    """What the series means from `first` to `last` at these outlets and is not there; nothing that has begun."""
    codes = [""] if series.form == ONLINE else list(dict.fromkeys(outlet_codes))
    written = session.exec(select(EventDate).where(EventDate.series_id == series.id))
    meant = [
        _not_over(one, times(series, one.on, zone), now)
        for one in days.days(series, written, first, last, country=country)
    ]
    there = _there(session, series, [one.day for one in meant], zone)
    closed = _closed(session, codes)
    missing = {}
    for one in meant:
        if not one.skipped:
            covered = there.get(one.day, set())
            missing[one.day] = tuple(
                code for code in codes if code not in covered and _serves(closed.get(code), one.on)
            )
    wanted = set(codes)
    return Gaps(tuple(meant), missing, sum(len(found & wanted) for found in there.values()))


def plan(
    session: Session,
    series: EventSeries,
    outlet_codes: Iterable[str],
    first: date,
    last: date,
    *,
    zone: ZoneInfo,
    country: str,
    now: datetime,
    demo: bool = False,
) -> Planned:
    """Make every occurrence that is missing from `first` to `last` at these outlets, all or none."""
    series = hold(session, series.id or 0)
    found = gaps(session, series, outlet_codes, first, last, zone=zone, country=country, now=now)
    before = newest(session, series)
    connection = session.connection()
    rows = _rows(series, found, zone, now, demo)
    while batch := list(islice(rows, _BATCH)):
        connection.execute(insert(_TABLE), batch)
    add_option_seats(session, series, above=before)
    if found.count:
        pages.bump(session)
        audit.record(
            session,
            "event.plan",
            "event",
            series.code,
            after={"count": found.count, "from": first, "to": last},
            outlet_code=series.outlet_code,
        )
    return Planned(found.count, found.there, found.skipped)


def newest(session: Session, series: EventSeries) -> int:
    """The highest number of an occurrence of the series, 0 when it has none."""
    return session.exec(select(func.max(Occurrence.id)).where(Occurrence.series_id == series.id)).one() or 0


def add_option_seats(session: Session, series: EventSeries, *, above: int) -> None:
    """Give the occurrences of a series that are newer than number `above` the seats of its options."""
    for question, option, capacity in limits(series):
        rows = columns(
            col(Occurrence.id), literal(question), literal(option), literal(capacity), literal(0)
        ).where(
            col(Occurrence.series_id) == series.id,
            col(Occurrence.id) > above,
            ~exists().where(
                col(OptionSeats.occurrence_id) == col(Occurrence.id),
                col(OptionSeats.question) == question,
                col(OptionSeats.option) == option,
            ),
        )
        names = ["occurrence_id", "question", "option", "capacity", "taken"]
        session.execute(insert(OptionSeats).from_select(names, rows))


def limits(series: EventSeries) -> list[tuple[str, str, int]]:
    """The options of a series' choices that have seats of their own: question, option, capacity."""
    return [
        (str(question["key"]), str(option["key"]), int(option["capacity"]))
        for question in series.questions
        for option in question.get("options") or ()
        if option.get("capacity") is not None
    ]


def values(series: EventSeries, planned: PlannedDay, at: Times, now: datetime) -> dict[str, Any]:
    """The columns of an occurrence that are the same at every outlet of a day."""
    return {
        "series_id": series.id, "day": planned.on, "starts_at": at.starts_at, "ends_at": at.ends_at,
        "opens_at": at.opens_at, "closes_at": at.closes_at, "topic": planned.topic, "topic_en": planned.topic_en,
        "host": planned.host or series.host, "host_en": planned.host_en or series.host_en, "place": series.place,
        "live_url": series.live_url, "replay_url": "", "capacity": series.capacity, "taken": 0,
        "party_most": series.party_most, "approval": series.approval, "waiting": series.waiting,
        "offer_hours": series.offer_hours, "state": "open", "reason": "", "version": 1, "moved_from": "", "created_at": now,
        "updated_at": now,
    }  # fmt: skip


def _rows(
    series: EventSeries, found: Gaps, zone: ZoneInfo, now: datetime, demo: bool
) -> Iterator[dict[str, Any]]:
    for one in found.days:
        codes = found.missing.get(one.day, ())
        same = values(series, one, times(series, one.on, zone), now)
        same |= {"planned_at": times(series, one.day, zone).starts_at, "demo": demo}
        for code in codes:
            yield {**same, "code": new_code(), "outlet_code": code}


def _not_over(one: PlannedDay, at: Times, now: datetime) -> PlannedDay:
    if one.skipped or at.starts_at > now:
        return one
    return replace(one, skipped=True, why=gettext(mark("已经过去")))


def _there(
    session: Session, series: EventSeries, meant: Sequence[date], zone: ZoneInfo
) -> dict[date, set[str]]:
    """The outlets that have an occurrence first meant for each of the days."""
    if not meant:
        return {}
    begin, end = moment(min(meant), 0, zone), moment(max(meant) + timedelta(days=1), 0, zone)
    query = select(Occurrence.outlet_code, Occurrence.planned_at, Occurrence.moved_from).where(
        Occurrence.series_id == series.id,
        col(Occurrence.planned_at) >= begin,
        col(Occurrence.planned_at) < end,
    )
    found: dict[date, set[str]] = {}
    local: dict[datetime, date] = {}
    for code, planned_at, moved_from in session.execute(query):
        day = local.get(planned_at) or local.setdefault(planned_at, day_of(planned_at, zone))
        found.setdefault(day, set()).update((code, moved_from or code))
    return {day: codes for day, codes in found.items() if day in set(meant)}


def _closed(session: Session, codes: Sequence[str]) -> dict[str, tuple[date | None, date | None]]:
    """When outlets open and close, of those that say so."""
    found: dict[str, tuple[date | None, date | None]] = {}
    for start in range(0, len(codes), _ASKED):
        query = columns(col(Outlet.code), col(Outlet.open_on), col(Outlet.closed_on)).where(
            col(Outlet.code).in_(codes[start : start + _ASKED]),
            col(Outlet.open_on).is_not(None) | col(Outlet.closed_on).is_not(None),
        )
        found |= {code: (opened, closed) for code, opened, closed in session.execute(query)}
    return found


def _serves(span: tuple[date | None, date | None] | None, day: date) -> bool:
    opened, closed = span or (None, None)
    return (opened is None or opened <= day) and (closed is None or day < closed)
