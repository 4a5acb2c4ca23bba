"""Who may give which roles where, and which accounts lie in whose part of the tree."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, and_, delete, exists
from sqlmodel import Session, col, select

from core.errors import Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution import sessions
from institution.models import Grant, Outlet, Staff
from institution.powers import ROLES, WHOLE, Powers, Scope

Pairs = Sequence[tuple[str, str]]


def set_grants(session: Session, account: Staff, grants: Iterable[tuple[str, str]]) -> None:
    """Give exactly these pairs of role and node; Invalid for a role or a node that does not exist."""
    wanted = set(grants)
    check_grants(session, sorted(wanted)) if wanted else None
    session.execute(delete(Grant).where(col(Grant.staff_id) == account.id))
    session.add_all(
        Grant(staff_id=account.id or 0, role=role, outlet_code=code) for role, code in sorted(wanted)
    )
    session.flush()


def check_grants(session: Session, grants: Pairs) -> None:
    """Invalid unless there is at least one pair, and every role and node exists."""
    if not grants or any(role not in ROLES for role, _code in grants):
        raise Invalid(mark("请至少选一个角色。"), field="grants")
    codes = {code for _role, code in grants if code != WHOLE}
    known = set(session.exec(select(Outlet.code).where(col(Outlet.code).in_(sorted(codes)))))
    for code in sorted(codes - known):
        raise Invalid(mark("没有编号为“%(code)s”的机构，请检查范围。"), field="grants", code=code)


def place(grants: Pairs) -> str:
    """The node an account belongs to in records: that of all its grants, else the whole institution."""
    nodes = {code for _role, code in grants}
    return nodes.pop() if len(nodes) == 1 else WHOLE


def check_reach(session: Session, by: int | None, grants: Pairs) -> None:
    """NotAllowed unless `by` holds staff.edit, and every power of these grants, wherever they hold.

    An account without grants belongs to the whole institution. None may do all.
    """
    if by is None:
        return
    own = sessions.powers_of(session, by)
    scope = own.scope("staff.edit")
    nodes = {code for _role, code in grants} or {WHOLE}
    if not all(scope.covers(session, code) for code in nodes) or not own.includes(
        session, Powers(tuple(grants))
    ):
        raise NotAllowed(mark("这些角色或范围超出了您自己的权限，请让上级机构的管理员来做。"), field="grants")


def nodes_of(session: Session, staff_id: int) -> list[str]:
    """The nodes of an account's grants, all of which its administrator must hold; WHOLE when there are none."""
    account = session.get(Staff, staff_id)
    if account is None:
        raise NotFound(mark("没有找到这个账号。"))
    if account.system:
        return [WHOLE]
    return sorted({code for _role, code in sessions.powers_of(session, staff_id).grants}) or [WHOLE]


def within(scope: Scope) -> ColumnElement[bool]:
    """Condition on Staff: accounts of people whose every grant lies in this part of the tree."""
    people = col(Staff.system).is_(False)
    if scope.whole:
        return people
    own = col(Grant.staff_id) == col(Staff.id)
    inside = scope.condition(Grant.outlet_code)
    return and_(people, exists().where(own), ~exists().where(own, ~inside))
