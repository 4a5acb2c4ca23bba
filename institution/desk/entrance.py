"""How a browser becomes a signed-in one: a new session row, its cookie, the mark of a known device."""

from datetime import datetime
from urllib.parse import urlsplit

from flask import after_this_request, request, session
from flask.wrappers import Response
from flask_login import login_user
from sqlmodel import Session

from core import clock
from core.http import service
from core.i18n import gettext
from core.settings import Settings
from core.signing import Keys
from institution import access, devices, sessions, sign_in, throttle
from institution.devices import Devices
from institution.models import Staff, StaffSession
from institution.sessions import Loaded
from institution.sign_in import Browser
from institution.throttle import Attempt


def browser() -> Browser:
    """Where this request comes from."""
    return Browser(request.remote_addr or "", request.user_agent.string)


def attempt(login: str, what: str = "password") -> Attempt:
    """The counters of a try from this browser at this account."""
    keys = service(Keys)
    device = Devices(keys).known(request.cookies.get(devices.COOKIE, ""), login)
    return throttle.attempt(keys, login.strip().lower(), request.remote_addr or "", device, what=what)


def person(database: Session, account: Staff, made: StaffSession, token: str) -> access.SignedIn:
    """The person of a session that was just begun."""
    return access.SignedIn(Loaded(made, account, sessions.powers_of(database, account.id or 0)), token)


def begin(
    database: Session, account: Staff, *, second_factor_at: datetime | None = None, note: str = ""
) -> access.SignedIn:
    """A recorded sign-in by something else than a password (an identity provider, an invitation)."""
    made, token = sign_in.enter(
        database,
        account,
        browser(),
        now=clock.now(),
        hours=service(Settings).session_hours,
        second_factor_at=second_factor_at,
        note=note,
    )
    return person(database, account, made, token)


def admit(database: Session, account: Staff, tried: Attempt) -> access.SignedIn:
    """The session after a right password; recorded as a sign-in once nothing more is to be shown."""
    now, hours = clock.now(), service(Settings).session_hours
    if not (access.second_factor_asked() and account.second_factor):
        return person(
            database, account, *sign_in.settle(database, tried, account, browser(), now=now, hours=hours)
        )
    throttle.right(database, tried, now)
    return _half(database, account)


def invited(database: Session, account: Staff) -> access.SignedIn:
    """The session after an invitation; who has a second factor (a password forgotten) still has to show it."""
    if access.second_factor_asked() and account.second_factor:
        return _half(database, account)
    return begin(database, account, note=gettext("邀请"))


def _half(database: Session, account: Staff) -> access.SignedIn:
    where, hours = browser(), service(Settings).session_hours
    half = sessions.begin(
        database, account, address=where.address, agent=where.agent, now=clock.now(), hours=hours
    )
    return person(database, account, *half)


def complete(database: Session, account: Staff, old: StaffSession, tried: Attempt) -> access.SignedIn:
    """The whole session in place of the half one, once the second factor was shown."""
    now, hours = clock.now(), service(Settings).session_hours
    sessions.end(database, old.id or 0, now)
    made, token = sign_in.settle(
        database, tried, account, browser(), now=now, hours=hours, second_factor_at=now
    )
    return person(database, account, made, token)


def rotate(
    database: Session, account: Staff, old: StaffSession, *, second_factor_at: datetime | None = None
) -> access.SignedIn:
    """The same sign-in under a new session: whoever held the old cookie is out."""
    now = clock.now()
    sessions.end(database, old.id or 0, now)
    made, token = sessions.begin(
        database,
        account,
        address=request.remote_addr or "",
        agent=request.user_agent.string,
        now=now,
        hours=service(Settings).session_hours,
        second_factor_at=second_factor_at or old.second_factor_at,
    )
    return person(database, account, made, token)


def enter(who: access.SignedIn) -> None:
    """Hand the browser the session's cookie; nothing from before is carried over."""
    session.clear()
    session.permanent = True
    login_user(who)
    if access.unfinished(who) in (None, "staff.set_up_second_factor"):
        _remember(who.staff.login)


def _remember(login: str) -> None:
    """Mark this device as one that has signed in to this account, so that others cannot make it wait."""
    value = Devices(service(Keys)).remember(request.cookies.get(devices.COOKIE, ""), login)
    secure = urlsplit(service(Settings).public_url).scheme == "https"

    @after_this_request
    def mark_device(response: Response) -> Response:
        response.set_cookie(
            devices.COOKIE,
            value,
            max_age=devices.KEPT,
            path="/desk",
            secure=secure,
            httponly=True,
            samesite="Lax",
        )
        return response
