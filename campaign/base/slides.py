"""What the screen of a waiting hall shows: the base itself, its shelf, what there is to attend; one slide each."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from campaign import calendar, programme
from campaign.base import page
from campaign.base.page import NextEvent, Offered
from content.listing import PublishedPiece
from core.i18n import gettext as _
from institution import outlets
from institution.models import Outlet
from tracking import links
from tracking.attribution import PARAMETER, Attribution, Attributions, PageKeys

SECONDS = 12  # a slide: its words are read aloud in eight
SEND_EVERY = 300  # seconds between two batches of a screen: 2,500 of them ask eight times a second
LOOK_EVERY = 300  # seconds between two looks for new slides
GONE_EVERY = 20  # seconds between two looks for what was taken down: a few bytes
CHANNEL = "screen"
_END = re.compile(r"(?<=[。！？!?])|(?<=\.)\s")
_LONGEST = 48


@dataclass(frozen=True, slots=True)
class Slide:
    """One slide. `sort` is piece, event or base; `keys` is what a showing of it is counted for, sealed."""

    sort: str
    title: str
    sentence: str
    kicker: str
    qr: str
    keys: str
    piece: PublishedPiece | None = None
    event: NextEvent | None = None
    theme: str = "plain"


@dataclass(frozen=True, slots=True)
class ScreenPage:
    """All slides of an outlet's screen, with what it offers."""

    outlet: Outlet
    slides: Sequence[Slide]
    services: Offered
    facilities: Offered
    seconds: float
    send_every: float
    look_every: float
    gone_every: float


def screen_page(
    session: Session,
    code: str,
    today: date,
    *,
    attributions: Attributions,
    public_url: str,
    events: Sequence[NextEvent] = (),
) -> ScreenPage:
    """The slides of a screen, or NotFound for an outlet that there is not."""
    outlet = outlets.get(session, code)
    now = programme.current(session, today, code)
    maker = _Maker(outlet, now.code if now else "", attributions, public_url)
    pieces, _own = page.on_shelf(session, code, today)
    services, facilities = page.offered(session, code)
    slides = [maker.base(), *map(maker.piece, pieces), *map(maker.event, events or [_tuesday(today)])]
    return ScreenPage(outlet, slides, services, facilities, SECONDS, SEND_EVERY, LOOK_EVERY, GONE_EVERY)


@dataclass(frozen=True, slots=True)
class _Maker:
    """Makes slides whose codes and showings are owed to one outlet."""

    outlet: Outlet
    campaign: str
    attributions: Attributions
    public_url: str

    def base(self) -> Slide:
        """The outlet itself."""
        title = _("消费者权益保护教育宣传基地")
        return Slide(
            "base", title, _("看不懂的短信、接到的可疑电话，都可以在这里问一问。"), self.outlet.name,
            self._qr(f"/o/{self.outlet.code}"), self._keys(),
        )  # fmt: skip

    def piece(self, one: PublishedPiece) -> Slide:
        """A piece, to be read on at its page."""
        return Slide(
            "piece", one.shown_title, sentence(one.shown_summary), "", self._qr(one.url), self._keys(one.key),
            piece=one, theme=one.theme,
        )  # fmt: skip

    def event(self, one: NextEvent) -> Slide:
        """Something to attend here."""
        href = one.href or f"/o/{self.outlet.code}"
        return Slide(
            "event", one.title, sentence(one.text), one.when, self._qr(href), self._keys(), event=one
        )

    def _keys(self, piece: str = "") -> str:
        return self.attributions.seal(PageKeys(piece, self.campaign, self.outlet.code))

    def _qr(self, path: str) -> str:
        token = self.attributions.sign(Attribution(self.campaign, self.outlet.code, CHANNEL))
        return links.qr_svg(f"{self.public_url}{path}{'&' if '?' in path else '?'}{PARAMETER}={token}")


def _tuesday(today: date) -> NextEvent:
    day = calendar.next_tuesday(today)
    when = _("今天") if day == today else _("下个星期二")
    return NextEvent(day, _("相约星期二"), _("柜面留出时间，当面讲、当面问。想听什么，问柜台就行。"), when)


def sentence(text: str) -> str:
    """The first sentence of a text, or as much of it as is read from three metres."""
    first = next((part.strip() for part in _END.split(text) if part and part.strip()), "")
    return first if len(first) <= _LONGEST * (1 if not first.isascii() else 2) else f"{first[:_LONGEST]}…"
