"""What the public pages show, gathered in one small dataclass each; no web here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote

from sqlmodel import Session

from campaign import calendar, programme
from campaign.events import listing
from campaign.events.listing import Card
from campaign.models import Campaign
from content import lifecycle
from content.finding import subjects
from content.lifecycle import PublishedPiece
from content.models import KIND_NAMES, Kind
from core.errors import NotFound
from core.i18n import mark
from institution import outlets, places
from institution.models import OutletKind

CARDS_ON_HOME = 6
OUTLETS_PER_PAGE = 12


@dataclass(frozen=True, slots=True)
class Season:
    """A campaign with its period in words and its published pieces; `place` names the branch whose it is."""

    campaign: Campaign
    period: str
    pieces: Sequence[PublishedPiece]
    place: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """The home page. `season` is None between campaigns; `coming` is the next one then."""

    season: Season | None
    coming: Season | None
    first: PublishedPiece | None
    cards: Sequence[PublishedPiece]
    diary: PublishedPiece | None
    diary_first: PublishedPiece | None
    guides: Sequence[PublishedPiece]
    soonest: Card | None
    tuesday: date
    today: date


@dataclass(frozen=True, slots=True)
class Events:
    """What there is to attend: series with what comes next, campaigns by time, and the next Tuesday."""

    cards: Sequence[Card]
    running: Sequence[Season]
    coming: Sequence[Season]
    past: Sequence[Season]
    tuesday: date
    today: date


@dataclass(frozen=True, slots=True)
class Finder:
    """The outlet finder. Without a province the provinces are offered, with one its cities."""

    text: str
    province: str
    city: str
    provinces: Sequence[str]
    cities: Sequence[str]
    found: outlets.Found | None
    outlets_in_all: int


@dataclass(frozen=True, slots=True)
class Library:
    """All published pieces, narrowed by kind and topic; `kinds` and `topics` are those that exist."""

    kind: str
    topic: str
    kinds: dict[str, str]
    topics: Sequence[str]
    groups: Sequence[tuple[str, str, Sequence[PublishedPiece]]]


@dataclass(frozen=True, slots=True)
class SiteEntry:
    """An address for the sitemap, below the site's own, with the day of its last change if known."""

    path: str
    changed: date | None = None


def season(session: Session, campaign: Campaign) -> Season:
    """A campaign ready to be shown."""
    period = calendar.period(campaign.starts_on, campaign.ends_on)
    place = places.name(session, campaign.outlet_code) if campaign.outlet_code else ""
    return Season(campaign, period, programme.pieces(session, campaign.code), place)


def home(session: Session, today: date, at: datetime) -> Home:
    """The home page of a day."""
    shown = programme.on_show(session, today, programme.over(session))
    now = season(session, shown.running[0]) if shown.running else None
    published = lifecycle.published_list(session)
    readable = [
        piece for piece in published if piece.kind in (Kind.long_graphic, Kind.article, Kind.escape_room)
    ]
    cards = _first_then(now.pieces if now else [], readable)
    diary = lifecycle.published_list(session, Kind.diary)
    return Home(
        season=now,
        coming=season(session, shown.coming[0]) if shown.coming and not now else None,
        first=next(iter(cards), None),
        cards=cards[:CARDS_ON_HOME],
        diary=diary[-1] if diary else None,
        diary_first=diary[0] if len(diary) > 1 else None,
        guides=lifecycle.published_list(session, Kind.guide),
        soonest=listing.soonest(session, at),
        tuesday=calendar.next_tuesday(today),
        today=today,
    )


def _first_then(chosen: Sequence[PublishedPiece], rest: Sequence[PublishedPiece]) -> list[PublishedPiece]:
    """The chosen to read first, then the others; stories and guides have places of their own."""
    ordered = {piece.key: piece for piece in [*chosen, *rest]}
    return [piece for piece in ordered.values() if piece.kind not in (Kind.diary, Kind.guide)]


def campaign_page(session: Session, code: str) -> Season:
    """A visible campaign, or NotFound."""
    campaign = programme.get(session, code)
    if not campaign.visible:
        raise NotFound(mark("没有找到这个活动期，可能已经更名。"))
    return season(session, campaign)


def events(session: Session, today: date, now: datetime) -> Events:
    """Series with what comes next, campaigns by time, and the next Tuesday."""
    shown = programme.on_show(session, today)
    running, coming, past = (
        [season(session, one) for one in group] for group in (shown.running, shown.coming, shown.past[:6])
    )
    cards = listing.cards(session, now)
    return Events(cards, running, coming, past, calendar.next_tuesday(today), today)


def finder(
    session: Session, today: date, *, text: str = "", province: str = "", city: str = "", page: int = 1
) -> Finder:
    """The outlets that a visitor looks for; none are listed before something was asked."""
    provinces = outlets.province_names(session)
    province = province if province in provinces else ""
    cities = outlets.city_names(session, province) if province else []
    city = city if city in cities else ""
    asked = bool(text or province)
    found = outlets.search(
        session,
        text,
        province,
        city,
        page,
        size=OUTLETS_PER_PAGE if asked else 1,
        kind=OutletKind.outlet,
        open_on=today,
    )
    return Finder(text, province, city, provinces, cities, found if asked else None, found.total)


def library(session: Session, *, kind: str = "", topic: str = "") -> Library:
    """All published pieces in groups by kind."""
    published = lifecycle.published_list(session)
    kinds = {each.value: KIND_NAMES[each] for each in Kind if any(one.kind == each for one in published)}
    topics = [
        name for name, _count in Counter(one for each in published for one in each.topics).most_common()
    ]
    kind = kind if kind in kinds else ""
    topic = topic if topic in topics else ""
    groups = []
    for each, name in kinds.items():
        pieces = [] if kind and each != kind else lifecycle.published_list(session, each)
        pieces = [piece for piece in pieces if not topic or topic in piece.topics]
        if pieces:
            groups.append((each, name, pieces))
    return Library(kind, topic, kinds, topics, groups)


def sitemap(session: Session, today: date) -> list[SiteEntry]:
    """Every address worth finding: fixed pages, campaigns, pieces, open outlets."""
    fixed = (
        "/",
        "/events",
        "/events/calendar",
        "/o",
        "/help",
        "/library",
        "/guides",
        "/topics",
        "/diary",
        "/privacy",
        "/accessibility",
    )
    entries = [SiteEntry(path) for path in fixed]
    shown = programme.on_show(session, today)
    for one in (*shown.running, *shown.coming, *shown.past):
        entries.append(SiteEntry(one.url, _day(one.updated_at)))
    for each in listing.open_series(session):
        entries.append(SiteEntry(each.url, _day(each.updated_at)))
    published = lifecycle.published_list(session)
    for piece in published:
        entries.append(SiteEntry(piece.url, _day(piece.published_at)))
    entries += [SiteEntry(f"/topics/{quote(name)}") for name, _count in subjects.overview(published).topics]
    entries += [SiteEntry(f"/rights/{slug}") for slug in subjects.SLUGS.values()]
    wanted = outlets.Filter(kind=OutletKind.outlet, state="open", today=today)
    for outlet in outlets.chosen(session, wanted):
        entries.append(SiteEntry(f"/o/{outlet.code}", _day(outlet.updated_at)))
    return entries


def _day(at: datetime) -> date:
    return at.date()
