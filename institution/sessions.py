"""Sessions of signed-in browsers, kept here so that each can be seen and ended. The cookie holds only a token."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import Table, bindparam, update
from sqlmodel import Session, col, select

from core.database import Database, Prepared
from core.errors import NotFound
from core.i18n import mark
from institution.models import Grant, Staff, StaffSession
from institution.powers import Powers

# How often "last seen" is written: often enough for a person, seldom enough for a database.
SEEN_EVERY = timedelta(minutes=2)
# In the order of asking: nearly every browser also claims to be Chrome and Safari.
_BROWSERS = (
    ("wxwork", "企业微信"), ("MicroMessenger", "微信"), ("DingTalk", "钉钉"), ("Lark", "飞书"), ("Edg", "Edge"),
    ("OPR", "Opera"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("HarmonyOS", "HarmonyOS"),
    ("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip
# Every request of the desk asks this: put together once, in one question, as plain rows, it costs a third.
_SESSIONS, _STAFF = cast(Table, StaffSession.__table__), cast(Table, Staff.__table__)  # type: ignore[attr-defined]
_LOAD = Prepared(
    select(*_SESSIONS.c, *_STAFF.c, col(Grant.role), col(Grant.outlet_code))  # type: ignore[call-overload]
    .join(_STAFF, _STAFF.c.id == _SESSIONS.c.staff_id)
    .join(Grant, col(Grant.staff_id) == _STAFF.c.id, isouter=True)
    .where(_SESSIONS.c.token_hash == bindparam("hash"))
    .order_by(col(Grant.role), col(Grant.outlet_code))
)
_SESSION_FIELDS, _STAFF_FIELDS = _SESSIONS.c.keys(), _STAFF.c.keys()
_WIDE = len(_SESSION_FIELDS), len(_SESSION_FIELDS) + len(_STAFF_FIELDS)
_GRANTS = (
    select(Grant.role, Grant.outlet_code)
    .where(col(Grant.staff_id) == bindparam("staff"))
    .order_by(Grant.role, Grant.outlet_code)
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """A valid session with its person and their powers."""

    session: StaffSession
    staff: Staff
    powers: Powers


def begin(
    session: Session,
    account: Staff,
    *,
    address: str,
    agent: str,
    now: datetime,
    hours: float,
    second_factor_at: datetime | None = None,
) -> tuple[StaffSession, str]:
    """A new session; returns it with its token (256 random bits), which is stored only as a hash.

    `second_factor_at`: when a second factor was shown, here or at the identity provider.
    """
    token = secrets.token_urlsafe(32)
    made = StaffSession(
        token_hash=_hash(token),
        staff_id=account.id or 0,
        address=address[:45],
        agent=agent[:200],
        second_factor_at=second_factor_at,
        created_at=now,
        seen_at=now,
        expires_at=now + timedelta(hours=hours),
    )
    session.add(made)
    session.flush()
    return made, token


def load(database: Database, token: str, now: datetime) -> Loaded | None:
    """The session of a token while it is valid and its account open, else None. To be read, not written."""
    rows = database.ask(_LOAD, {"hash": _hash(token)})
    if not rows:
        return None
    first, second = _WIDE
    found = StaffSession.model_construct(**dict(zip(_SESSION_FIELDS, rows[0][:first], strict=True)))
    staff = Staff.model_construct(**dict(zip(_STAFF_FIELDS, rows[0][first:second], strict=True)))
    if found.ended_at is not None or found.expires_at <= now or not staff.active or staff.system:
        return None
    return Loaded(found, staff, Powers(tuple((row[second], row[second + 1]) for row in rows if row[second])))


def powers_of(session: Session, staff_id: int) -> Powers:
    """What a person may do, and where."""
    rows = session.execute(_GRANTS, {"staff": staff_id})
    return Powers(tuple((role, code) for role, code in rows))


def seen(session: Session, session_id: int, now: datetime) -> None:
    """Note that a session is in use."""
    session.execute(update(StaffSession).where(col(StaffSession.id) == session_id).values(seen_at=now))


def running(session: Session, staff_id: int, now: datetime) -> Sequence[StaffSession]:
    """The sessions of a person that are valid now, the latest used first."""
    query = select(StaffSession).where(
        StaffSession.staff_id == staff_id, col(StaffSession.ended_at).is_(None), StaffSession.expires_at > now
    )
    return list(session.exec(query.order_by(col(StaffSession.seen_at).desc())))


def of(session: Session, session_id: int, staff_id: int) -> StaffSession:
    """One session of this person, or NotFound."""
    found = session.get(StaffSession, session_id)
    if found is None or found.staff_id != staff_id:
        raise NotFound(mark("没有找到这个登录，可能已经结束。"))
    return found


def end(session: Session, session_id: int, now: datetime) -> None:
    """End one session; again: changes nothing."""
    _end(session, now, col(StaffSession.id) == session_id)


def end_all(session: Session, staff_id: int, now: datetime, *, but: int | None = None) -> None:
    """End every session of a person, except `but`."""
    _end(session, now, col(StaffSession.staff_id) == staff_id, col(StaffSession.id) != (but or 0))


def device(agent: str) -> str:
    """What a person calls the browser of a User-Agent: `Chrome · Windows`; a guess, for reading only."""
    browser = next((name for mark_, name in _BROWSERS if mark_ in agent), "")
    system = next((name for mark_, name in _SYSTEMS if mark_ in agent), "")
    return " · ".join(part for part in (browser, system) if part) or agent[:40]


def _end(session: Session, now: datetime, *conditions: object) -> None:
    statement = update(StaffSession).where(col(StaffSession.ended_at).is_(None), *conditions)  # type: ignore[arg-type]
    session.execute(statement.values(ended_at=now))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
