"""Which rows of a sheet somebody may apply who is responsible for a part of the tree only."""

from collections.abc import Mapping

from sqlmodel import Session, select

from core.i18n import mark
from institution.models import Outlet
from institution.outlet_rows import Draft, Fault
from institution.powers import Scope


def inside(session: Session, scope: Scope) -> set[str] | None:
    """The codes of a part of the tree; None for the whole institution, where nothing lies outside."""
    if scope.whole:
        return None
    return set(session.scalars(select(Outlet.code).where(scope.condition(Outlet.code))))


def outside(drafts: list[Draft], existing: Mapping[str, Outlet], codes: set[str]) -> list[Fault]:
    """A fault for every row that touches a node outside, or puts one there.

    A node that stands moves only from inside to inside; a new one comes under a node inside, or under
    another new one that does. One sentence for a parent outside and for one that does not exist.
    """
    new = {each.code: each for each in drafts if each.code not in existing}
    return [fault for each in drafts if (fault := _fault(each, existing.get(each.code), new, codes))]


def _fault(each: Draft, outlet: Outlet | None, new: Mapping[str, Draft], codes: set[str]) -> Fault | None:
    number = each.row.number
    if outlet is not None and outlet.code not in codes:
        return Fault(number, "code", mark("编号 %(code)s 不在您负责的范围内。"), {"code": each.code})
    parent = each.values.get("parent_code")
    if outlet is not None and ("parent_code" not in each.values or parent == outlet.parent_code):
        return None
    if _lies_inside(parent, new, codes):
        return None
    if not parent:
        return Fault(number, "parent_code", mark("请填上级编号，它要在您负责的范围内。"))
    rule = mark("您负责的范围内没有编号为 %(parent)s 的上级。")
    return Fault(number, "parent_code", rule, {"parent": parent})


def _lies_inside(code: str | None, new: Mapping[str, Draft], codes: set[str]) -> bool:
    passed: set[str] = set()
    while code and code not in codes and code in new and code not in passed:
        passed.add(code)
        code = new[code].values.get("parent_code")
    return code in codes
