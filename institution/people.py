"""Staff accounts: made with a one-time password, signed in with argon2id, slowed down when guessed at."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, func, update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution import sessions
from institution.models import Grant, Staff
from institution.powers import ROLES, WHOLE

# OWASP Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane is the minimum.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_DUMMY = _HASHER.hash("nobody has this password")
_COMMON = ("password", "123456", "qwerty", "111111", "abc123", "admin", "signpost", "iloveyou", "12345678")
MIN_PASSWORD = 12
FREE_FAILURES = 5


def add(
    session: Session,
    *,
    login: str,
    name: str,
    roles: Sequence[str],
    now: datetime,
    at: str = WHOLE,
    demo: bool = False,
    system: bool = False,
) -> tuple[Staff, str]:
    """Make an account with `roles` for the node `at`; returns it with its one-time password, stored as a hash."""
    login = login.strip().lower()
    if not login or not all(ch.isalnum() or ch in "._-@" for ch in login):
        raise Invalid(mark("登录名只能用字母、数字和 . _ - @。"), field="login")
    if by_login(session, login):
        raise Conflict(mark("登录名“%(login)s”已有人使用，请换一个。"), field="login", login=login)
    password = one_time_password()
    account = Staff(
        login=login,
        name=name.strip() or login,
        password_hash=None if system else _HASHER.hash(password),
        system=system,
        demo=demo,
        created_at=now,
    )
    session.add(account)
    session.flush()
    set_grants(session, account, [(role, at) for role in roles])
    return account, password


def set_grants(session: Session, account: Staff, grants: Iterable[tuple[str, str]]) -> None:
    """Give exactly these pairs of role and node; Invalid for a role that does not exist."""
    wanted = set(grants)
    check_roles([role for role, _code in wanted]) if wanted else None
    session.execute(delete(Grant).where(col(Grant.staff_id) == account.id))
    session.add_all(
        Grant(staff_id=account.id or 0, role=role, outlet_code=code) for role, code in sorted(wanted)
    )
    session.flush()


def one_time_password() -> str:
    """Four groups of four characters that are not mistaken for each other (80 bits)."""
    letters = "abcdefghjkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))


def system_account(session: Session, login: str, name: str, now: datetime) -> Staff:
    """The system account `login`, made at first use: it stands in records and can never sign in."""
    return by_login(session, login) or add(session, login=login, name=name, roles=[], now=now, system=True)[0]


def by_login(session: Session, login: str) -> Staff | None:
    """The account with this login, if any."""
    return session.exec(select(Staff).where(Staff.login == login.strip().lower())).first()


def get(session: Session, staff_id: int) -> Staff:
    """The account, or NotFound."""
    account = session.get(Staff, staff_id)
    if account is None:
        raise NotFound(mark("没有找到这个账号。"))
    return account


def everyone(session: Session) -> list[Staff]:
    """All accounts that people use, by login."""
    return list(session.exec(select(Staff).where(col(Staff.system).is_(False)).order_by(Staff.login)))


def sign_in(session: Session, login: str, password: str, now: datetime) -> Staff | None:
    """The account when login and password are right, else None: the same answer, in the same time, for all.

    After FREE_FAILURES wrong passwords each further one doubles the wait, up to 15 minutes; a right
    password within the wait is refused too, so that guessing gains nothing.
    """
    account = by_login(session, login)
    usable = account is not None and account.active and not account.system and account.password_hash
    if not usable or account is None:
        _matches(_DUMMY, password)
        _write_nothing(session)
        return None
    right = _matches(account.password_hash or _DUMMY, password)
    if now < _free_from(account):
        _write_nothing(session)
        return None
    if not right:
        account.failed_count += 1
        account.failed_at = now
        session.add(account)
        return None
    account.failed_count, account.failed_at, account.signed_in_at = 0, None, now
    session.add(account)
    return account


def _write_nothing(session: Session) -> None:
    """A commit to disk takes time too: without it an unknown login would be answered sooner."""
    some = select(func.min(Staff.id)).scalar_subquery()
    session.execute(update(Staff).where(col(Staff.id) == some).values(failed_count=Staff.failed_count))


def change_password(session: Session, account: Staff, old: str, new: str, *, now: datetime) -> None:
    """Set a new password; every session of the account ends."""
    if not _matches(account.password_hash or _DUMMY, old):
        raise Invalid(mark("当前密码不对，请再试一次。"), field="old")
    _check_strength(account, old, new)
    account.password_hash = _HASHER.hash(new)
    account.must_change_password = False
    session.add(account)
    sessions.end_all(session, account.id or 0, now)


def reset_password(session: Session, account: Staff, *, now: datetime) -> str:
    """Give the account a new one-time password and end its sessions; returns the password once."""
    password = one_time_password()
    account.password_hash = _HASHER.hash(password)
    account.must_change_password = True
    account.failed_count, account.failed_at = 0, None
    session.add(account)
    sessions.end_all(session, account.id or 0, now)
    return password


def check_roles(roles: list[str]) -> None:
    """Invalid unless at least one role is given and all are known."""
    if not roles or any(role not in ROLES for role in roles):
        raise Invalid(mark("请至少选一个角色。"), field="roles")


def change(
    session: Session,
    account: Staff,
    *,
    name: str,
    grants: Sequence[tuple[str, str]],
    active: bool,
    by: int,
    now: datetime,
) -> None:
    """Change name, roles and whether the account may sign in; a closed account's sessions end.

    Nobody takes away their own administration, so that one administrator always remains.
    """
    roles = [role for role, _code in grants]
    check_roles(roles)
    if not name.strip():
        raise Invalid(mark("请填写姓名。"), field="name")
    if account.system:
        raise NotAllowed(mark("系统账号记录系统自己做的事，不能修改。"))
    if account.id == by and not active:
        raise NotAllowed(mark("不能停用自己的账号，请让另一位管理员来做。"))
    own = sessions.powers_of(session, by) if account.id == by else None
    if own and ("administrator", WHOLE) in own.grants and ("administrator", WHOLE) not in grants:
        raise NotAllowed(mark("不能去掉自己的管理员角色，请让另一位管理员来做。"), field="roles")
    if account.active and not active:
        sessions.end_all(session, account.id or 0, now)
    account.name, account.active = name.strip(), active
    session.add(account)
    set_grants(session, account, grants)


def _check_strength(account: Staff, old: str, new: str) -> None:
    if len(new) < MIN_PASSWORD:
        raise Invalid(mark("新密码至少 %(count)s 个字符，可以用一句话。"), field="new", count=MIN_PASSWORD)
    if new == old:
        raise Invalid(mark("新密码不能与当前密码相同。"), field="new")
    lowered = new.lower()
    own = len(account.login) > 2 and account.login in lowered
    if own or any(word in lowered for word in _COMMON) or len(set(new)) < 5:
        raise Invalid(mark("这个密码太容易被猜到，请换一个不常见的。"), field="new")


def _matches(hashed: str, password: str) -> bool:
    try:
        return _HASHER.verify(hashed, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _free_from(account: Staff) -> datetime:
    if account.failed_at is None or account.failed_count < FREE_FAILURES:
        return account.created_at
    wait = min(2 ** (account.failed_count - FREE_FAILURES), 900)
    return account.failed_at + timedelta(seconds=wait)
