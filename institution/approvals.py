"""Four eyes: one mechanism for all that needs a second person.

A request names the exact hash of what is to be decided and takes one or several steps; a decision holds for
that hash alone, so that anything changed afterwards needs a new request. One flow: `request` → `decide` per
step, by a conditional UPDATE of which of two people one succeeds → the kind's `settled` in the same transaction.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution import approval_kinds, approval_paths, audit, deciders
from institution.approval_kinds import Kind, declare
from institution.approval_models import Approval, ApprovalStep
from institution.approval_paths import Step
from institution.deciders import Hand
from institution.powers import WHOLE
from institution.working_days import WorkingDays

__all__ = ["Kind", "declare"]

APPROVED, CHANGES, REJECTED, WITHDRAWN = "approved", "changes", "rejected", "withdrawn"
OUTCOME_NAMES = {
    APPROVED: mark("已通过"),
    CHANGES: mark("要求修改"),
    REJECTED: mark("已否决"),
    WITHDRAWN: mark("已撤回"),
}
LONGEST_OPINION = 1900  # with the name of a guest before it, it still fits its column
audit.declare(
    {
        "approval.request": mark("提交审批"),
        "approval.decide": mark("审批"),
        "approval.withdraw": mark("撤回审批申请"),
    }
)


@dataclass(frozen=True, slots=True)
class Term:
    """How days are counted that a decision is given, and how many where no path says so."""

    days: WorkingDays
    usual: int


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
    outlet_code: str = WHOLE,
    due_at: datetime | None = None,
    sort: str = "",
    term: Term | None = None,
) -> Approval:
    """Ask for a decision; an open request for the same hash is returned instead of a second one. Without `due_at` the path's number of days counts, and without one the `term`. `sort` is one of the kind's sorts,
    which may have a path of its own. Conflict while another hash of the thing waits.
    """
    steps, days = approval_paths.steps_of(session, kind, outlet_code, sort)
    if existing := open_request(session, kind=kind, subject=subject):
        if existing.subject_hash == subject_hash:
            return existing
        raise Conflict(mark("“%(title)s”已有一份待审申请，请先撤回再提交新的版本。"), title=existing.title)
    if due_at is not None and due_at <= now:
        raise Invalid(mark("办理期限已经过去，请改到将来的时间。"), field="due_at")
    approval = Approval(
        kind=kind,
        subject=subject,
        subject_hash=subject_hash,
        title=title[:300],
        reason=reason.strip()[:2000],
        outlet_code=outlet_code,
        requested_by=by,
        requested_at=now,
        due_at=due_at or _due(days, now, term),
    )
    _add(session, approval, steps)
    _record(session, "approval.request", approval, {"due_at": approval.due_at, "steps": len(steps)}, reason)
    return approval


def decide(
    session: Session,
    approval_id: int,
    *,
    decision: str,
    by: int,
    now: datetime,
    opinion: str = "",
    seen: str = "",
    said: Mapping[str, str] | None = None,
) -> Approval:
    """Decide the current step: approved, changes or rejected; the latter two give their reason.

    `said` is what the form of the kind asks for beside it, kept before the decision. Never one's own, nobody twice, a stand-in only for who may (all NotAllowed); Conflict when somebody else was
    faster, or when the thing is no longer what was asked for. `seen` is the hash that the person looked at.
    """
    check_decision(decision, opinion)
    approval = get(session, approval_id)
    step = open_step(session, approval)
    hand = deciders.hand_of(session, approval, step, by, now)
    if said is not None:
        approval_kinds.of(approval.kind).answered(session, approval, step, said, by, now)
    return settle(session, approval, step, hand, decision=decision, now=now, opinion=opinion, seen=seen)


def settle(
    session: Session,
    approval: Approval,
    step: ApprovalStep,
    hand: Hand,
    *,
    decision: str,
    now: datetime,
    opinion: str,
    seen: str = "",
    guest: str = "",
) -> Approval:
    """Write the decision of somebody who may down, and tell the thing's owner when it was the last one."""
    opinion = opinion.strip()
    if decision == APPROVED:  # what was changed since can still be sent back, so that nothing stays stuck
        check_hash(session, approval, seen)
        approval_kinds.of(approval.kind).ready(session, approval, step)
    last = decision != APPROVED or _following(session, approval, step) is None
    final = f"{guest}：{opinion}" if guest else opinion
    closing = {"decision": decision, "decided_by": hand.staff_id, "decided_at": now, "opinion": final}
    _move(session, approval, step, closing if last else {"current_step": step.number + 1})
    values = {"decision": decision, "decided_by": hand.staff_id, "for_staff": hand.for_staff}
    _fill(session, step, values | {"guest": guest, "decided_at": now, "opinion": opinion})
    if last:
        kind = approval_kinds.of(approval.kind)
        kind.settled(session, approval, decision, hand.staff_id, now, final)
    after = {"step": step.number, "decision": decision, "final": last, "by": hand.staff_id}
    more = {"for": hand.for_staff, "guest": guest or None}
    _record(session, "approval.decide", approval, after | {k: v for k, v in more.items() if v}, opinion)
    return approval


def withdraw(session: Session, approval_id: int, *, by: int, now: datetime) -> None:
    """Take back one's own open request; it stays in the history as withdrawn."""
    approval = get(session, approval_id)
    if approval.requested_by != by:
        raise NotAllowed(mark("只有提交人可以撤回这份申请。"))
    statement = (
        update(Approval)
        .where(col(Approval.id) == approval_id, col(Approval.decision).is_(None))
        .values(decision=WITHDRAWN, decided_at=now)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("这份申请已有审批结论，不能再撤回。"))
    session.refresh(approval)
    _record(session, "approval.withdraw", approval, {"decision": WITHDRAWN})


def get(session: Session, approval_id: int) -> Approval:
    """The request, or NotFound."""
    approval = session.get(Approval, approval_id)
    if approval is None:
        raise NotFound(mark("没有找到这份审批申请。"))
    return approval


def steps(session: Session, approval: Approval) -> list[ApprovalStep]:
    """The steps of a request, in their order."""
    query = select(ApprovalStep).where(ApprovalStep.approval_id == approval.id)
    return list(session.exec(query.order_by(col(ApprovalStep.number))))


def open_step(session: Session, approval: Approval) -> ApprovalStep:
    """The step that waits for a decision; Conflict when the request is closed."""
    found = steps(session, approval)
    if approval.decision is not None or approval.current_step > len(found):
        raise Conflict(mark("这份申请已有结论，请刷新查看。"))
    return found[approval.current_step - 1]


def open_request(session: Session, *, kind: str, subject: str) -> Approval | None:
    """The undecided request for a subject, if there is one."""
    query = select(Approval).where(
        Approval.kind == kind, Approval.subject == subject, col(Approval.decision).is_(None)
    )
    return session.exec(query).first()


def granted(session: Session, *, kind: str, subject: str, subject_hash: str) -> Approval | None:
    """The newest approval that covers exactly this hash, if there is one."""
    query = select(Approval).where(
        Approval.kind == kind,
        Approval.subject == subject,
        Approval.subject_hash == subject_hash,
        Approval.decision == APPROVED,
    )
    return session.exec(query.order_by(col(Approval.id).desc())).first()


def check_decision(decision: str, opinion: str) -> None:
    """Invalid unless it is one of the three decisions, with a reason where one is owed."""
    if decision not in (APPROVED, CHANGES, REJECTED):
        raise Invalid(mark("请选择“通过”“请修改”或“否决”。"), field="decision")
    if decision != APPROVED and not opinion.strip():
        raise Invalid(mark("退回或否决时请写明理由，方便对方修改。"), field="opinion")
    if len(opinion.strip()) > LONGEST_OPINION:
        raise Invalid(mark("意见不超过 %(most)s 个字。"), field="opinion", most=LONGEST_OPINION)


def check_hash(session: Session, approval: Approval, seen: str = "") -> None:
    """Conflict unless the thing is still what was asked for, and what the person looked at."""
    current = approval_kinds.of(approval.kind).current
    now_is = current(session, approval) if current else approval.subject_hash
    if now_is != approval.subject_hash or (seen and seen != approval.subject_hash):
        raise Conflict(mark("这一项在提交之后被改过，原来的申请不再有效，请提交人撤回后重新提交。"))


def _due(days: int | None, now: datetime, term: Term | None) -> datetime | None:
    if term is None:
        return now + timedelta(days=days) if days else None
    return term.days.after(now, days or term.usual)


def _add(session: Session, approval: Approval, steps: Sequence[Step]) -> None:
    """Write the request with its steps down; somebody who asks at the same moment gets a sentence."""
    try:
        with session.begin_nested():
            session.add(approval)
    except IntegrityError as error:
        raise Conflict(mark("另一位同事刚刚也提交了这一项，请刷新查看。")) from error
    session.add_all(
        ApprovalStep(
            approval_id=approval.id or 0,
            requested_by=approval.requested_by,
            number=number,
            name=one.name,
            permission=one.permission,
            outlet_code=approval_paths.place_of(session, approval.outlet_code, one.at),
        )
        for number, one in enumerate(steps, 1)
    )
    session.flush()


def _following(session: Session, approval: Approval, step: ApprovalStep) -> ApprovalStep | None:
    query = select(ApprovalStep).where(
        ApprovalStep.approval_id == approval.id, ApprovalStep.number == step.number + 1
    )
    return session.exec(query).first()


def _move(session: Session, approval: Approval, step: ApprovalStep, values: dict[str, object]) -> None:
    """Close the request or go on to its next step; of two people who decide at once only one gets here."""
    statement = update(Approval).where(
        col(Approval.id) == approval.id,
        col(Approval.decision).is_(None),
        col(Approval.current_step) == step.number,
    )
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("另一位同事刚刚已经审批，请刷新查看结论。"))
    session.refresh(approval)


def _fill(session: Session, step: ApprovalStep, values: dict[str, object]) -> None:
    statement = update(ApprovalStep).where(
        col(ApprovalStep.id) == step.id, col(ApprovalStep.decision).is_(None)
    )
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("另一位同事刚刚已经审批，请刷新查看结论。"))
    session.refresh(step)


def _record(
    session: Session, action: str, approval: Approval, after: dict[str, object], note: str = ""
) -> None:
    named = {"kind": approval.kind, "thing": approval.subject, "title": approval.title}
    audit.record(
        session, action, "approval", approval.id, after=named | {"hash": approval.subject_hash} | after,
        outlet_code=approval.outlet_code, note=note,
    )  # fmt: skip
