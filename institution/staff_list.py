"""The list of accounts: found by words, role, node and state, within one's part of the tree."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import exists
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from core.i18n import gettext, mark
from institution import granting, places
from institution.desk_table import Column
from institution.models import Grant, Staff
from institution.powers import ROLES, Scope

STATES = {"open": mark("正常"), "first": mark("等待首次登录"), "closed": mark("已停用")}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    text: str = ""
    role: str = ""
    state: str = ""
    node: str = ""


def state_of(account: Staff) -> str:
    """Whether an account may sign in, never has, or is closed: a key of STATES."""
    if not account.active:
        return "closed"
    return "first" if account.must_change_password else "open"


def query(wanted: Wanted, scope: Scope) -> SelectOfScalar[Staff]:
    """The accounts of a part of the tree that fit."""
    found = select(Staff).where(granting.within(scope))
    for word in wanted.text.split()[:6]:
        found = found.where(
            col(Staff.name).icontains(word, autoescape=True)
            | col(Staff.login).icontains(word, autoescape=True)
        )
    own = col(Grant.staff_id) == col(Staff.id)
    if wanted.role in ROLES:
        found = found.where(exists().where(own, col(Grant.role) == wanted.role))
    if wanted.node:
        below = Scope(frozenset({wanted.node})).condition(Grant.outlet_code)
        found = found.where(exists().where(own, below))
    states = {
        "closed": col(Staff.active).is_(False),
        "first": col(Staff.active) & col(Staff.must_change_password),
        "open": col(Staff.active) & ~col(Staff.must_change_password),
    }
    return found.where(states[wanted.state]) if wanted.state in states else found


def grants_of(session: Session, accounts: Sequence[Staff]) -> dict[int, list[str]]:
    """The roles of accounts in words, `编辑（浙江省分公司）`, by account."""
    numbers = [one.id or 0 for one in accounts]
    found: dict[int, list[str]] = {number: [] for number in numbers}
    rows: list[Grant] = []
    for start in range(0, len(numbers), 500):
        part = col(Grant.staff_id).in_(numbers[start : start + 500])
        rows.extend(session.exec(select(Grant).where(part).order_by(col(Grant.role), col(Grant.outlet_code))))
    names = places.names(session, {one.outlet_code for one in rows})
    for one in rows:
        found[one.staff_id].append(words(one.role, names[one.outlet_code]))
    return found


def words(role: str, place: str) -> str:
    """One grant in words."""
    name = gettext(ROLES[role][0]) if role in ROLES else role
    return gettext("%(role)s（%(place)s）", role=name, place=place)


def columns(grants: Mapping[int, Sequence[str]]) -> tuple[Column[Staff], ...]:
    """The columns of the list and of its export; `grants` are the roles in words by account."""
    return (
        Column("name", mark("姓名"), lambda one: one.name, sort=Staff.name),
        Column("login", mark("登录名"), lambda one: one.login, sort=Staff.login),
        Column("roles", mark("角色"), lambda one: gettext("、").join(grants.get(one.id or 0, ()))),
        Column("state", mark("状态"), lambda one: gettext(STATES[state_of(one)]), sort=Staff.active),
        Column("second", mark("二次验证"), lambda one: bool(one.second_factor)),
        Column("signed_in", mark("上次登录"), lambda one: one.signed_in_at, sort=Staff.signed_in_at),
        Column("created", mark("建立时间"), lambda one: one.created_at, sort=Staff.created_at, shown=False),
    )
