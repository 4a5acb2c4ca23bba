"""The demo institution as a whole: its tree, bases, events, returns, pushes, two years of reach; loaded, taken away."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import delete, func
from sqlmodel import Session, col, select

from content import lifecycle, pages
from core import clock
from core.database import Database
from core.errors import Conflict
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import audit, outlet_changes
from institution.models import Outlet, OutletSpan
from institution.outlet_changes import Change, Plan
from scheduler.account_secrets import Secrets
from tracking import demo as demo_reach
from tracking.demo_plan import CAMPAIGNS, DemoOutlet
from tracking.models import Dimension
from tracking.store import ReachStore
from webapp import demo_base, demo_events, demo_pushes, demo_returns, demo_staff, demo_tree
from webapp.runtime import Runtime

audit.declare({"demo.clear": mark("清除示范机构")})


def load(runtime: Runtime, scale: int) -> dict[int, int]:
    """Load tree and reach at one `scale`-th; returns the person-times of each year. Again: the same state."""
    database = runtime.service(Database)
    planned = demo_tree.tree()
    store = runtime.service(ReachStore)  # says at once when the server holds it
    with database.reading() as session:
        _refuse_real(session)
        pieces = [each.key for each in lifecycle.published_list(session)]
    # The tree comes last: where it stands, its reach stands too, also after a load that was cut off.
    totals = demo_reach.load(store, reach_outlets(planned), pieces, scale=scale)
    with database.transaction() as session:
        outlet_changes.lock(session)
        _refuse_real(session)
        if not _count(session, demo=True):
            _plant(session, planned)
            demo_base.plant(session, planned, pieces, clock.now())
        demo_reach.describe_keys(session)
        settings = runtime.service(Settings)
        demo_events.plant(session, settings.zone, settings.holidays, clock.now())
        vault = runtime.service(Vault)
        held = Secrets(runtime.service(Keys), vault)
        demo_pushes.plant(session, settings, held, vault, pieces, now=clock.now())
        pages.bump(session)
    demo_returns.plant(database, runtime.service(Settings), clock.now())
    return totals


def is_wanted(runtime: Runtime) -> bool:
    """Whether there is no tree yet, neither a demo one nor a real one."""
    with runtime.service(Database).reading() as session:
        return not session.exec(select(func.count()).select_from(Outlet)).one()


def clear(runtime: Runtime) -> int:
    """Take the demo away, tree and reach, and nothing else; returns how many outlets went."""
    database = runtime.service(Database)
    with database.reading() as session:
        _refuse_real_below(session)
    demo_reach.clear(runtime.service(ReachStore))
    with database.transaction() as session:
        outlet_changes.lock(session)
        _refuse_real_below(session)
        codes = select(Outlet.code).where(col(Outlet.demo))
        gone = _count(session, demo=True)
        demo_base.clear(session)
        demo_pushes.clear(session)
        demo_returns.clear(session)
        demo_events.clear(session)
        session.execute(delete(OutletSpan).where(col(OutletSpan.code).in_(codes)))
        session.execute(delete(Outlet).where(col(Outlet.demo)))
        demo_staff.dismiss(session, clock.now())
        keys = [campaign.key for campaign in CAMPAIGNS]
        session.execute(
            delete(Dimension).where(col(Dimension.kind) == "campaign", col(Dimension.key).in_(keys))
        )
        audit.record(session, "demo.clear", "outlet", "", before={"count": gone})
        pages.bump(session)
    return gone


def reach_outlets(planned: Iterable[demo_tree.Planned]) -> list[DemoOutlet]:
    """The nodes that reach people: the outlets, with their weight and the days they were open."""
    return [
        DemoOutlet(each.values["code"], each.weight, each.values["open_on"], each.values["closed_on"])
        for each in planned
        if each.values["kind"] == "outlet"
    ]


def _plant(session: Session, planned: Iterable[demo_tree.Planned]) -> None:
    changes = [
        Change(each.values["code"], each.values["name"], ("added",), (), dict(each.values), tuple(each.steps))
        for each in planned
    ]
    outlet_changes.apply(session, Plan(date.max, changes), clock.now(), demo=True)


def _count(session: Session, *, demo: bool) -> int:
    query = select(func.count()).select_from(Outlet).where(col(Outlet.demo).is_(demo))
    return session.exec(query).one()


def _refuse_real(session: Session) -> None:
    count = _count(session, demo=False)
    if count:
        raise Conflict(
            mark("树里已有 %(count)s 个自己的机构，示范机构只能载入空的树，以免混在一起。"), count=count
        )


def _refuse_real_below(session: Session) -> None:
    parents = select(Outlet.code).where(col(Outlet.demo))
    query = select(Outlet.code).where(col(Outlet.demo).is_(False), col(Outlet.parent_code).in_(parents))
    codes = list(session.exec(query.order_by(Outlet.code).limit(5)))
    if codes:
        raise Conflict(
            mark("自己的机构 %(codes)s 挂在示范机构下面：请先把它们调整到别的上级，再清除示范机构。"),
            codes=_("、").join(codes),
        )
