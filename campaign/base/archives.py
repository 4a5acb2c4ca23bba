"""Archives of plaques and posters as rows: asked for, cancelled, tried again, found by whom they belong to. Making: `carrying`."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.base.models import CANCELLED, DONE, FAILED, PLAQUES, POSTERS, QUEUED, RUNNING, PlaqueArchive
from campaign.base.plaque import SIZES
from content.models import Revision
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.powers import Scope

audit.declare(
    {
        "base.plaques": mark("制作基地铜牌文件"),
        "base.plaques.cancel": mark("取消制作铜牌文件"),
        "base.plaques.take": mark("下载基地铜牌文件"),
        "base.posters": mark("为网点制作长图"),
        "base.posters.cancel": mark("取消为网点制作长图"),
        "base.posters.take": mark("下载各网点的长图"),
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
    if _moving(session, node, PLAQUES):
        raise Conflict(mark("这个机构的铜牌文件正在制作，请等它做好，或先取消它。"), field="outlet_code")
    one = PlaqueArchive(outlet_code=node, size=size, pdf=pdf, outlets=list(codes), made_by=by, asked_at=now)
    session.add(one)
    session.flush()
    after = {"count": one.total, "form": f"{size} {'SVG+PDF' if pdf else 'SVG'}"}
    audit.record(session, "base.plaques", "plaques", one.id, after=after, outlet_code=node)
    return one


def ask_posters(
    session: Session,
    node: str,
    codes: Sequence[str],
    piece: Revision,
    *,
    campaign: str,
    by: int | None,
    now: datetime,
) -> PlaqueArchive:
    """Have a long graphic stamped for each of these outlets of a node. Conflict while that is under way for the piece."""
    if not codes:
        raise Invalid(mark("这个机构下没有营业的网点。"), field="outlet_code")
    if _moving(session, node, POSTERS, piece.piece_key):
        raise Conflict(mark("这个机构的长图正在制作，请等它做好，或先取消它。"), field="outlet_code")
    one = PlaqueArchive(
        outlet_code=node, kind=POSTERS, size="", pdf=False, piece_key=piece.piece_key, revision=piece.number,
        campaign=campaign, outlets=list(codes), made_by=by, asked_at=now,
    )  # fmt: skip
    session.add(one)
    session.flush()
    after = {"title": piece.title, "number": piece.number, "count": one.total}
    audit.record(session, "base.posters", "posters", one.id, after=after, outlet_code=node)
    return one


def _moving(session: Session, node: str, kind: str, piece: str = "") -> bool:
    found = select(PlaqueArchive.id).where(
        PlaqueArchive.outlet_code == node,
        PlaqueArchive.kind == kind,
        PlaqueArchive.piece_key == piece,
        col(PlaqueArchive.state).in_((QUEUED, RUNNING)),
    )
    return session.exec(found).first() is not None


def get(session: Session, number: int, kind: str = PLAQUES) -> PlaqueArchive:
    """An archive of this kind, or NotFound."""
    one = session.get(PlaqueArchive, number)
    if one is None or one.kind != kind:
        raise NotFound(_GONE[kind])
    return one


_GONE = {
    PLAQUES: mark("没有找到这份铜牌文件，可能已经过期。"),
    POSTERS: mark("没有找到这份长图文件，可能已经过期。"),
}


def listing(session: Session, scope: Scope, kind: str = PLAQUES) -> list[PlaqueArchive]:
    """Those of a part of the tree, the newest first."""
    query = select(PlaqueArchive).where(
        scope.condition(PlaqueArchive.outlet_code), PlaqueArchive.kind == kind
    )
    return list(session.exec(query.order_by(col(PlaqueArchive.id).desc()).limit(100)))


def cancel(session: Session, number: int, kind: str = PLAQUES, *, now: datetime) -> None:
    """End it; what is on disk goes with the next look of the job. Conflict when it has ended already."""
    values: dict[str, object] = {"state": CANCELLED, "ended_at": now, "leased_until": None}
    one = _move(session, get(session, number, kind), (QUEUED, RUNNING), values)
    _record(session, one, ".cancel", {"state": CANCELLED})


def again(session: Session, number: int, kind: str = PLAQUES) -> None:
    """Try once more what failed; what was finished of it is kept."""
    values: dict[str, object] = {"state": QUEUED, "ended_at": None, "fault": ""}
    one = _move(session, get(session, number, kind), (FAILED,), values)
    _record(session, one, "", {"state": QUEUED})


def taken(session: Session, one: PlaqueArchive) -> None:
    """Record that somebody downloaded it."""
    _record(session, one, ".take", {"count": one.total})


def _record(session: Session, one: PlaqueArchive, act: str, after: dict[str, object]) -> None:
    audit.record(session, f"base.{one.kind}{act}", one.kind, one.id, after=after, outlet_code=one.outlet_code)


def _move(
    session: Session, one: PlaqueArchive, states: Sequence[str], values: dict[str, object]
) -> PlaqueArchive:
    mine = update(PlaqueArchive).where(col(PlaqueArchive.id) == one.id, col(PlaqueArchive.state).in_(states))
    if session.connection().execute(mine.values(**values)).rowcount != 1:
        raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))
    session.expire_all()
    return one
