"""An outlet as visitors meet it: its plaque, what it offers, what happens there, its shelf, who is nearby."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, or_, select

from campaign import calendar, programme
from campaign.base import keeping, offers
from campaign.events import listing
from content import lifecycle
from content.listing import PublishedPiece
from content.models import Kind
from core.i18n import current_locale, gettext
from institution import outlets
from institution.models import Outlet, OutletKind

NEIGHBOURS = 4
ON_PAGE = 6


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Something to attend at the outlet: its day, what it is, one or two sentences, and where more stands."""

    day: date
    title: str
    text: str
    when: str = ""
    href: str = ""


def next_events(session: Session, code: str, zone: ZoneInfo, now: datetime, most: int = 3) -> list[NextEvent]:
    """What is held at an outlet next, with its time and a way to register."""
    return [_next(one, zone) for one in listing.at_outlet(session, code, now, most)]


def _next(one: listing.Line, zone: ZoneInfo) -> NextEvent:
    at = one.starts_at.astimezone(zone)
    hours = f"{at:%H:%M}–{one.ends_at.astimezone(zone):%H:%M}"
    if one.off:
        text = gettext("这一场取消了：%(reason)s", reason=one.reason)
    else:
        text = " · ".join(part for part in (one.topic and one.series, one.place) if part)
    return NextEvent(at.date(), one.topic or one.series, text, hours, one.url)


@dataclass(frozen=True, slots=True)
class Offered:
    """Words of what there is, and what the outlet adds to them."""

    words: Sequence[str]
    text: str


@dataclass(frozen=True, slots=True)
class OutletPage:
    """One outlet as an education base, with others nearby. `events` empty: the weekly 相约星期二 is shown."""

    outlet: Outlet
    branch: Outlet | None
    is_open: bool
    neighbours: Sequence[Outlet]
    services: Offered
    facilities: Offered
    events: Sequence[NextEvent]
    pieces: Sequence[PublishedPiece]
    own_shelf: bool
    tuesday: date
    link: str
    qr: str


def outlet_page(
    session: Session, code: str, today: date, *, link: str, qr: str, events: Sequence[NextEvent] = ()
) -> OutletPage:
    """One outlet, or NotFound."""
    outlet = outlets.get(session, code)
    above = [one for one in outlets.path(session, code)[:-1] if one.kind == OutletKind.province]
    chosen, own = on_shelf(session, code, today)
    services, facilities = offered(session, code)
    return OutletPage(
        outlet=outlet,
        branch=above[0] if above else None,
        is_open=outlets.is_open(outlet, today),
        neighbours=_neighbours(session, outlet, today),
        services=services,
        facilities=facilities,
        events=events,
        pieces=chosen if own else chosen[:3],
        own_shelf=own,
        tuesday=calendar.next_tuesday(today),
        link=link,
        qr=qr,
    )


def on_shelf(session: Session, code: str, today: date) -> tuple[list[PublishedPiece], bool]:
    """What an outlet shows to read, and whether somebody chose it; else the campaign's pieces, then the newest."""
    chosen = keeping.shelf(session, code).pieces
    if chosen:
        return list(chosen), True
    now = programme.current(session, today, code)
    first = programme.pieces(session, now.code) if now else []
    ordered = {piece.key: piece for piece in [*first, *lifecycle.published_list(session)]}
    # stories and guides have places of their own
    found = [piece for piece in ordered.values() if piece.kind not in (Kind.diary, Kind.guide)]
    return found[:ON_PAGE], False


def offered(session: Session, code: str) -> tuple[Offered, Offered]:
    """Services and facilities of an outlet, in the language in force."""
    one = keeping.find(session, code)
    if one is None:
        return Offered([], ""), Offered([], "")
    english = current_locale() == "en"
    services_text = one.services_text_en or one.services_text if english else one.services_text
    facilities_text = one.facilities_text_en or one.facilities_text if english else one.facilities_text
    return (
        Offered(offers.words(offers.SERVICES, one.services), services_text),
        Offered(offers.words(offers.FACILITIES, one.facilities), facilities_text),
    )


def _neighbours(session: Session, outlet: Outlet, today: date) -> list[Outlet]:
    """Other open outlets of the same county, then of the same city."""
    query = select(Outlet).where(
        Outlet.kind == OutletKind.outlet,
        Outlet.code != outlet.code,
        Outlet.province == outlet.province,
        Outlet.city == outlet.city,
        or_(col(Outlet.closed_on).is_(None), col(Outlet.closed_on) > today),
        or_(col(Outlet.open_on).is_(None), col(Outlet.open_on) <= today),
    )
    same_county = (col(Outlet.county) == outlet.county).desc()
    return list(session.exec(query.order_by(same_county, Outlet.code).limit(NEIGHBOURS)))
