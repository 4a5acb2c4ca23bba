"""One change for several outlets: what each would become, planned by the same rules as an import."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlmodel import Session, col, func, select

from core.errors import Invalid
from core.i18n import gettext, mark
from institution import outlet_changes
from institution.models import Outlet
from institution.outlet_files import Row, Sheet
from institution.outlet_plan import Plan
from institution.powers import Scope

HOURS, PHONE, CLOSE, REOPEN = "hours", "phone", "close", "reopen"
_FIELDS = {HOURS: "hours", PHONE: "phone", CLOSE: "closed_on", REOPEN: "closed_on"}
# Trunk prefix 0 with 10, 2x or three digits (YD/T 1079: area codes of fixed telephones)
_AREA = re.compile(r"0(?:10|2\d|[3-9]\d{2})", re.ASCII)
_LOCAL = re.compile(r"\d{3,4}[-\s]?\d{4}([-转\s]\d{1,6})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Act:
    """What is to be done to all of them (HOURS …), with which value, from which day on."""

    name: str
    value: str
    as_of: date


@dataclass(slots=True)
class Several:
    """What happens to several outlets: the plan for those it can happen to, and why it cannot to the others."""

    planned: Plan
    titles: dict[str, str]
    faults: dict[str, str] = field(default_factory=dict)
    open_below: dict[str, int] = field(default_factory=dict)


def value_of(act: str, text: str) -> str:
    """What was typed for an act, checked; Invalid names what it should be."""
    text = text.strip()
    if act == HOURS and not text:
        raise Invalid(mark("请填写新的营业时间。"), field="value")
    if act == PHONE and not _AREA.fullmatch(text):
        raise Invalid(mark("区号请写成 0571 或 010 这样的数字。"), field="value")
    if act == CLOSE:
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError as error:
            raise Invalid(mark("撤并日期请写成 2023-03-15。"), field="value") from error
    return text


def plan(session: Session, act: Act, codes: Sequence[str], scope: Scope) -> Several:
    """What the act would do to these outlets; nothing is written."""
    query = select(Outlet).where(col(Outlet.code).in_(list(codes)), scope.condition(Outlet.code))
    found = {one.code: one for one in session.exec(query)}
    faults = {
        code: gettext("没有这个机构，或者它不在您负责的范围内。") for code in codes if code not in found
    }
    rows = []
    for number, (code, outlet) in enumerate(sorted(found.items()), 2):
        try:
            cells = {"code": code, "name": outlet.name, _FIELDS[act.name]: _new(act, outlet)}
            rows.append(Row(number, cells))
        except Invalid as error:
            faults[code] = str(error)
    sheet = Sheet(["code", "name", _FIELDS[act.name]], [], [], rows)
    planned = outlet_changes.plan(session, sheet, act.as_of, skip_bad=True, scope=scope)
    for row, wrong in planned.rejected:
        faults[row.cells["code"]] = " ".join(fault.sentence() for fault in wrong)
    changed = {each.code for each in planned.changes}
    for row in rows:
        if row.cells["code"] not in changed:
            faults.setdefault(row.cells["code"], gettext("已经是这样，没有变化。"))
    titles = {code: found[code].name if code in found else code for code in codes}
    return Several(planned, titles, faults, _open_below(session, codes) if act.name == CLOSE else {})


def _new(act: Act, outlet: Outlet) -> str:
    if act.name == PHONE:
        return with_area(outlet.phone, act.value)
    return "" if act.name == REOPEN else act.value


def with_area(phone: str, area: str) -> str:
    """A fixed number under another area code; Invalid for what is none (a mobile, 95519, 400 …)."""
    local = (
        _AREA.sub("", phone.strip().strip("(（"), count=1) if phone.strip("(（ ").startswith("0") else phone
    )
    local = local.lstrip(")）- ").strip()
    if not _LOCAL.fullmatch(local):
        raise Invalid(
            mark("电话“%(phone)s”不是带区号的座机号，请单独修改。"), phone=phone or gettext("（空）")
        )
    return f"{area}-{local}"


def _open_below(session: Session, codes: Sequence[str]) -> dict[str, int]:
    """How many open nodes hang right under each: who closes a branch should know."""
    query = select(Outlet.parent_code, func.count()).where(
        col(Outlet.parent_code).in_(list(codes)), col(Outlet.closed_on).is_(None)
    )
    return {str(code): count for code, count in session.exec(query.group_by(col(Outlet.parent_code)))}
