"""Single occurrences: added, cloned, changed, moved, resized, called off and on again. Who registered is told.

Each verb holds the occurrence's row, raises its version and leaves an audit record; what concerns the people
registered is done by `registration.occasions`.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, func, select

from campaign.events import planning, series_form
from campaign.events.days import PlannedDay
from campaign.events.models import ONLINE, OPEN, EventSeries, Occurrence
from campaign.registration import occasions, seats
from campaign.registration.models import LIVE, Registration
from content import pages
from core.clock import day_of
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit, outlets

audit.declare(
    {
        "event.add": mark("新增场次"),
        "event.edit": mark("修改场次"),
        "event.move": mark("场次改期"),
        "event.resize": mark("调整场次名额"),
        "event.call_off": mark("取消场次"),
        "event.call_on": mark("恢复场次"),
    }
)
TEXTS = {"topic": 120, "topic_en": 200, "host": 60, "host_en": 90}
LINKS = ("live_url", "replay_url")


@dataclass(frozen=True, slots=True)
class Spot:
    """When and where: a local day and minute, how long (minutes), the outlet ("" online), the room."""

    day: date
    minute: int
    minutes: int
    outlet_code: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True)
class Texts:
    """What an occurrence says and links to; what it lets people do is its series' until changed here."""

    topic: str = ""
    topic_en: str = ""
    host: str = ""
    host_en: str = ""
    live_url: str = ""
    replay_url: str = ""
    approval: bool = False
    waiting: bool = True
    party_most: int = 4


@dataclass(frozen=True, slots=True)
class Told:
    """An occurrence that was changed, and how many registered parties are told."""

    occurrence: Occurrence
    told: int


def get(session: Session, number: int) -> Occurrence:
    """The occurrence, or NotFound."""
    found = session.get(Occurrence, number)
    if found is None:
        raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
    return found


def by_code(session: Session, code: str) -> Occurrence:
    """The occurrence of a public address, or NotFound."""
    found = session.exec(select(Occurrence).where(Occurrence.code == code)).first()
    if found is None:
        raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
    return found


def owner(session: Session, occurrence: Occurrence) -> str:
    """The node an occurrence belongs to: its outlet, or online that of its series."""
    if occurrence.outlet_code:
        return occurrence.outlet_code
    return session.get_one(EventSeries, occurrence.series_id).outlet_code


def live_parties(session: Session, number: int) -> int:
    """How many parties are registered, wait or wait for approval: so many are told."""
    query = select(func.count()).where(Registration.occurrence_id == number, Registration.state.in_(LIVE))  # type: ignore[attr-defined]
    return session.exec(query).one()


def shown(occurrence: Occurrence) -> dict[str, Any]:
    """An occurrence as its forms show it, for telling two versions apart."""
    names = (
        *TEXTS, *LINKS, "outlet_code", "starts_at", "ends_at", "place", "capacity", "party_most", "approval", "waiting",
        "state", "reason",
    )  # fmt: skip
    return {name: getattr(occurrence, name) for name in names}


def spot(occurrence: Occurrence, zone: ZoneInfo) -> Spot:
    """When and where it is now."""
    local = occurrence.starts_at.astimezone(zone)
    minutes = int((occurrence.ends_at - occurrence.starts_at).total_seconds() // 60)
    return Spot(
        local.date(), local.hour * 60 + local.minute, minutes, occurrence.outlet_code, occurrence.place
    )


def add(
    session: Session,
    series: EventSeries,
    where: Spot,
    *,
    zone: ZoneInfo,
    now: datetime,
    topic: str = "",
    capacity: int | None = None,
    demo: bool = False,
) -> Occurrence:
    """One occurrence of its own, besides what the rule means; Conflict when it is there already."""
    series = planning.hold(session, series.id or 0)
    _check_spot(session, series, where, zone, now)
    at = _times(series, where, zone)
    values = planning.values(series, PlannedDay(where.day, where.day), at, now)
    values |= {"outlet_code": where.outlet_code, "place": where.place or series.place, "demo": demo}
    values |= {"topic": series_form.text(topic, "topic", 120), "planned_at": at.starts_at}
    if capacity is not None:
        values["capacity"] = series_form.number(str(capacity), "capacity", 0, occasions.LARGEST)
    if _taken(session, series, where.outlet_code, at.starts_at):
        raise Conflict(mark("这个网点在同一时间已经有这个系列的场次。"), field="day")
    made = Occurrence(code=planning.new_code(), **values)
    before = planning.newest(session, series)
    session.add(made)
    session.flush()
    planning.add_option_seats(session, series, above=before)
    _recorded(session, "event.add", made, {})
    return made


def clone(
    session: Session, number: int, day: date, outlet_code: str | None, *, zone: ZoneInfo, now: datetime
) -> Occurrence:
    """The same on another day or at another outlet, with nobody registered."""
    one = get(session, number)
    series = session.get_one(EventSeries, one.series_id)
    old = spot(one, zone)
    code = one.outlet_code if outlet_code is None else outlet_code
    where = Spot(day, old.minute, old.minutes, code, one.place if code == one.outlet_code else series.place)
    made = add(session, series, where, zone=zone, now=now, topic=one.topic, capacity=one.capacity)
    for name in (
        "topic_en",
        "host",
        "host_en",
        "live_url",
        "party_most",
        "approval",
        "waiting",
        "offer_hours",
    ):
        setattr(made, name, getattr(one, name))
    session.add(made)
    session.flush()
    return made


def change(session: Session, number: int, texts: Texts, *, now: datetime) -> Occurrence:
    """Change what it says and links to; nobody needs to be told."""
    one = seats.held(session, number)
    old = shown(one)
    for name, most in TEXTS.items():
        setattr(one, name, series_form.text(getattr(texts, name), name, most))
    for name in LINKS:
        setattr(one, name, series_form.web_address(getattr(texts, name), name))
    one.approval, one.waiting = texts.approval, texts.waiting
    one.party_most = series_form.number(
        str(texts.party_most), "party_most", *series_form.NUMBERS["party_most"]
    )
    _touch(session, one, now)
    _recorded(session, "event.edit", one, old)
    return one


def move(session: Session, number: int, where: Spot, *, zone: ZoneInfo, now: datetime) -> Told:
    """Give it another time, outlet or room; everybody registered is told, and keeps their place."""
    one = seats.held(session, number)
    series = session.get_one(EventSeries, one.series_id)
    if one.state != OPEN:
        raise Conflict(mark("这场活动已经取消；要改期，请先恢复它。"))
    if one.starts_at <= now:
        raise Conflict(mark("活动已经开始，不能再改期。"))
    _check_spot(session, series, where, zone, now)
    old, at = shown(one), _times(series, where, zone)
    if (at.starts_at, at.ends_at, where.outlet_code, where.place) == (
        one.starts_at, one.ends_at, one.outlet_code, one.place,
    ):  # fmt: skip
        return Told(one, 0)
    closes = at.starts_at - (one.starts_at - one.closes_at)
    one.starts_at, one.ends_at, one.day = at.starts_at, at.ends_at, day_of(at.starts_at, zone)
    one.closes_at, one.opens_at = closes, min(one.opens_at, closes)
    if where.outlet_code != one.outlet_code and _taken(
        session, series, where.outlet_code, one.planned_at
    ):  # it is the other outlet's own occurrence of that day that holds the key
        raise Conflict(mark("那个网点同一天已经有这个系列的场次，请直接用那一场。"), field="outlet_code")
    if where.outlet_code != one.outlet_code:
        one.moved_from = one.moved_from or one.outlet_code
    one.outlet_code, one.place = where.outlet_code, series_form.text(where.place, "place", 120)
    _touch(session, one, now)
    told = occasions.moved(session, one, now)
    _recorded(session, "event.move", one, old)
    return Told(one, told)


def set_capacity(session: Session, number: int, capacity: int, *, now: datetime) -> Occurrence:
    """More or fewer seats; who waits is offered what comes free."""
    old = shown(get(session, number))
    one = occasions.set_capacity(session, number, capacity, now)
    _recorded(session, "event.resize", one, old)
    return one


def call_off(session: Session, number: int, reason: str, *, now: datetime) -> Told:
    """Cancel it with a reason that everybody registered is told."""
    old = shown(get(session, number))
    told = live_parties(session, number) if old["state"] == OPEN else 0
    one = occasions.call_off(session, number, reason, now)
    _recorded(session, "event.call_off", one, old)
    return Told(one, told)


def call_on(session: Session, number: int, *, now: datetime) -> Told:
    """Take a cancellation back; everybody registered is told."""
    old = shown(get(session, number))
    told = live_parties(session, number) if old["state"] != OPEN else 0
    one = occasions.call_on(session, number, now)
    _recorded(session, "event.call_on", one, old)
    return Told(one, told)


def _times(series: EventSeries, where: Spot, zone: ZoneInfo) -> planning.Times:
    at = planning.times(series, where.day, zone)
    starts = planning.moment(where.day, where.minute, zone)
    closes = starts - (at.starts_at - at.closes_at)
    return planning.Times(starts, starts + timedelta(minutes=where.minutes), min(at.opens_at, closes), closes)


def _check_spot(session: Session, series: EventSeries, where: Spot, zone: ZoneInfo, now: datetime) -> None:
    least, most = series_form.NUMBERS["minutes"]
    series_form.number(str(where.minutes), "minutes", least, most)
    if planning.moment(where.day, where.minute, zone) <= now:
        raise Invalid(mark("这个时间已经过去，请填以后的时间。"), field="day")
    if series.form == ONLINE:
        if where.outlet_code:
            raise Invalid(mark("线上活动不属于某个网点，请把网点留空。"), field="outlet_code")
        return
    outlet = outlets.find(session, where.outlet_code) if where.outlet_code else None
    if outlet is None or outlet.kind != "outlet":
        raise Invalid(mark("请选一个柜面网点。"), field="outlet_code")
    if not outlets.is_open(outlet, where.day):
        raise Invalid(mark("“%(name)s”那一天不营业。"), field="outlet_code", name=outlet.name)


def _taken(session: Session, series: EventSeries, outlet_code: str, planned_at: datetime) -> bool:
    query = select(Occurrence.id).where(
        Occurrence.series_id == series.id,
        Occurrence.outlet_code == outlet_code,
        Occurrence.planned_at == planned_at,
    )
    return session.exec(query).first() is not None


def _touch(session: Session, one: Occurrence, now: datetime) -> None:
    one.version += 1
    one.updated_at = now
    session.add(one)
    session.flush()


def _recorded(session: Session, action: str, one: Occurrence, old: dict[str, Any]) -> None:
    pages.bump(session)
    audit.record(
        session, action, "occurrence", one.id, before=old, after=shown(one), outlet_code=owner(session, one),
        note=one.reason,
    )  # fmt: skip
