"""Four eyes for imports and for taking them back: what a decision does, and what the page of a request shows."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from core.errors import Conflict
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, approvals
from institution.approval_models import Approval
from tracking.definition import KIND_NAMES
from tracking.imports import register
from tracking.imports.models import APPROVED, CHANGES, REJECTED, WAITING, WITHDRAWN, ReachImport

PERMISSION = "reach.approve"


def settled(
    session: Session, approval: Approval, outcome: str, by: int, now: datetime, _opinion: str
) -> None:
    """The last decision: approved, the lines will be deposited; anything else lets the file go."""
    one = register.get(session, int(approval.subject))
    if one.state != WAITING:
        raise Conflict(mark("这次导入已有结论，请刷新查看。"))
    one.decided_by, one.decided_at = by, now
    if outcome != approvals.APPROVED:
        one.state, one.claim = (CHANGES if outcome == approvals.CHANGES else REJECTED), None
    else:
        one.state = APPROVED
        if one.undoes is not None:
            old = register.get(session, one.undoes)
            old.undone_by, old.claim = one.id, None  # the same file may come again
            session.add(old)
    session.add(one)
    session.flush()


def take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    """Who asked withdraws it; the file may be handed in again."""
    approvals.withdraw(session, approval.id or 0, by=by, now=now)
    one = register.get(session, int(approval.subject))
    one.state, one.claim = WITHDRAWN, None
    session.add(one)
    session.flush()


def facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    """What somebody who decides should know."""
    one = register.get(session, int(approval.subject))
    kinds = one.totals["kind"]
    said = [
        (_("来源"), register.title(one)),
        (_("日期"), f"{one.first_day} – {one.last_day}"),
        (_("数量"), _("、").join(f"{_(KIND_NAMES[kind])} {number:,}" for kind, number in kinds.items())),
        (_("行数"), _("%(rows)s 行，其中 %(skipped)s 行没有数量", rows=f"{one.rows:,}", skipped=f"{one.skipped:,}")),
    ]  # fmt: skip
    if one.undoes is not None:
        said.append((_("办法"), _("写入数量相反的更正事件，原来的事件一条也不删。")))
    other = _same_days(session, one)
    if other:
        numbers = _("、").join(str(each.id) for each in other[:5])
        said.append((_("请留意"), _("同来源、日期有重叠的导入：第 %(numbers)s 号", numbers=numbers)))
    return said


def _same_days(session: Session, one: ReachImport) -> list[ReachImport]:
    """Other imports of this source that stand and share days and place: perhaps the same counted twice."""
    query = select(ReachImport).where(
        ReachImport.source == one.source,
        ReachImport.outlet_code == one.outlet_code,
        col(ReachImport.claim).is_not(None),
        col(ReachImport.undoes).is_(None),
        ReachImport.id != one.id,
        ReachImport.first_day <= one.last_day,
        ReachImport.last_day >= one.first_day,
    )
    return list(session.exec(query.order_by(col(ReachImport.id))))


def current(session: Session, approval: Approval) -> str | None:
    """The hash of what is kept now, None when it is no longer waiting."""
    one = session.get(ReachImport, int(approval.subject))
    return register.digest(session, one) if one is not None and one.state == WAITING else None


for _name, _label in ((register.IMPORT, mark("导入触达数据")), (register.UNDO, mark("撤销触达导入"))):
    approval_kinds.declare(
        approval_kinds.Kind(
            name=_name,
            label=_label,
            permission=PERMISSION,
            settled=settled,
            facts=facts,
            href=lambda approval: f"/desk/reach/imports/{approval.subject}",
            take_back=take_back,
            current=current,
        )
    )
