"""My figures on the desk's first page: reach of the last week, outlets, campaigns, what is on the site."""

import threading
from datetime import date, datetime, timedelta

import structlog
from sqlmodel import Session, col, func, or_, select

from campaign.models import Campaign
from content.models import Piece, Revision, State
from core import clock
from core.http import service
from core.i18n import gettext as _
from core.settings import Settings
from institution import desk_home
from institution.access import SignedIn
from institution.desk_home import Figure
from institution.models import Outlet, OutletKind
from institution.powers import WHOLE
from tracking import periods, reports
from tracking.groupings import CHANNEL
from tracking.periods import Period
from tracking.reports import Ask, Line
from tracking.store import ReachStore

_DAYS = 7
_FRESH = timedelta(minutes=5)
_kept: dict[tuple[int, str, date], tuple[datetime, Line]] = {}
_lock = threading.Lock()


def plug() -> None:
    """Plug the figures in, in the order in which they are shown; again: changes nothing."""
    for maker in (reach, outlets, campaigns, pieces):
        desk_home.plug_figure(maker)


def _today() -> date:
    return clock.today(service(Settings).zone)


def reach(session: Session, person: SignedIn, now: datetime) -> Figure | None:
    """Person-times of the last seven full days, against the same days a year before."""
    scope = person.scope("reach.view")
    if not scope.whole and len(scope.tops) != 1:
        return None  # several parts: their sum would hide what is in both
    within, last = next(iter(scope.tops)) if not scope.whole else WHOLE, _today() - timedelta(days=1)
    period = Period(last - timedelta(days=_DAYS - 1), last)
    total = _total(session, within, period, now)
    if total is None:
        return None
    href = f"/desk/reach?from={period.first}&to={period.last}&within={within}"
    return Figure(_("近 7 天触达人次"), total.gross, href, growth=total.growth, grows=True)


def _total(session: Session, within: str, period: Period, now: datetime) -> Line | None:
    """The total of a period, remembered for some minutes; None when it cannot be told now."""
    store = service(ReachStore)
    key = (id(store), within, period.last)
    with _lock:
        known = _kept.get(key)
    if known and now - known[0] < _FRESH:
        return known[1]
    try:
        asked = Ask(periods.compare(period, periods.YEAR), (CHANNEL,), within, people=False)
        total = reports.report(store, session, asked).total
    except Exception as fault:  # whatever ails the store, a figure never breaks the page
        structlog.get_logger().warning("home_reach", fault=str(fault))
        return None
    with _lock:
        if len(_kept) > 500:
            _kept.clear()
        _kept[key] = (now, total)
    return total


def outlets(session: Session, person: SignedIn, _now: datetime) -> Figure | None:
    """Outlets that are open today in my part of the tree."""
    scope, day = person.scope("outlet.view"), _today()
    query = select(func.count()).where(
        Outlet.kind == OutletKind.outlet,
        scope.condition(Outlet.code),
        or_(col(Outlet.closed_on).is_(None), col(Outlet.closed_on) > day),
    )
    count = session.exec(query).one()
    return Figure(_("在营网点"), count, "/desk/outlets?kind=outlet&state=open") if count else None


def campaigns(session: Session, person: SignedIn, _now: datetime) -> Figure | None:
    """The campaign that runs now, with the days that are left; else how far away the next one is."""
    scope, day = person.scope("campaign.view"), _today()
    query = select(Campaign).where(
        scope.condition(Campaign.outlet_code, above=True), col(Campaign.ends_on) >= day
    )
    rows = list(session.exec(query.order_by(col(Campaign.starts_on)).limit(20)))
    if not rows:
        return None
    first = rows[0]
    href = f"/desk/campaigns/{first.code}"
    if first.starts_on > day:
        days = (first.starts_on - day).days
        return Figure(
            _("下一个活动期"), first.shown("name"), href, _("还有 %(days)s 天开始") % {"days": days}
        )
    left = (first.ends_on - day).days
    note = _("今天结束") if not left else _("还剩 %(days)s 天") % {"days": left}
    return Figure(_("正在进行"), first.shown("name"), href, note)


def pieces(session: Session, person: SignedIn, _now: datetime) -> Figure | None:
    """Pieces on the site that I may look at."""
    query = (
        select(func.count())
        .select_from(Revision)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(
            Revision.state == State.published,
            person.scope("content.view").condition(Piece.outlet_code, above=True),
        )
    )
    count = session.exec(query).one()
    return Figure(_("网站上的内容"), count, "/desk/pieces?state=published") if count else None
