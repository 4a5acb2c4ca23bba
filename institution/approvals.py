"""Four eyes: one mechanism for all that needs a second person.

A request names the exact hash of what is to be decided; a decision holds for that hash alone, so that
anything changed afterwards needs a new request.
"""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution.models import Approval

APPROVED, REJECTED, WITHDRAWN = "approved", "rejected", "withdrawn"


def request(
    session: Session,
    *,
    kind: str,
    subject: str,
    subject_hash: str,
    title: str,
    by: int,
    now: datetime,
    reason: str = "",
) -> Approval:
    """Ask for a decision; an open request for the same hash is returned instead of a second one."""
    existing = open_request(session, kind=kind, subject=subject)
    if existing and existing.subject_hash == subject_hash:
        return existing
    if existing:
        raise Conflict(mark("“%(title)s”已有一份待审申请，请先撤回再提交新的版本。"), title=existing.title)
    approval = Approval(
        kind=kind,
        subject=subject,
        subject_hash=subject_hash,
        title=title,
        reason=reason,
        requested_by=by,
        requested_at=now,
    )
    session.add(approval)
    session.flush()
    return approval


def decide(
    session: Session, approval_id: int, *, decision: str, by: int, now: datetime, opinion: str = ""
) -> Approval:
    """Approve or reject; never one's own, never twice (conditional UPDATE), a rejection gives its reason."""
    if decision not in (APPROVED, REJECTED):
        raise Invalid(mark("请选择“通过”或“退回”。"), field="decision")
    if decision == REJECTED and not opinion.strip():
        raise Invalid(mark("退回时请写明理由，方便编辑修改。"), field="opinion")
    approval = get(session, approval_id)
    if approval.requested_by == by:
        raise NotAllowed(mark("自己提交的内容要由另一位同事审批。"))
    _settle(session, approval_id, decision=decision, by=by, now=now, opinion=opinion)
    session.refresh(approval)
    return approval


def withdraw(session: Session, approval_id: int, *, by: int) -> None:
    """Take back one's own open request; nothing else may be deleted."""
    approval = get(session, approval_id)
    if approval.requested_by != by:
        raise NotAllowed(mark("只有提交人可以撤回这份申请。"))
    if approval.decision is not None:
        raise Conflict(mark("这份申请已有审批结论，不能再撤回。"))
    session.delete(approval)
    session.flush()


def get(session: Session, approval_id: int) -> Approval:
    """The request, or NotFound."""
    approval = session.get(Approval, approval_id)
    if approval is None:
        raise NotFound(mark("没有找到这份审批申请，可能已被撤回。"))
    return approval


def open_request(session: Session, *, kind: str, subject: str) -> Approval | None:
    """The undecided request for a subject, if there is one."""
    query = select(Approval).where(
        Approval.kind == kind, Approval.subject == subject, col(Approval.decision).is_(None)
    )
    return session.exec(query).first()


def granted(session: Session, *, kind: str, subject: str, subject_hash: str) -> Approval | None:
    """The approval that covers exactly this hash, if there is one."""
    query = select(Approval).where(
        Approval.kind == kind,
        Approval.subject == subject,
        Approval.subject_hash == subject_hash,
        Approval.decision == APPROVED,
    )
    return session.exec(query).first()


def waiting(session: Session, *, kinds: list[str], not_by: int) -> list[Approval]:
    """Open requests of these kinds that this person may decide, oldest first."""
    query = (
        select(Approval)
        .where(
            col(Approval.kind).in_(kinds), col(Approval.decision).is_(None), Approval.requested_by != not_by
        )
        .order_by(col(Approval.requested_at))
    )
    return list(session.exec(query))


def _settle(
    session: Session, approval_id: int, *, decision: str, by: int, now: datetime, opinion: str
) -> None:
    statement = (
        update(Approval)
        .where(col(Approval.id) == approval_id, col(Approval.decision).is_(None))
        .values(decision=decision, decided_by=by, decided_at=now, opinion=opinion.strip())
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("另一位同事刚刚已经审批，请刷新查看结论。"))
