"""Saved views of the report: kept, renamed, shared, put first, deleted and brought back."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlmodel import Session, and_, col, delete, or_, select

from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.models import Staff
from institution.powers import WHOLE, Scope
from tracking.report_address import Address
from tracking.view_models import ReachView

audit.declare(
    {
        "reach_view.save": mark("保存报告视图"),
        "reach_view.rename": mark("更名报告视图"),
        "reach_view.share": mark("共享报告视图"),
        "reach_view.first": mark("设为默认报告视图"),
        "reach_view.delete": mark("删除报告视图"),
        "reach_view.restore": mark("恢复报告视图"),
    }
)
# More than anybody finds again, and for how long a deleted one can be brought back.
MOST, KEPT = 50, timedelta(days=30)
_LONGEST, _LONGEST_QUERY = 60, 4000


def save(
    session: Session, owner: int, name: str, query: str, *, scope: Scope, shared: bool, now: datetime
) -> ReachView:
    """Keep an address under a name; Invalid for a name that is empty, too long, or taken by another of one's own.

    It belongs to the branch that it is about, else to where the owner's part begins.
    """
    given = Address.read(query)
    if len(given.query) > _LONGEST_QUERY:
        raise Invalid(mark("筛选条件太多，存不下。请少选几项。"), field="query")
    code = given.get("within") or (WHOLE if scope.whole else min(scope.tops))
    if not scope.covers(session, code):
        raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))
    session.exec(delete(ReachView).where(col(ReachView.deleted_at) < now - KEPT))
    if len(mine(session, owner)) >= MOST:
        raise Conflict(mark("每人最多保存 %(most)s 个视图，请先删除不用的。"), most=MOST)
    made = ReachView(
        owner_id=owner,
        name=_free(session, owner, name),
        query=given.query,
        outlet_code=code,
        shared=shared,
        created_at=now,
    )
    session.add(made)
    session.flush()
    _record(session, "save", made, after={"name": made.name, "query": made.query, "shared": shared})
    return made


def rename(session: Session, view: ReachView, name: str) -> None:
    """Another name; the one before is remembered for going back."""
    before = view.name
    view.name = _free(session, view.owner_id, name, but=view.id)
    view.former_name = before
    _record(session, "rename", view, before={"name": before}, after={"name": view.name})


def share(session: Session, view: ReachView, *, shared: bool) -> None:
    """Open it to others, or to nobody but the owner."""
    before, view.shared = view.shared, shared
    _record(session, "share", view, before={"shared": before}, after={"shared": shared})


def put_first(session: Session, view: ReachView, *, first: bool) -> None:
    """Let the report open with this view, and with no other."""
    for other in mine(session, view.owner_id):
        other.first = first and other.id == view.id
        session.add(other)
    _record(session, "first", view, after={"first": first})


def remove(session: Session, view: ReachView, now: datetime) -> None:
    """Delete it; for a month it can be brought back."""
    view.deleted_at, view.first = now, False
    _record(session, "delete", view, before={"name": view.name, "query": view.query})


def restore(session: Session, view: ReachView) -> None:
    """Bring a deleted one back, under its name or, where that is taken, another."""
    view.deleted_at = None
    taken = {one.name for one in mine(session, view.owner_id) if one.id != view.id}
    number, name = 2, view.name
    while view.name in taken:
        view.name, number = f"{name[: _LONGEST - 4]} {number}", number + 1
    _record(session, "restore", view, after={"name": view.name})


def mine(session: Session, owner: int) -> Sequence[ReachView]:
    """The person's own views by name."""
    query = select(ReachView).where(ReachView.owner_id == owner, col(ReachView.deleted_at).is_(None))
    return session.exec(query.order_by(col(ReachView.name), col(ReachView.id))).all()


def shared_with(session: Session, owner: int, scope: Scope) -> list[tuple[ReachView, str]]:
    """What others shared, with the name of who did."""
    query = (
        select(ReachView, Staff.name)
        .join(Staff, col(Staff.id) == col(ReachView.owner_id))
        .where(
            ReachView.owner_id != owner,
            col(ReachView.shared),
            col(ReachView.deleted_at).is_(None),
            scope.condition(ReachView.outlet_code, above=True),
        )
    )
    return [(one, name) for one, name in session.exec(query.order_by(col(ReachView.name), col(ReachView.id)))]


def visible(session: Session, number: int, owner: int, scope: Scope) -> ReachView:
    """A view that this person may open; NotFound for all others alike."""
    others = and_(
        col(ReachView.shared),
        col(ReachView.deleted_at).is_(None),
        scope.condition(ReachView.outlet_code, above=True),
    )
    found = session.exec(
        select(ReachView).where(ReachView.id == number, or_(col(ReachView.owner_id) == owner, others))
    ).one_or_none()
    if found is None:
        raise NotFound(mark("没有找到这个视图，它可能已被删除。"))
    return found


def own(session: Session, number: int, owner: int) -> ReachView:
    """A view that this person may change: their own; NotFound for all others."""
    found = session.get(ReachView, number)
    if found is None or found.owner_id != owner:
        raise NotFound(mark("没有找到这个视图，它可能已被删除。"))
    return found


def first(session: Session, owner: int) -> ReachView | None:
    """The view with which the report opens for this person."""
    query = select(ReachView).where(
        ReachView.owner_id == owner, col(ReachView.first), col(ReachView.deleted_at).is_(None)
    )
    return session.exec(query).first()


def address(session: Session, view: ReachView, scope: Scope) -> Address:
    """The address of a view for a reader: where it is about a part that is not theirs, their own part."""
    given = Address.read(view.query)
    within = given.get("within")
    return given if not within or scope.covers(session, within) else given.but(within="")


def _free(session: Session, owner: int, name: str, *, but: int | None = None) -> str:
    name = " ".join(name.split())
    if not 1 <= len(name) <= _LONGEST:
        raise Invalid(mark("请给视图起一个名字，最多 %(most)s 个字。"), field="name", most=_LONGEST)
    if any(one.name == name and one.id != but for one in mine(session, owner)):
        raise Invalid(mark("您已有一个叫“%(name)s”的视图，请换个名字。"), field="name", name=name)
    return name


def _record(
    session: Session,
    verb: str,
    view: ReachView,
    *,
    before: dict[str, object] | None = None,
    after: dict[str, object] | None = None,
) -> None:
    session.add(view)
    audit.record(
        session,
        f"reach_view.{verb}",
        "reach_view",
        view.id,
        before=before,
        after=after,
        outlet_code=view.outlet_code,
    )
