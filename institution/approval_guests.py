"""Guests: somebody without account (a lawyer) decides one step of one request, by a personal link, once.

The link is bound to the step and to the hash of what was asked for. Who invites must be allowed to decide the
step, and answers for it: when they may no longer decide, their guest may not either.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from core.privacy import Vault, mask_email, normal_email
from institution import approval_kinds, approvals, audit, deciders
from institution.approval_models import Approval, ApprovalStep, GuestReview

LONGEST_DAYS = 14
MOST_OPEN = 5
audit.declare({"guest.invite": mark("邀请外部审阅"), "guest.revoke": mark("撤销外部审阅链接")})


@dataclass(frozen=True, slots=True)
class Invitation:
    """Whom to ask: name, e-mail address (may be empty), a few words, days until the link ends (1–14)."""

    name: str
    email: str = ""
    note: str = ""
    days: int = 7


@dataclass(frozen=True, slots=True)
class Asked:
    """What a guest is asked: the request, its step, and their own review."""

    review: GuestReview
    approval: Approval
    step: ApprovalStep


def invite(
    session: Session, approval_id: int, invitation: Invitation, *, vault: Vault, by: int, now: datetime
) -> tuple[GuestReview, str]:
    """A link for a guest; returns it with its token (256 random bits), which is stored only as a hash."""
    approval = approvals.get(session, approval_id)
    step = approvals.open_step(session, approval)
    deciders.hand_of(session, approval, step, by, now)
    name, email = invitation.name.strip(), normal_email(invitation.email)
    _check(session, invitation, step, now)
    token = secrets.token_urlsafe(32)
    made = GuestReview(
        step_id=step.id or 0,
        subject_hash=approval.subject_hash,
        token_hash=_hash(token),
        name=name,
        email_sealed=vault.encrypt(email) if email else "",
        note=invitation.note.strip(),
        invited_by=by,
        created_at=now,
        expires_at=now + timedelta(days=invitation.days),
    )
    session.add(made)
    session.flush()
    after = {"guest": name, "step": step.number, "until": made.expires_at}
    more = {"email": mask_email(email)} if email else {}
    _record(session, "guest.invite", approval, after | more)
    return made, token


def look(session: Session, token: str) -> Asked:
    """What the holder of a token is asked; NotFound for a token nobody was given."""
    query = (
        select(GuestReview, Approval, ApprovalStep)
        .join(ApprovalStep, col(ApprovalStep.id) == col(GuestReview.step_id))
        .join(Approval, col(Approval.id) == col(ApprovalStep.approval_id))
        .where(GuestReview.token_hash == _hash(token))
    )
    row = session.exec(query).first()
    if row is None:
        raise NotFound(mark("这个链接不存在，请核对邀请您的人给的完整网址。"))
    review, approval, step = row
    return Asked(review, approval, step)


def is_open(session: Session, asked: Asked, now: datetime) -> bool:
    """Whether the guest may look and decide now."""
    review, approval, step = asked.review, asked.approval, asked.step
    fresh = review.used_at is None and review.revoked_at is None and review.expires_at > now
    same = approval.decision is None and approval.current_step == step.number
    if not (fresh and same and review.subject_hash == approval.subject_hash):
        return False
    return deciders.may(session, approval, step, review.invited_by, now)


def answer(
    session: Session,
    token: str,
    *,
    decision: str,
    opinion: str,
    now: datetime,
    said: Mapping[str, str] | None = None,
) -> Asked:
    """The guest's decision, once; it counts for the step as that of who invited them, as does what else was `said`."""
    asked = look(session, token)
    approvals.check_decision(decision, opinion)
    closed = Conflict(mark("这个链接已经用过、过期或被撤销。如仍需您的意见，请联系邀请您的人。"))
    if not is_open(session, asked, now):
        raise closed
    statement = update(GuestReview).where(col(GuestReview.id) == asked.review.id, _usable(now))
    values = {"used_at": now, "email_sealed": ""}  # nobody writes to them again
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise closed
    try:
        hand = deciders.hand_of(session, asked.approval, asked.step, asked.review.invited_by, now)
    except NotAllowed:
        raise closed from None
    if said is not None:
        kind = approval_kinds.of(asked.approval.kind)
        kind.answered(session, asked.approval, asked.step, said, hand.staff_id, now)
    approvals.settle(
        session,
        asked.approval,
        asked.step,
        hand,
        decision=decision,
        now=now,
        opinion=opinion,
        seen=asked.review.subject_hash,
        guest=asked.review.name,
    )
    session.refresh(asked.review)
    return asked


def revoke(session: Session, approval_id: int, review_id: int, *, now: datetime) -> None:
    """Make a link worthless before it was used."""
    approval = approvals.get(session, approval_id)
    found = next((one for one, _step in of(session, approval) if one.id == review_id), None)
    if found is None:
        raise NotFound(mark("没有找到这个外部审阅链接。"))
    statement = update(GuestReview).where(col(GuestReview.id) == review_id, _usable(now))
    values = {"revoked_at": now, "email_sealed": ""}
    if session.execute(statement.values(**values)).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(mark("这个链接已经用过、过期或被撤销。"))
    _record(session, "guest.revoke", approval, {"guest": found.name})


def of(session: Session, approval: Approval) -> list[tuple[GuestReview, ApprovalStep]]:
    """The guests of a request with their steps, in the order of the invitations."""
    query = (
        select(GuestReview, ApprovalStep)
        .join(ApprovalStep, col(ApprovalStep.id) == col(GuestReview.step_id))
        .where(ApprovalStep.approval_id == approval.id)
        .order_by(col(GuestReview.id))
    )
    return list(session.exec(query))


def forget(session: Session, now: datetime) -> int:
    """Wipe the addresses of guests whose link ended unused; returns how many."""
    statement = update(GuestReview).where(
        col(GuestReview.expires_at) <= now, col(GuestReview.email_sealed) != ""
    )
    return int(session.execute(statement.values(email_sealed="")).rowcount)  # type: ignore[attr-defined]


def _usable(now: datetime) -> ColumnElement[bool]:
    return (
        col(GuestReview.used_at).is_(None)
        & col(GuestReview.revoked_at).is_(None)
        & (col(GuestReview.expires_at) > now)
    )


def _check(session: Session, invitation: Invitation, step: ApprovalStep, now: datetime) -> None:
    name, email = invitation.name.strip(), normal_email(invitation.email)
    if not name or len(name) > 60 or not name.isprintable():
        raise Invalid(mark("请填写对方的姓名（不超过 60 个字）。"), field="name")
    if email and (email.count("@") != 1 or email.startswith("@") or email.endswith("@") or len(email) > 200):
        raise Invalid(mark("这个邮箱地址不对，请检查。"), field="email")
    if not 1 <= invitation.days <= LONGEST_DAYS:
        raise Invalid(mark("链接的有效期为 1 到 %(most)s 天。"), field="days", most=LONGEST_DAYS)
    if len(invitation.note) > 1000:
        raise Invalid(mark("附言不超过 1000 个字。"), field="note")
    waiting = session.exec(select(GuestReview.id).where(GuestReview.step_id == step.id, _usable(now))).all()
    if len(waiting) >= MOST_OPEN:
        raise Conflict(mark("这一步已有 %(most)s 个有效链接，请先撤销不用的。"), most=MOST_OPEN)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _record(session: Session, action: str, approval: Approval, after: dict[str, object]) -> None:
    named = {"title": approval.title, "hash": approval.subject_hash}
    audit.record(
        session, action, "approval", approval.id, after=named | after, outlet_code=approval.outlet_code
    )
