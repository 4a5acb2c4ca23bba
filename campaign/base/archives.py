"""Archives of plaques as rows: asked for, cancelled, tried again, found by whom they belong to. Making: `carrying`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.base.models import CANCELLED, DONE, FAILED, QUEUED, RUNNING, PlaqueArchive
from campaign.base.plaque import SIZES
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.powers import Scope

audit.declare(
    {
        "base.plaques": mark("制作基地铜牌文件"),
        "base.plaques.cancel": mark("取消制作铜牌文件"),
        "base.plaques.take": mark("下载基地铜牌文件"),
    }
)
STATES = {
    QUEUED: (mark("排队中"), "info"),
    RUNNING: (mark("正在制作"), "info"),
    DONE: (mark("已做好"), "good"),
    CANCELLED: (mark("已取消"), "idle"),
    FAILED: (mark("没有做成"), "bad"),
}


def ask(
    session: Session, node: str, codes: Sequence[str], *, size: str, pdf: bool, by: int | None, now: datetime
) -> PlaqueArchive:
    """Have the plaques of these outlets of a node made. Conflict while the node has one under way."""
    if size not in SIZES:
        raise Invalid(mark("请选择 A3 或 A4。"), field="size")
    if not codes:
        raise Invalid(mark("这个机构下没有营业的网点。"), field="outlet_code")
    moving = select(PlaqueArchive.id).where(
        PlaqueArchive.outlet_code == node, col(PlaqueArchive.state).in_((QUEUED, RUNNING))
    )
    if session.exec(moving).first() is not None:
        raise Conflict(mark("这个机构的铜牌文件正在制作，请等它做好，或先取消它。"), field="outlet_code")
    one = PlaqueArchive(outlet_code=node, size=size, pdf=pdf, outlets=list(codes), made_by=by, asked_at=now)
    session.add(one)
    session.flush()
    after = {"count": one.total, "form": f"{size} {'SVG+PDF' if pdf else 'SVG'}"}
    audit.record(session, "base.plaques", "plaques", one.id, after=after, outlet_code=node)
    return one


def get(session: Session, number: int) -> PlaqueArchive:
    """An archive, or NotFound."""
    one = session.get(PlaqueArchive, number)
    if one is None:
        raise NotFound(mark("没有找到这份铜牌文件，可能已经过期。"))
    return one


def listing(session: Session, scope: Scope) -> list[PlaqueArchive]:
    """Those of a part of the tree, the newest first."""
    query = select(PlaqueArchive).where(scope.condition(PlaqueArchive.outlet_code))
    return list(session.exec(query.order_by(col(PlaqueArchive.id).desc()).limit(100)))


def cancel(session: Session, number: int, *, now: datetime) -> None:
    """End it; what is on disk goes with the next look of the job. Conflict when it has ended already."""
    _move(session, number, (QUEUED, RUNNING), {"state": CANCELLED, "ended_at": now, "leased_until": None})
    one = get(session, number)
    audit.record(
        session, "base.plaques.cancel", "plaques", number, after={"state": CANCELLED}, outlet_code=one.outlet_code
    )  # fmt: skip


def again(session: Session, number: int) -> None:
    """Try once more what failed; what was finished of it is kept."""
    _move(session, number, (FAILED,), {"state": QUEUED, "ended_at": None, "fault": ""})
    one = get(session, number)
    audit.record(
        session, "base.plaques", "plaques", number, after={"state": QUEUED}, outlet_code=one.outlet_code
    )


def taken(session: Session, one: PlaqueArchive) -> None:
    """Record that somebody downloaded it."""
    after = {"count": one.total}
    audit.record(session, "base.plaques.take", "plaques", one.id, after=after, outlet_code=one.outlet_code)


def _move(session: Session, number: int, states: Sequence[str], values: dict[str, object]) -> None:
    get(session, number)
    mine = update(PlaqueArchive).where(col(PlaqueArchive.id) == number, col(PlaqueArchive.state).in_(states))
    if session.connection().execute(mine.values(**values)).rowcount != 1:
        raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))
    session.expire_all()
