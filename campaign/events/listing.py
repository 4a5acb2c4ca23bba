"""What public pages say of events: an outlet's next ones, a series with its next dates, the soonest of all."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, case
from sqlalchemy import select as columns
from sqlmodel import Session, col, func, select

from campaign.events.models import CALLED_OFF, ONLINE, OPEN, EventSeries, Occurrence
from campaign.recurrence import in_words
from core.errors import NotFound
from core.i18n import mark
from institution.models import Outlet

LIVE_BEFORE = timedelta(minutes=30)
DATES, AT_OUTLET, IN_A_CITY, REPLAYS = 8, 5, 30, 6


@dataclass(frozen=True, slots=True)
class Line:
    """One occurrence as a list shows it; `place` is the room, `where` the outlet's address."""

    code: str
    url: str
    series: str
    series_url: str
    topic: str
    host: str
    day: date
    starts_at: datetime
    ends_at: datetime
    opens_at: datetime
    online: bool
    off: bool
    reason: str
    outlet_code: str
    outlet: str
    where: str
    place: str


@dataclass(frozen=True, slots=True)
class DateOf:
    """One day of a series over all its outlets: its theme, how many hold it, whether all have called it off."""

    day: date
    starts_at: datetime
    ends_at: datetime
    topic: str
    host: str
    held: int
    off: bool
    version: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Card:
    """A series on the events page: how often, and what comes next (None: nothing is planned)."""

    series: EventSeries
    rhythm: str
    next: DateOf | None

    @property
    def online(self) -> bool:
        """Whether it is held online."""
        return self.series.form == ONLINE


@dataclass(frozen=True, slots=True)
class Live:
    """An online occurrence that is on now or about to begin."""

    line: Line
    live_url: str
    on_now: bool


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """A series: its next dates, in a city the single occurrences, online the live link while it is time, replays."""

    card: Card
    dates: Sequence[DateOf]
    cities: Sequence[tuple[str, str]]
    province: str
    city: str
    lines: Sequence[Line]
    live: Live | None
    replays: Sequence[tuple[Line, str]]
    today: date

    @property
    def series(self) -> EventSeries:
        """The series."""
        return self.card.series


def visible(session: Session, code: str) -> EventSeries:
    """The series that visitors may see, or NotFound."""
    found = session.exec(
        select(EventSeries).where(EventSeries.code == code, col(EventSeries.visible))
    ).first()
    if found is None:
        raise NotFound(mark("没有找到这个系列活动，可能已经撤下。"))
    return found


def open_series(session: Session) -> list[EventSeries]:
    """Every series that visitors may see, by name."""
    query = select(EventSeries).where(col(EventSeries.visible))
    return list(session.exec(query.order_by(EventSeries.name, EventSeries.code)))


def cards(session: Session, now: datetime) -> list[Card]:
    """Every series that visitors may see, what comes next first."""
    found = [card(session, one, now) for one in open_series(session)]
    return sorted(found, key=lambda one: (one.next is None, one.next.starts_at if one.next else now))


def card(session: Session, series: EventSeries, now: datetime) -> Card:
    """A series with what comes next."""
    return _card(series, dates_of(session, series, now, 1))


def _card(series: EventSeries, dates: Sequence[DateOf]) -> Card:
    return Card(series, in_words(series.rule) if series.rule else "", next(iter(dates), None))


def soonest(session: Session, now: datetime) -> Card | None:
    """The series of the whole institution at outlets that is held soonest: the card of the home page."""
    found = [one for one in cards(session, now) if one.next and not one.online and not one.series.outlet_code]
    return found[0] if found else None


def dates_of(
    session: Session, series: EventSeries, now: datetime, most: int = DATES, *where: ColumnElement[bool]
) -> list[DateOf]:
    """The next days on which a series is held somewhere, and those that were called off everywhere."""
    held = func.sum(case((col(Occurrence.state) == OPEN, 1), else_=0))
    query = (
        columns(
            col(Occurrence.day), func.min(col(Occurrence.starts_at)), func.max(col(Occurrence.ends_at)),
            func.max(col(Occurrence.topic)), func.max(col(Occurrence.topic_en)), func.max(col(Occurrence.host)),
            func.max(col(Occurrence.host_en)), held, func.max(col(Occurrence.version)),
            func.max(col(Occurrence.updated_at)),
        )
        .where(col(Occurrence.series_id) == series.id, col(Occurrence.ends_at) > now, *where)
        .group_by(col(Occurrence.day))
        .order_by(col(Occurrence.day))
        .limit(most)
    )  # fmt: skip
    return [_date(row) for row in session.execute(query)]


def _date(row: Row[Any]) -> DateOf:
    day, starts, ends, topic, topic_en, host, host_en, held, version, updated = tuple(row)
    texts = Occurrence(topic=topic, topic_en=topic_en, host=host, host_en=host_en)  # type: ignore[call-arg]
    return DateOf(
        day, starts, ends, texts.shown("topic"), texts.shown("host"), int(held), not held, version, updated
    )


def lines(session: Session, *where: ColumnElement[bool], most: int = IN_A_CITY) -> list[Line]:
    """Occurrences of series that visitors may see, by time."""
    query = (
        columns(Occurrence, EventSeries, Outlet)
        .join(EventSeries, col(EventSeries.id) == col(Occurrence.series_id))
        .outerjoin(Outlet, col(Outlet.code) == col(Occurrence.outlet_code))
        .where(col(EventSeries.visible), *where)
        .order_by(col(Occurrence.starts_at), col(Occurrence.outlet_code), col(Occurrence.id))
        .limit(most)
    )
    return [line(one, series, outlet) for one, series, outlet in session.execute(query)]


def line(one: Occurrence, series: EventSeries, outlet: Outlet | None) -> Line:
    """One occurrence for a list."""
    return Line(
        one.code, one.url, series.shown("name"), series.url, one.shown("topic"), one.shown("host"), one.day,
        one.starts_at, one.ends_at, one.opens_at, series.form == ONLINE, one.state == CALLED_OFF, one.reason,
        one.outlet_code, outlet.name if outlet else "", outlet.address if outlet else "", one.place,
    )  # fmt: skip


def at_outlet(session: Session, code: str, now: datetime, most: int = AT_OUTLET) -> list[Line]:
    """The next occurrences at an outlet, those called off among them: who planned to come should see it."""
    return lines(session, col(Occurrence.outlet_code) == code, col(Occurrence.ends_at) > now, most=most)


def online(session: Session, now: datetime, most: int = AT_OUTLET) -> list[Line]:
    """The next occurrences online."""
    return lines(session, col(EventSeries.form) == ONLINE, col(Occurrence.ends_at) > now, most=most)


def coming(session: Session, series: EventSeries, now: datetime, most: int = AT_OUTLET) -> list[Line]:
    """The next occurrences of a series, wherever they are."""
    return lines(session, col(Occurrence.series_id) == series.id, col(Occurrence.ends_at) > now, most=most)


def series_page(
    session: Session, code: str, now: datetime, today: date, *, province: str = "", city: str = ""
) -> SeriesPage:
    """A series as visitors meet it, or NotFound."""
    series = visible(session, code)
    places = cities(session, series, now)
    chosen = in_city(province, city) if (province, city) in places else []
    mine = [col(Occurrence.series_id) == series.id, col(Occurrence.ends_at) > now]
    shown = lines(session, *mine, *chosen) if chosen or series.form == ONLINE else []
    dates = dates_of(session, series, now)
    return SeriesPage(
        _card(series, dates),
        dates,
        places,
        province if chosen else "",
        city if chosen else "",
        shown,
        _live(session, shown, now) if series.form == ONLINE else None,
        _replays(session, series, now),
        today,
    )


def cities(session: Session, series: EventSeries, now: datetime) -> list[tuple[str, str]]:
    """The (province, city) pairs in which a series is still to be held, in the order of their outlets' codes."""
    held = columns(col(Occurrence.id)).where(
        col(Occurrence.series_id) == series.id,
        col(Occurrence.outlet_code) == col(Outlet.code),
        col(Occurrence.ends_at) > now,
    )
    query = (
        columns(col(Outlet.province), col(Outlet.city))
        .where(col(Outlet.city) != "", held.exists())
        .group_by(col(Outlet.province), col(Outlet.city))
        .order_by(func.min(col(Outlet.code)))
    )
    return [(province, city) for province, city in session.execute(query)]


def in_city(province: str, city: str) -> list[ColumnElement[bool]]:
    """Conditions for occurrences at outlets of a province or a city; none where neither is named."""
    wanted = {"province": province, "city": city}
    named = [getattr(Outlet, name) == value for name, value in wanted.items() if value]
    if not named:
        return []
    return [col(Occurrence.outlet_code).in_(columns(col(Outlet.code)).where(*named))]


def _live(session: Session, shown: Iterable[Line], now: datetime) -> Live | None:
    """The link is shown from half an hour before the beginning until the end, and at no other time."""
    for one in shown:
        if not one.off and one.starts_at - LIVE_BEFORE <= now < one.ends_at:
            url = session.exec(select(Occurrence.live_url).where(Occurrence.code == one.code)).one()
            return Live(one, url, one.starts_at <= now) if url else None
    return None


def _replays(session: Session, series: EventSeries, now: datetime) -> list[tuple[Line, str]]:
    query = (
        select(Occurrence)
        .where(
            Occurrence.series_id == series.id, col(Occurrence.ends_at) <= now, Occurrence.replay_url != "",
            Occurrence.state == OPEN,
        )
        .order_by(col(Occurrence.starts_at).desc())
        .limit(REPLAYS)
    )  # fmt: skip
    return [(line(one, series, None), one.replay_url) for one in session.exec(query)]
