"""Signing in with a password, in three steps that give nothing away: counted, checked, settled.

`begin` counts the try (or says how long to wait) and finds the account; `right` compares the password while no
transaction is open (it takes its time on purpose); `settle` starts the session or leaves the failure's record.
Each step does the same for a login that exists and for one that does not.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session

from core.i18n import mark
from institution import audit, passwords, people, sessions, throttle
from institution.audit import Actor
from institution.models import Staff, StaffSession
from institution.throttle import Attempt

audit.declare(
    {
        "session.begin": mark("登录"),
        "session.fail": mark("登录失败"),
        "session.end": mark("退出登录"),
        "session.end_all": mark("退出所有设备"),
    }
)


@dataclass(frozen=True, slots=True)
class Browser:
    """Where a try comes from."""

    address: str
    agent: str


def begin(session: Session, tried: Attempt, login: str, now: datetime) -> tuple[Staff | None, float]:
    """The account that this login opens, if any, and the seconds to wait before its password is looked at."""
    wait = throttle.begin(session, tried, now)
    account = people.by_login(session, login)
    usable = account is not None and account.active and not account.system
    late = account is not None and account.password_until is not None and account.password_until <= now
    return (account if usable and not late else None), wait


def right(account: Staff | None, password: str) -> bool:
    """Whether the password is the account's; for no account it takes as long and says no."""
    return passwords.matches(account.password_hash if account else None, password)


def settle(
    session: Session,
    tried: Attempt,
    account: Staff,
    browser: Browser,
    *,
    now: datetime,
    hours: float,
    second_factor_at: datetime | None = None,
) -> tuple[StaffSession, str]:
    """Begin the session of somebody who showed what was asked: its row and its token."""
    throttle.right(session, tried, now)
    return enter(session, account, browser, now=now, hours=hours, second_factor_at=second_factor_at)


def enter(
    session: Session,
    account: Staff,
    browser: Browser,
    *,
    now: datetime,
    hours: float,
    second_factor_at: datetime | None = None,
    note: str = "",
) -> tuple[StaffSession, str]:
    """Begin a session and record it; `note` says how, where it was not the password."""
    account.signed_in_at = now
    session.add(account)
    made, token = sessions.begin(
        session,
        account,
        address=browser.address,
        agent=browser.agent,
        now=now,
        hours=hours,
        second_factor_at=second_factor_at,
    )
    with audit.acting(Actor(account.id, account.name, "desk", browser.address)):
        audit.record(session, "session.begin", "staff", account.login, note=note)
    return made, token


def failed(session: Session, account: Staff | None, browser: Browser, *, note: str = "") -> None:
    """Record a failed try without what was typed: which account, if there is one, and from where."""
    with audit.acting(Actor(None, "", "visitor", browser.address)):
        audit.record(session, "session.fail", "staff", account.login if account else "", note=note)


def leave(session: Session, account: Staff, session_id: int, *, now: datetime) -> None:
    """End one session of an account."""
    sessions.end(session, sessions.of(session, session_id, account.id or 0).id or 0, now)
    audit.record(session, "session.end", "staff", account.login)


def leave_all(session: Session, account: Staff, *, now: datetime, but: int | None = None) -> int:
    """End every session of an account except `but`; returns how many."""
    ended = [one for one in sessions.running(session, account.id or 0, now) if one.id != but]
    sessions.end_all(session, account.id or 0, now, but=but)
    audit.record(session, "session.end_all", "staff", account.login, after={"sessions": len(ended)})
    return len(ended)
