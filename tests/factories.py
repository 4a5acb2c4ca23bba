"""The named cast of the tests: a small tree of outlets with an outsider, and people of the desk."""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from institution import people
from institution.models import Outlet, OutletSpan, Staff

HEAD_OFFICE = "100000"
PROVINCE = "330000"  # 浙江, where the story plays
CITY = "330100"
COUNTY = "330106"
OUTLET_A = "33010601"
OUTLET_B = "33010602"
OUTSIDE_PROVINCE = "510000"  # 四川, which must not see or be seen
OUTSIDE_OUTLET = "51010401"
BEGINNING = date(1900, 1, 1)

EDITOR, REVIEWER, ADMINISTRATOR = "lin.editor", "zhou.reviewer", "wang.admin"
BRANCH_MANAGER, OUTLET_STAFF, OUTSIDER = "chen.branch", "wu.outlet", "luo.outsider"
PASSWORDS = {
    EDITOR: "a lantern on the river",
    REVIEWER: "seven bridges in the rain",
    ADMINISTRATOR: "pine needles under snow",
}
# Grants: roles for a node of the tree and all below, "" for the whole institution.
_ROLES = {
    EDITOR: ("林编辑", "editor", ""),
    REVIEWER: ("周审查", "reviewer", ""),
    ADMINISTRATOR: ("王管理", "administrator", ""),
    BRANCH_MANAGER: ("陈负责", "branch_manager", PROVINCE),
    OUTLET_STAFF: ("吴柜员", "outlet_staff", OUTLET_A),
    OUTSIDER: ("罗负责", "branch_manager", OUTSIDE_PROVINCE),
}

_TREE = [
    # code, name, kind, parent, province, city, county
    (HEAD_OFFICE, "示范人寿保险总公司", "head_office", None, "", "", ""),
    (PROVINCE, "浙江省分公司", "province", HEAD_OFFICE, "浙江省", "", ""),
    (CITY, "杭州中心支公司", "city", PROVINCE, "浙江省", "杭州市", ""),
    (COUNTY, "西湖支公司", "county", CITY, "浙江省", "杭州市", "西湖区"),
    (OUTLET_A, "西湖文三路柜面", "outlet", COUNTY, "浙江省", "杭州市", "西湖区"),
    (OUTLET_B, "西湖古荡柜面", "outlet", COUNTY, "浙江省", "杭州市", "西湖区"),
    (OUTSIDE_PROVINCE, "四川省分公司", "province", HEAD_OFFICE, "四川省", "", ""),
    (OUTSIDE_OUTLET, "锦江春熙路柜面", "outlet", OUTSIDE_PROVINCE, "四川省", "成都市", "锦江区"),
]


def outlet(
    session: Session, code: str, name: str, kind: str, parent: str | None, *, now: datetime, **more: Any
) -> Outlet:
    """One node with the span that names it from the beginning."""
    row = Outlet(code=code, name=name, kind=kind, parent_code=parent, updated_at=now, **more)
    session.add(row)
    session.flush()
    session.add(OutletSpan(code=code, name=name, kind=kind, parent_code=parent, valid_from=BEGINNING))
    session.flush()
    return row


def tree(session: Session, now: datetime) -> dict[str, Outlet]:
    """The named tree, by code."""
    made = {}
    for code, name, kind, parent, province, city, county in _TREE:
        made[code] = outlet(session, code, name, kind, parent, now=now, province=province, city=city)
        made[code].county = county
        if kind == "outlet":
            made[code].address = f"{city}{county}示例路 1 号"
            made[code].hours = "周一至周五 9:00–17:00"
            made[code].longitude, made[code].latitude = (
                (120.1, 30.3) if province == "浙江省" else (104.1, 30.6)
            )
    session.flush()
    return made


def staff(session: Session, login: str, now: datetime) -> Staff:
    """One of the cast of _ROLES, with a password already their own (`password(login)`)."""
    name, role, node = _ROLES[login]
    return person(session, login, name, role, now, at=node)


def person(session: Session, login: str, name: str, role: str, now: datetime, *, at: str = "") -> Staff:
    """An account of any role for any node, with the password of `password(login)`."""
    account, first = people.add(session, login=login, name=name, roles=[role], now=now, at=at)
    people.change_password(session, account, first, password(login), now=now)
    return account


def password(login: str) -> str:
    """The password of somebody of the tests."""
    return PASSWORDS.get(login, f"the long night of {login[::-1]} ends")


def cast(session: Session, now: datetime) -> dict[str, Staff]:
    """The tree and the three people; returns the people by login."""
    tree(session, now)
    return {login: staff(session, login, now) for login in PASSWORDS}
