"""Invitations: a link with which somebody sets their first password; it expires, works once, can be ended."""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, select

from core.errors import Conflict, NotFound
from core.i18n import mark
from institution import audit, granting, people, sessions
from institution.audit import Actor
from institution.models import Staff
from institution.sign_in_models import Invitation

audit.declare({"staff.invite": mark("邀请登录"), "staff.accept": mark("接受邀请")})


def invite(
    session: Session, account: Staff, *, by: int | None, now: datetime, hours: float, quiet: bool = False
) -> str:
    """A new invitation, the only valid one of this account; returns its token (256 random bits) once.

    `quiet` leaves the record to the caller (an import, which leaves one for all).
    """
    grants = sessions.powers_of(session, account.id or 0).grants
    granting.check_reach(session, by, grants)
    if not account.active or account.system:
        raise Conflict(mark("账号“%(login)s”已停用，请先启用再邀请。"), login=account.login)
    session.execute(update(Invitation).where(*_open_of(account.id or 0)).values(ended_at=now))
    token = secrets.token_urlsafe(32)
    session.add(
        Invitation(
            staff_id=account.id or 0,
            token_hash=_hash(token),
            made_by=by,
            made_at=now,
            expires_at=now + timedelta(hours=hours),
        )
    )
    session.flush()
    if not quiet:
        audit.record(session, "staff.invite", "staff", account.login, outlet_code=granting.place(grants))
    return token


def opened(session: Session, token: str, now: datetime) -> tuple[Invitation, Staff]:
    """The invitation of a token while it is valid, with its account; else NotFound, whatever the reason."""
    found = session.exec(select(Invitation).where(Invitation.token_hash == _hash(token))).first()
    account = session.get(Staff, found.staff_id) if found else None
    if found is None or account is None or not _valid(found, account, now):
        raise NotFound(mark("这个邀请链接已经用过、过期或被撤回。请让邀请您的人再发一次。"))
    return found, account


def accept(session: Session, token: str, password: str, *, address: str, now: datetime) -> Staff:
    """Set the password and use the invitation up; of two at once one wins."""
    found, account = opened(session, token, now)
    mine = update(Invitation).where(col(Invitation.id) == found.id, *_open_of(found.staff_id))
    if session.execute(mine.values(used_at=now)).rowcount != 1:  # type: ignore[attr-defined]
        raise NotFound(mark("这个邀请链接已经用过、过期或被撤回。请让邀请您的人再发一次。"))
    people.set_password(session, account, password, now=now)
    with audit.acting(Actor(account.id, account.name, "link", address)):
        audit.record(session, "staff.accept", "staff", account.login)
    return account


def waiting(session: Session, staff_id: int, now: datetime) -> Invitation | None:
    """The open invitation of an account, if any."""
    query = select(Invitation).where(*_open_of(staff_id), col(Invitation.expires_at) > now)
    return session.exec(query).first()


def _valid(found: Invitation, account: Staff, now: datetime) -> bool:
    fresh = found.used_at is None and found.ended_at is None and found.expires_at > now
    return fresh and account.active and not account.system


def _open_of(staff_id: int) -> tuple[ColumnElement[bool], ...]:
    return (
        col(Invitation.staff_id) == staff_id,
        col(Invitation.used_at).is_(None),
        col(Invitation.ended_at).is_(None),
    )


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
