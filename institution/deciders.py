"""Who may decide a step: whoever holds its permission over its node, or stands in for somebody who does.

Never the requester, and nobody twice in one request: neither in person nor through a stand-in.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.errors import NotAllowed
from core.i18n import mark
from institution import approval_paths, sessions, stand_ins
from institution.approval_models import Approval, ApprovalStep
from institution.models import Grant, Staff
from institution.powers import ROLES


@dataclass(frozen=True, slots=True)
class Hand:
    """Who decides: the person, and the absent one for whom they do."""

    staff_id: int
    for_staff: int | None = None


def hand_of(session: Session, approval: Approval, step: ApprovalStep, by: int, now: datetime) -> Hand:
    """How this person may decide this step; NotAllowed, in a sentence that says why, when they may not."""
    if by == approval.requested_by:
        raise NotAllowed(mark("自己提交的内容要由另一位同事审批。"))
    account = session.get(Staff, by)
    if account is None or not account.active:
        raise NotAllowed(mark("这个账号已停用，不能审批。"))
    done = taken_part(session, approval)
    if by in done:
        raise NotAllowed(mark("您已经审过这份申请的前一步，这一步要由另一位同事审批。"))
    if _products_own(session, approval, account) or holds(session, by, step):
        return Hand(by)
    for absent in stand_ins.absent_for(session, by, now):
        if absent != approval.requested_by and absent not in done and holds(session, absent, step):
            return Hand(by, absent)
    raise NotAllowed(mark("这一步不由您审批：需要在这个机构有相应的权限，或者是有权限的同事的代审人。"))


def may(session: Session, approval: Approval, step: ApprovalStep | None, by: int, now: datetime) -> bool:
    """Whether this person may decide this step."""
    if step is None or approval.decision is not None:
        return False
    try:
        hand_of(session, approval, step, by, now)
    except NotAllowed:
        return False
    return True


def holds(session: Session, staff_id: int, step: ApprovalStep) -> bool:
    """Whether a person holds the step's permission over its node."""
    return sessions.powers_of(session, staff_id).scope(step.permission).covers(session, step.outlet_code)


def taken_part(session: Session, approval: Approval) -> set[int]:
    """Who has decided a step of this request, in person or through a stand-in."""
    query = select(ApprovalStep.decided_by, ApprovalStep.for_staff).where(
        ApprovalStep.approval_id == approval.id
    )
    return {one for pair in session.exec(query) for one in pair if one is not None}


def candidates(session: Session, approval: Approval, step: ApprovalStep, now: datetime) -> Sequence[Staff]:
    """The people who may decide this step, those first who may in person, then stand-ins."""
    own = [one for one in _holders(session, step) if one.id != approval.requested_by]
    done = taken_part(session, approval)
    own = [one for one in own if one.id not in done]
    numbers = {one.id or 0 for one in own}
    others = {
        stand_in
        for _absent, stand_in in stand_ins.standing_in(session, sorted(numbers), now)
        if stand_in not in numbers | done | {approval.requested_by}
    }
    query = select(Staff).where(col(Staff.id).in_(sorted(others)), col(Staff.active)).order_by(Staff.name)
    return [*own, *session.exec(query)]


def _holders(session: Session, step: ApprovalStep) -> list[Staff]:
    roles = [role for role, (_name, allowed) in ROLES.items() if step.permission in allowed]
    query = (
        select(Staff)
        .join(Grant, col(Grant.staff_id) == col(Staff.id))
        .where(
            col(Grant.role).in_(roles),
            col(Grant.outlet_code).in_(approval_paths.line_of(session, step.outlet_code)),
            col(Staff.active),
            col(Staff.system).is_(False),
        )
        .distinct()
        .order_by(Staff.name, col(Staff.id))
    )
    return list(session.exec(query))


def _products_own(session: Session, approval: Approval, account: Staff) -> bool:
    """The product's own texts are written and checked by two accounts of its own, which cannot sign in."""
    requester = session.get(Staff, approval.requested_by)
    return account.system and requester is not None and requester.system
