"""Staff accounts: made, changed, closed, their passwords. Nobody touches what is stronger than themselves.

Every verb takes `by`, the account that acts: what it gives or touches must be within its own powers; None is
the command line or the product itself. E-mail addresses come here sealed (`core.privacy.Vault`).
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid, NotAllowed, NotFound
from core.i18n import mark
from institution import audit, passwords, sessions, staff_fields
from institution.granting import Pairs, check_grants, check_reach, place, set_grants
from institution.models import Staff
from institution.powers import WHOLE
from institution.sign_in_models import Invitation

MIN_PASSWORD = passwords.SHORTEST

audit.declare(
    {
        "staff.add": mark("新增账号"),
        "staff.change": mark("修改账号"),
        "staff.close": mark("停用账号"),
        "staff.reset": mark("重置密码"),
        "staff.password": mark("修改密码"),
    }
)


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
    grants: Pairs | None = None,
    email: str | None = None,
    until: datetime | None = None,
    by: int | None = None,
) -> tuple[Staff, str]:
    """Make an account; returns it with its one-time password, stored as a hash and valid before `until`.

    It gets `grants`, pairs of role and node, or else `roles` for the node `at`.
    """
    wanted = list(grants) if grants is not None else [(role, at) for role in roles]
    made, password = make(
        session, login=login, name=name, grants=wanted, now=now, demo=demo, system=system, email=email,
        until=until, by=by,
    )  # fmt: skip
    audit.record(
        session, "staff.add", "staff", made.login, after=facts(session, made), outlet_code=place(wanted)
    )
    return made, password


def make(
    session: Session,
    *,
    login: str,
    name: str,
    grants: Pairs,
    now: datetime,
    demo: bool = False,
    system: bool = False,
    email: str | None = None,
    until: datetime | None = None,
    by: int | None = None,
) -> tuple[Staff, str]:
    """The same without an audit record, for an import, which leaves one for all."""
    login = staff_fields.normal_login(login)
    if by_login(session, login):
        raise Conflict(mark("登录名“%(login)s”已有人使用，请换一个。"), field="login", login=login)
    if by is not None:
        check_grants(session, grants)
        check_reach(session, by, grants)
    password = passwords.one_time()
    account = Staff(
        login=login,
        name=name.strip() or login,
        password_hash=None if system else passwords.hashed_random(password),
        password_until=until,
        email=email,
        system=system,
        demo=demo,
        created_at=now,
    )
    session.add(account)
    session.flush()
    set_grants(session, account, grants)
    return account, password


def facts(session: Session, account: Staff) -> dict[str, object]:
    """What the audit log keeps of an account: never its e-mail address, only whether there is one."""
    grants = sessions.powers_of(session, account.id or 0).grants
    return {
        "name": account.name,
        "active": account.active,
        "grants": [f"{role}@{code or '*'}" for role, code in grants],
        "email": "***" if account.email else "",
    }


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


def locked(session: Session, staff_id: int) -> Staff:
    """The account, held until the transaction ends, so that nobody comes between reading and writing."""
    get(session, staff_id)
    query = select(Staff).where(Staff.id == staff_id).with_for_update()
    return session.exec(query.execution_options(populate_existing=True)).one()


def everyone(session: Session) -> list[Staff]:
    """All accounts that people use, by login."""
    return list(session.exec(select(Staff).where(col(Staff.system).is_(False)).order_by(Staff.login)))


def change_password(session: Session, account: Staff, old: str, new: str, *, now: datetime) -> None:
    """Set a new password; every session of the account ends."""
    if not passwords.matches(account.password_hash, old):
        raise Invalid(mark("当前密码不对，请再试一次。"), field="old")
    if new == old:
        raise Invalid(mark("新密码不能与当前密码相同。"), field="new")
    set_password(session, account, new, now=now)
    audit.record(session, "staff.password", "staff", account.login)


def set_password(session: Session, account: Staff, new: str, *, now: datetime) -> None:
    """Give the account the password its owner chose; without a record, which the caller's act leaves."""
    passwords.check(new, own=(account.login, account.name))
    account.password_hash = passwords.hashed(new)
    account.must_change_password, account.password_until = False, None
    session.add(account)
    sessions.end_all(session, account.id or 0, now)


def reset_password(
    session: Session, account: Staff, *, now: datetime, until: datetime | None = None, by: int | None = None
) -> str:
    """Give the account a new one-time password and end its sessions; returns the password once."""
    check_touch(session, account, by)
    password = passwords.one_time()
    account.password_hash = passwords.hashed_random(password)
    account.must_change_password, account.password_until = True, until
    session.add(account)
    _shut(session, account, now)
    audit.record(
        session,
        "staff.reset",
        "staff",
        account.login,
        outlet_code=place(sessions.powers_of(session, account.id or 0).grants),
    )
    return password


def change(
    session: Session,
    account: Staff,
    *,
    name: str,
    grants: Pairs,
    active: bool,
    by: int | None,
    now: datetime,
    email: str | None = None,
) -> None:
    """Change name, e-mail, grants and whether the account may sign in; a closed account's sessions end.

    Nobody changes their own grants or closes themselves, so that nobody raises themselves and one
    administrator always remains.
    """
    before = facts(session, account)
    changed_email = bool(email and account.email and email != account.email)
    closes = account.active and not active
    apply(session, account, name=name, grants=grants, active=active, by=by, now=now, email=email)
    after = facts(session, account) | ({"email": "*** *"} if changed_email else {})
    word = "staff.close" if closes else "staff.change"
    audit.record(session, word, "staff", account.login, before=before, after=after, outlet_code=place(grants))


def apply(
    session: Session,
    account: Staff,
    *,
    name: str,
    grants: Pairs,
    active: bool,
    by: int | None,
    now: datetime,
    email: str | None,
) -> None:
    """The same without an audit record, for an import, which leaves one for all."""
    if not name.strip():
        raise Invalid(mark("请填写姓名。"), field="name")
    old = sessions.powers_of(session, account.id or 0).grants
    check_touch(session, account, by)
    check_own(session, account, by=by, grants=grants, active=active)
    check_grants(session, grants)
    check_reach(session, by, grants)
    if account.active and not active:
        _shut(session, account, now)
    account.name, account.active, account.email = name.strip()[:60], active, email
    session.add(account)
    if set(grants) != set(old):
        set_grants(session, account, grants)


def check_own(
    session: Session, account: Staff, *, by: int | None, grants: Pairs, active: bool = True
) -> None:
    """NotAllowed for who would change their own grants or close themselves."""
    if account.id != by:
        return
    if not active:
        raise NotAllowed(mark("不能停用自己的账号，请让另一位管理员来做。"))
    if set(grants) != set(sessions.powers_of(session, account.id or 0).grants):
        raise NotAllowed(mark("不能修改自己的角色和范围，请让另一位管理员来做。"), field="grants")


def close(session: Session, account: Staff, *, by: int | None, now: datetime) -> None:
    """Close one account: its sessions end, its records stay; again: changes nothing."""
    if account.active:
        grants = sessions.powers_of(session, account.id or 0).grants
        check_close(session, account, by)
        account.active = False
        session.add(account)
        _shut(session, account, now)
        audit.record(
            session, "staff.close", "staff", account.login, before={"active": True}, after={"active": False},
            outlet_code=place(grants),
        )  # fmt: skip


def check_close(session: Session, account: Staff, by: int | None) -> None:
    """NotAllowed unless `by` may close this account."""
    check_touch(session, account, by)
    if account.id == by:
        raise NotAllowed(mark("不能停用自己的账号，请让另一位管理员来做。"))


def check_touch(session: Session, account: Staff, by: int | None) -> None:
    """Whether `by` may touch this account at all, as it stands now."""
    if account.system:
        raise NotAllowed(mark("系统账号记录系统自己做的事，不能修改。"))
    if account.id != by:
        check_reach(session, by, sessions.powers_of(session, account.id or 0).grants)


def _shut(session: Session, account: Staff, now: datetime) -> None:
    """End every session and every open invitation of an account."""
    sessions.end_all(session, account.id or 0, now)
    open_ones = (
        col(Invitation.staff_id) == account.id,
        col(Invitation.used_at).is_(None),
        col(Invitation.ended_at).is_(None),
    )
    session.execute(update(Invitation).where(*open_ones).values(ended_at=now))
