"""Occurrences from a CSV or XLSX file, a row each: looked at first, every fault named, and applied whole or not."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Table, insert
from sqlalchemy import select as columns
from sqlmodel import Session, col

from campaign.events import planning, series_form
from campaign.events.days import PlannedDay
from campaign.events.models import ONLINE, EventSeries, Occurrence
from campaign.registration.occasions import LARGEST
from content import pages
from core.cells import plain
from core.errors import DomainError, Invalid
from core.i18n import gettext, mark
from institution import audit, outlets
from institution.models import Outlet
from institution.outlet_files import cells_of
from institution.powers import Scope

audit.declare({"event.import": mark("导入场次")})

COLUMNS: dict[str, tuple[str, tuple[str, ...]]] = {
    "series": (mark("系列代号"), ("系列", "代号", "series")),
    "outlet": (mark("网点编号"), ("网点", "机构编号", "outlet", "outlet code")),
    "day": (mark("日期"), ("活动日期", "date", "day")),
    "starts": (mark("开始时间"), ("时间", "几点开始", "time", "starts", "starts at")),
    "minutes": (mark("时长"), ("分钟", "minutes", "duration")),
    "topic": (mark("主题"), ("topic", "theme")),
    "capacity": (mark("名额"), ("人数", "capacity", "seats")),
    "place": (mark("地点"), ("具体地点", "place", "room")),
}
REQUIRED = ("series", "day")
MOST, _BATCH = 50_000, 2_000
_TABLE = cast(Table, Occurrence.__table__)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong: the row as a spreadsheet numbers it, the heading of the column, the rule in words."""

    row: int
    column: str
    rule: str


@dataclass(frozen=True, slots=True)
class Ready:
    """A row that is right: the columns of an occurrence."""

    row: int
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FilePlan:
    """What a file would do: the rows that are new, how many are there already, and what is wrong."""

    rows: int
    ready: Sequence[Ready]
    there: int
    faults: Sequence[Fault]

    @property
    def by_series(self) -> dict[int, int]:
        """How many would be made, by series."""
        found: dict[int, int] = {}
        for one in self.ready:
            number = one.values["series_id"]
            found[number] = found.get(number, 0) + 1
        return found


@dataclass(frozen=True, slots=True)
class Ground:
    """What rows may name: the series and the nodes of the person's part of the tree, and the institution's clock."""

    series: Mapping[str, EventSeries]
    scope: Scope
    zone: ZoneInfo
    now: datetime


def template() -> tuple[list[str], list[list[str]]]:
    """Headings and an example."""
    heads = [gettext(label) for label, _others in COLUMNS.values()]
    return heads, [["tuesday", "33010601", "2026-12-08", "09:30", "60", "", "20", ""]]


def read(session: Session, data: bytes, ground: Ground, *, holding: bool = False) -> FilePlan:
    """Look at a file; Invalid when it is none or lacks a column. Nothing is applied; `holding` its series, nobody
    else plans them until the transaction ends."""
    table = cells_of(data)
    fields = [_field(heading) for heading in next(table, [])]
    missing = [gettext(COLUMNS[name][0]) for name in REQUIRED if name not in fields]
    if missing:
        raise Invalid(
            mark("文件里缺少这些列：%(columns)s。"), field="file", columns=gettext("、").join(missing)
        )
    rows = list(_rows(table, fields))
    for code in sorted({row["series"] for _number, row in rows} & set(ground.series)) if holding else ():
        planning.hold(session, ground.series[code].id or 0)
    known = {
        one.code: one for one in _outlets(session, {row["outlet"] for _number, row in rows}, ground.scope)
    }
    there = _there(session, ground.series.values(), ground.now)
    ready: list[Ready] = []
    faults: list[Fault] = []
    seen: dict[tuple[int, str, datetime], int] = {}
    double = 0
    for number, row in rows:
        try:
            values = _values(row, ground, known)
        except DomainError as error:
            faults.append(Fault(number, gettext(COLUMNS[error.field or "series"][0]), str(error)))
            continue
        key = (values["series_id"], values["outlet_code"], values["planned_at"])
        if key in seen:
            rule = gettext(mark("和第 %(row)s 行重复。")) % {"row": seen[key]}
            faults.append(Fault(number, gettext(COLUMNS["day"][0]), rule))
        elif key in there:
            double += 1
        else:
            ready.append(Ready(number, values))
        seen.setdefault(key, number)
    return FilePlan(len(rows), ready, double, faults)


def apply(session: Session, plan: FilePlan) -> int:
    """Make all occurrences of a plan without faults; returns how many."""
    if plan.faults:
        raise Invalid(
            mark("文件里还有 %(count)s 处错误，什么都没有导入。"), field="file", count=len(plan.faults)
        )
    held = {number: planning.hold(session, number) for number in sorted(plan.by_series)}
    before = {number: planning.newest(session, one) for number, one in held.items()}
    rows = ({**one.values, "code": planning.new_code()} for one in plan.ready)
    while batch := list(islice(rows, _BATCH)):
        session.connection().execute(insert(_TABLE), batch)
    for number, one in held.items():
        planning.add_option_seats(session, one, above=before[number])
        audit.record(
            session, "event.import", "event", one.code, after={"count": plan.by_series[number]},
            outlet_code=one.outlet_code,
        )  # fmt: skip
    if plan.ready:
        pages.bump(session)
    return len(plan.ready)


def _rows(table: Iterable[list[str]], fields: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    for number, cells in enumerate(table, 2):
        if number > MOST:
            raise Invalid(mark("文件超过 %(count)s 行，请分成几份导入。"), field="file", count=MOST)
        if any(cells):
            row = dict.fromkeys(COLUMNS, "")
            row |= {
                name: unicodedata.normalize("NFKC", plain(cell)).strip()
                for name, cell in zip(fields, cells, strict=False)
                if name
            }
            yield number, row


def _field(heading: str) -> str:
    wanted = re.sub(r"[\s_（(].*", "", unicodedata.normalize("NFKC", heading)).lower()
    whole = unicodedata.normalize("NFKC", heading).strip().lower()
    for name, (label, others) in COLUMNS.items():
        if {wanted, whole} & {name, label, *others}:
            return name
    return ""


def _values(row: Mapping[str, str], ground: Ground, known: Mapping[str, Outlet]) -> dict[str, Any]:
    """The columns of the occurrence that a row says; a DomainError names the column."""
    series = ground.series.get(row["series"])
    if series is None:
        raise Invalid(mark("没有代号为“%(code)s”的系列活动。"), field="series", code=row["series"])
    day = series_form.day(re.sub(r" 00:00(:00)?$", "", row["day"]), "day")
    code = _outlet(row["outlet"], series, day, known)
    minute = series_form.minute(row["starts"], "starts") if row["starts"] else series.starts_minute
    starts = planning.moment(day, minute, ground.zone)
    if starts <= ground.now:
        raise Invalid(mark("这个时间已经过去，请填以后的时间。"), field="day")
    at = planning.times(series, day, ground.zone)
    minutes = series_form.number(row["minutes"], "minutes", 15, 720) if row["minutes"] else series.minutes
    closes = starts - timedelta(minutes=series.closes_minutes)
    times = planning.Times(starts, starts + timedelta(minutes=minutes), min(at.opens_at, closes), closes)
    values = planning.values(series, PlannedDay(day, day), times, ground.now)
    values |= {"outlet_code": code, "planned_at": starts, "demo": False}
    if row["topic"]:
        values["topic"] = series_form.text(row["topic"], "topic", 120)
    if row["place"]:
        values["place"] = series_form.text(row["place"], "place", 120)
    if row["capacity"]:
        values["capacity"] = series_form.number(row["capacity"], "capacity", 0, LARGEST)
    return values


def _outlet(code: str, series: EventSeries, day: date, known: Mapping[str, Outlet]) -> str:
    if series.form == ONLINE:
        if code:
            raise Invalid(mark("线上活动不属于某个网点，请把网点留空。"), field="outlet")
        return ""
    outlet = known.get(code)
    if outlet is None:
        raise Invalid(mark("您负责的范围里没有编号为“%(code)s”的柜面网点。"), field="outlet", code=code)
    if not outlets.is_open(outlet, day):
        raise Invalid(mark("“%(name)s”那一天不营业。"), field="outlet", name=outlet.name)
    return code


def _outlets(session: Session, codes: set[str], scope: Scope) -> list[Outlet]:
    query = columns(Outlet).where(col(Outlet.kind) == "outlet", scope.condition(Outlet.code))
    return [one for one in session.scalars(query) if one.code in codes]


def _there(session: Session, series: Iterable[EventSeries], now: datetime) -> set[tuple[int, str, datetime]]:
    query = columns(col(Occurrence.series_id), col(Occurrence.outlet_code), col(Occurrence.planned_at)).where(
        col(Occurrence.series_id).in_([one.id for one in series]), col(Occurrence.planned_at) > now
    )
    return {(number, code, at) for number, code, at in session.execute(query)}
