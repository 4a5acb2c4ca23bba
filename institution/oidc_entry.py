"""Accounts of people whom the OpenID Connect provider vouches for: made and kept up by their groups.

The mapping of the settings is the whole truth about such an account: its grants are set anew at every sign-in,
and who is in no mapped group any more loses them, and their sessions.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.i18n import mark
from institution import audit, granting, people, sessions
from institution.models import Outlet, Staff
from institution.oidc import Identity
from institution.oidc_models import StaffIdentity
from institution.powers import ROLES, WHOLE

NO_ROLE = mark("统一登录认得您，但您所在的组还没有对应的角色，请联系管理员。")
NOT_SET_UP = mark("还没有设置统一登录，请用密码登录。")
CLOSED = mark("您的账号已停用，请联系管理员。")
Mapped = Mapping[str, Sequence[tuple[str, str]]]

audit.declare(
    {"staff.oidc_add": mark("统一登录新建账号"), "staff.oidc_change": mark("统一登录更新账号")}
)  # signing in itself is recorded by sign_in


@dataclass(frozen=True, slots=True)
class Entry:
    """What becomes of a sign-in: the account that may enter, or the sentence why not."""

    account: Staff | None
    sentence: str = ""


def admit(session: Session, identity: Identity, mapping: Mapped, now: datetime) -> Entry:
    """The account of this identity with the grants that its groups give, made at first sight.

    Without a mapped group nobody enters; the transaction is to be committed either way.
    """
    grants = granted(session, identity.groups, mapping)
    known = _known(session, identity)
    if known is None:
        if not grants:
            return Entry(None, NO_ROLE)
        return Entry(_made(session, identity, grants, now))
    account = people.get(session, known.staff_id)
    known.seen_at = now
    session.add(known)
    if not account.active:
        return Entry(None, CLOSED)
    _keep_up(session, account, identity, grants, now)
    return Entry(account) if grants else Entry(None, NO_ROLE)


def granted(session: Session, groups: Sequence[str], mapping: Mapped) -> list[tuple[str, str]]:
    """The pairs of role and node of these groups; a role or node that does not exist gives nothing."""
    pairs = {pair for group in groups for pair in mapping.get(group, ()) if pair[0] in ROLES}
    codes = sorted({code for _role, code in pairs})
    there = {WHOLE, *session.exec(select(Outlet.code).where(col(Outlet.code).in_(codes)))}
    return sorted(pair for pair in pairs if pair[1] in there)


def _known(session: Session, identity: Identity) -> StaffIdentity | None:
    """Locked, so that two sign-ins at once do not undo each other's grants."""
    query = select(StaffIdentity).where(
        StaffIdentity.issuer == identity.issuer, StaffIdentity.subject == identity.subject
    )
    return session.exec(query.with_for_update()).first()


def _made(session: Session, identity: Identity, grants: list[tuple[str, str]], now: datetime) -> Staff:
    """A new account without a password; a login that is taken gets a number, never somebody's account."""
    account, _password = people.make(
        session, login=_free_login(session, identity.login), name=identity.name, grants=grants, now=now
    )
    account.password_hash, account.must_change_password = None, False
    session.add(account)
    session.add(
        StaffIdentity(
            staff_id=account.id or 0,
            issuer=identity.issuer,
            subject=identity.subject,
            created_at=now,
            seen_at=now,
        )
    )
    session.flush()
    audit.record(
        session,
        "staff.oidc_add",
        "staff",
        account.login,
        after=people.facts(session, account),
        outlet_code=granting.place(grants),
    )
    return account


def _keep_up(
    session: Session, account: Staff, identity: Identity, grants: list[tuple[str, str]], now: datetime
) -> None:
    before = people.facts(session, account)
    account.name = identity.name
    session.add(account)
    granting.set_grants(session, account, grants)
    if not grants:
        sessions.end_all(session, account.id or 0, now)
    after = people.facts(session, account)
    if before != after:
        place = granting.place(grants)
        audit.record(
            session,
            "staff.oidc_change",
            "staff",
            account.login,
            before=before,
            after=after,
            outlet_code=place,
        )


def _free_login(session: Session, wanted: str) -> str:
    base = "".join(ch for ch in wanted.lower() if ch.isalnum() or ch in "._-")[:50] or "oidc"
    number = 1
    while people.by_login(session, base if number == 1 else f"{base}-{number}"):
        number += 1
    return base if number == 1 else f"{base}-{number}"


def linked(session: Session, staff_id: int) -> bool:
    """Whether an account signs in by the provider."""
    query = select(StaffIdentity.id).where(StaffIdentity.staff_id == staff_id)
    return session.exec(query).first() is not None
