"""Calendar files (RFC 5545): one occurrence, a series, an outlet's next events, as a subscription that keeps up.

A UID never changes and is nobody else's; SEQUENCE rises with each change, so that a calendar program takes the
newest; what was called off stays in the file as CANCELLED, or the phone would go on reminding of it. Times name the
institution's zone. The live link is not in the file: it is on the page, when it is time.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from icalendar import Calendar, Event
from icalendar.enums import STATUS, TRANSP
from sqlalchemy import select as columns
from sqlmodel import Session, col

from campaign.events import listing
from campaign.events.listing import DateOf
from campaign.events.models import CALLED_OFF, ONLINE, EventSeries, Occurrence
from core.i18n import current_locale, gettext, mark
from institution.models import Outlet

BACK, MOST = timedelta(days=30), 400
_EVERY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Site:
    """The site that a file speaks for: its public address, and the institution's zone."""

    public_url: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a calendar file."""

    uid: str
    title: str
    words: str
    place: str
    path: str
    starts_at: datetime
    ends_at: datetime
    off: bool
    sequence: int
    changed: datetime


def one(session: Session, occurrence: Occurrence, site: Site) -> bytes:
    """The file of one occurrence."""
    series = session.get_one(EventSeries, occurrence.series_id)
    outlet = session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None
    return _file(site, series.shown("name"), occurrence.url, [_item(occurrence, series, outlet)])


def of_series(session: Session, series: EventSeries, site: Site, now: datetime) -> bytes:
    """The file of a series: online each occurrence, at outlets each day (who holds it, the page says)."""
    if series.form == ONLINE:
        items = _items(session, [col(Occurrence.series_id) == series.id], now)
    else:
        dates = listing.dates_of(session, series, now - BACK, MOST)
        items = [_of_day(series, one) for one in dates]
    return _file(site, series.shown("name"), series.url, items)


def of_outlet(session: Session, outlet: Outlet, site: Site, now: datetime) -> bytes:
    """The file of an outlet's events."""
    items = _items(session, [col(Occurrence.outlet_code) == outlet.code], now)
    return _file(site, outlet.name, f"/o/{outlet.code}", items)


def _items(session: Session, where: list[object], now: datetime) -> list[Item]:
    query = (
        columns(Occurrence, EventSeries, Outlet)
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .outerjoin(Outlet, col(Outlet.code) == col(Occurrence.outlet_code))
        .where(col(EventSeries.visible), col(Occurrence.ends_at) > now - BACK, *where)  # type: ignore[arg-type]
        .order_by(col(Occurrence.starts_at), col(Occurrence.id))
        .limit(MOST)
    )
    return [_item(one, series, outlet) for one, series, outlet in session.execute(query)]


def _item(one: Occurrence, series: EventSeries, outlet: Outlet | None) -> Item:
    place = [outlet.name, outlet.address, one.place] if outlet else [one.place]
    if series.form == ONLINE:
        place = [gettext(mark("线上"))]
    return Item(
        one.code, _title(series, one.shown("topic")), _words(series, one), " ".join(part for part in place if part),
        one.url, one.starts_at, one.ends_at, one.state == CALLED_OFF, one.version - 1, one.updated_at,
    )  # fmt: skip


def _of_day(series: EventSeries, one: DateOf) -> Item:
    words = [series.shown("summary"), gettext(mark("%(count)s 个网点同时举办")) % {"count": one.held}]
    return Item(
        f"{series.code}-{one.day:%Y%m%d}", _title(series, one.topic), "\n".join(part for part in words if part),
        gettext(mark("各网点")), series.url, one.starts_at, one.ends_at, one.off, one.version - 1, one.updated_at,
    )  # fmt: skip


def _title(series: EventSeries, topic: str) -> str:
    colon = ": " if current_locale() == "en" else "："
    return f"{series.shown('name')}{colon}{topic}" if topic else series.shown("name")


def _words(series: EventSeries, one: Occurrence) -> str:
    host = gettext(mark("主讲：%(host)s")) % {"host": one.shown("host")} if one.host else ""
    live = gettext(mark("开始前半小时，页面上会出现直播链接。")) if series.form == ONLINE else ""
    off = gettext(mark("已取消：%(reason)s")) % {"reason": one.reason} if one.state == CALLED_OFF else ""
    return "\n".join(part for part in (off, series.shown("summary"), host, live) if part)


def _file(site: Site, name: str, path: str, items: Iterable[Item]) -> bytes:
    made = Calendar.new(
        name=name,
        prodid="-//Signpost//Events//ZH",
        refresh_interval=_EVERY,
        url=f"{site.public_url}{path}",
        method="PUBLISH",
    )
    made.add("x-wr-calname", name)
    made.add("x-wr-timezone", str(site.zone))
    made.add("x-published-ttl", "PT6H")
    for item in items:
        made.add_component(_event(item, site))
    made.add_missing_timezones()
    return bytes(made.to_ical())


def _event(item: Item, site: Site) -> Event:
    host = urlsplit(site.public_url).hostname or "localhost"
    return Event.new(
        uid=f"{item.uid}@{host}",
        summary=item.title,
        description=item.words,
        location=item.place,
        url=f"{site.public_url}{item.path}",
        start=item.starts_at.astimezone(site.zone),
        end=item.ends_at.astimezone(site.zone),
        sequence=max(0, item.sequence),
        status=STATUS.CANCELLED if item.off else STATUS.CONFIRMED,
        stamp=item.changed,
        last_modified=item.changed,
        transparency=TRANSP.TRANSPARENT if item.off else TRANSP.OPAQUE,
    )
