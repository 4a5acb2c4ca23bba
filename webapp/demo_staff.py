"""People of the demo institution: one account for each role, so that two can meet over one decision."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.errors import Conflict
from core.i18n import mark
from institution import people, second_factor
from institution.models import Outlet, Staff
from institution.powers import WHOLE

PROVINCE = "330000"


@dataclass(frozen=True, slots=True)
class Access:
    """How somebody of the demo gets in: login, name, role, place, and a one-time password shown once."""

    login: str
    name: str
    role: str
    place: str
    password: str


# login, name, role, place: the whole institution, the demo's province, or its first outlet
_CAST = (
    ("demo.campaign", mark("何主管"), "campaign_manager", "whole"),
    ("demo.editor", mark("林编辑"), "editor", "whole"),
    ("demo.reviewer", mark("周审查"), "reviewer", "whole"),
    ("demo.push", mark("许推送"), "push_operator", "whole"),
    ("demo.complaint", mark("孟投诉"), "complaint_handler", "whole"),
    ("demo.analyst", mark("唐分析"), "analyst", "whole"),
    ("demo.auditor", mark("严审计"), "auditor", "whole"),
    ("demo.branch", mark("陈负责"), "branch_manager", "province"),
    ("demo.branch-reviewer", mark("方审查"), "reviewer", "province"),
    ("demo.outlet", mark("吴柜员"), "outlet_staff", "outlet"),
)


def enrol(session: Session, now: datetime) -> list[Access]:
    """Make the accounts, or give those that stand new one-time passwords; Conflict without the demo's tree."""
    places = _places(session)
    found = []
    for login, name, role, where in _CAST:
        account, place = people.by_login(session, login), places[where]
        if account is None:
            account, password = people.add(
                session, login=login, name=name, roles=[role], now=now, at=place, demo=True
            )
        else:
            account.active = True
            second_factor.reset(session, account, by=None, now=now)
            password = people.reset_password(session, account, now=now)
        found.append(Access(login, name, role, place, password))
    return found


def dismiss(session: Session, now: datetime) -> int:
    """Close the demo's accounts, whose records stay; returns how many were open."""
    accounts = session.exec(select(Staff).where(col(Staff.demo), col(Staff.active))).all()
    for account in accounts:
        people.close(session, account, by=None, now=now)
    return len(accounts)


def _places(session: Session) -> dict[str, str]:
    query = select(Outlet.code).where(
        col(Outlet.demo), Outlet.kind == "outlet", col(Outlet.code).startswith(PROVINCE[:2])
    )
    outlet = session.exec(query.order_by(Outlet.code)).first()
    if outlet is None:
        raise Conflict(mark("还没有示范机构：请先运行 signpost demo load。"))
    return {"whole": WHOLE, "province": PROVINCE, "outlet": outlet}
