"""Accounts at channels: where messages are handed over, with which secret; closed, never deleted."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.addresses import WEBPUSH
from campaign.contacts import EMAIL, WEBHOOK
from content import pages
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.powers import Scope
from scheduler import hooks, starting
from scheduler.account_form import (
    TLS,
    AccountForm,
    check_whole,
    checked,
    checked_url,
    elsewhere,
    typed_secrets,
)
from scheduler.account_secrets import OVERLAP, Secrets, made
from scheduler.channels import registry, webpush
from scheduler.models import ChannelAccount, Plan, PlanState, Push, PushState

__all__ = ["TLS", "AccountForm", "checked_url"]
_FIELDS = (
    "channel",
    "name",
    "address",
    "port",
    "tls",
    "login",
    "sender",
    "options",
    "failover_id",
    "outlet_code",
    "active",
)

audit.declare(
    {
        "channel.create": mark("新建渠道账号"),
        "channel.edit": mark("修改渠道账号"),
        "channel.secret": mark("更换渠道账号的密钥"),
        "channel.close": mark("停用渠道账号"),
        "channel.open": mark("启用渠道账号"),
    }
)


def create(
    session: Session, form: AccountForm, *, held: Secrets, secret: str = "", now: datetime
) -> tuple[ChannelAccount, str]:
    """A new account, and the secret that was made for a webhook: the one time that it can be seen."""
    kind = registry.get(form.channel)
    values, own = checked(session, form), typed_secrets(kind, secret, form)
    if kind.name == WEBPUSH and not own:
        own = {"secret": webpush.new_key()[0]}
    check_whole(kind, own)
    fresh = made() if kind.name == WEBHOOK and not own else ""
    named = own or ({"secret": fresh} if fresh else {})
    account = ChannelAccount(
        **values, secret_sealed=held.seal_all(kind, named), secret_at=now, created_at=now, updated_at=now
    )
    account.fingerprint = held.fingerprint(named) if kind.to_group else ""
    session.add(account)
    session.flush()
    hooks.made(session, account, now)
    _tell_pages(session, account)
    _record(session, "channel.create", account, {})
    return account, fresh


def edit(
    session: Session, account_id: int, form: AccountForm, *, held: Secrets, secret: str = "", now: datetime
) -> list[int]:
    """Change an account; returns the active plans that were paused because they need a new approval.

    Secrets must be typed again when the server or the user changes: else whoever may edit could have them sent
    to a server of their own.
    """
    account = get(session, account_id)
    kind, before, old = registry.get(account.channel), snapshot(account), account.line
    values = checked(session, form, account)
    own = typed_secrets(kind, secret, form) if kind.name != WEBHOOK else {}
    _check_retyped(account, values, own, held)
    for name, value in values.items():
        setattr(account, name, value)
    if own:
        named = held.named(account) | own
        account.secret_sealed, account.secret_at = held.seal_all(kind, named), now
        account.fingerprint = held.fingerprint(named) if kind.to_group else ""
    if kind.name != WEBHOOK:
        check_whole(kind, held.named(account))
    _save(session, account, now)
    reason = mark("渠道账号改过了，请重新提交审批。")
    moved = (account.line, account.failover_id) != (old, before["failover_id"])
    halted = starting.halt(session, account_id, reason, now) if moved else []
    _record(session, "channel.edit", account, before, halted=halted, secret_replaced=bool(own))
    return halted


def _check_retyped(
    account: ChannelAccount, values: dict[str, Any], own: dict[str, str], held: Secrets
) -> None:
    if not elsewhere(account, values):
        return
    if account.channel == WEBHOOK:
        if not account.secret_sealed:
            raise Conflict(mark("请先更换这个账号的密钥，再改网址。"), field="address")
        return
    kept = [name for name in held.named(account) if name not in own]
    if kept and account.channel == EMAIL:
        raise Invalid(mark("服务器或用户变了，请把密码再填一次。"), field="secret")
    if kept:
        raise Invalid(mark("地址或账号变了，请把密钥再填一次。"), field=kept[0])


def replace_secret(
    session: Session, account_id: int, *, held: Secrets, secret: str = "", now: datetime
) -> str:
    """Give an account a new secret; returns the one that was made, to be shown this once.

    A webhook is signed with the secret before too for a day, so that its receiver can change over.
    """
    account = get(session, account_id)
    kind = registry.get(account.channel)
    own = typed_secrets(kind, secret).get("secret", "")
    if account.channel != WEBHOOK and not own:
        raise Invalid(mark("请填写新的密码。"), field="secret")
    fresh, old = "" if own else made(), account.line
    if account.channel == WEBHOOK:
        account.previous_sealed, account.previous_until = held.seal(held.current(account)), now + OVERLAP
    named = held.named(account) | {"secret": own or fresh}
    account.secret_sealed, account.secret_at = held.seal_all(kind, named), now
    account.fingerprint = held.fingerprint(named) if kind.to_group else ""
    _save(session, account, now)
    if account.line != old:
        starting.halt(session, account_id, mark("渠道账号改过了，请重新提交审批。"), now)
    audit.record(session, "channel.secret", "channel", account_id, outlet_code=account.outlet_code)
    return fresh


def set_active(session: Session, account_id: int, active: bool, *, now: datetime) -> list[int]:
    """Close or open an account; returns the active plans that were paused by closing it."""
    account = get(session, account_id)
    if account.active == active:
        return []
    before = snapshot(account)
    account.active = active
    _save(session, account, now)
    halted = [] if active else starting.halt(session, account_id, mark("渠道账号已停用。"), now)
    _record(session, "channel.open" if active else "channel.close", account, before, halted=halted)
    return halted


def get(session: Session, account_id: int) -> ChannelAccount:
    """The account, or NotFound."""
    account = session.get(ChannelAccount, account_id)
    if account is None:
        raise NotFound(mark("没有找到这个渠道账号。"))
    return account


def within(condition: ColumnElement[bool]) -> SelectOfScalar[ChannelAccount]:
    """A query for the accounts of a part of the tree."""
    return select(ChannelAccount).where(condition)


def usable(session: Session, scope: Scope) -> list[ChannelAccount]:
    """Open accounts that plans in this part of the tree may use: its own and those of the nodes above."""
    query = (
        within(scope.condition(ChannelAccount.outlet_code, above=True))
        .where(col(ChannelAccount.active).is_(True))
        .order_by(col(ChannelAccount.channel), col(ChannelAccount.name))
    )
    return list(session.exec(query))


def active_plans(session: Session) -> dict[int, int]:
    """How many active plans use each account."""
    query = (
        select(Plan.account_id, func.count())
        .where(col(Plan.account_id).is_not(None), Plan.state == PlanState.active)
        .group_by(col(Plan.account_id))
    )
    return {number: count for number, count in session.exec(query) if number is not None}


def last_fault(session: Session, account_id: int) -> Push | None:
    """The latest push by this account that waits because something is wrong: its reason says what an operator does."""
    query = (
        select(Push)
        .where(Push.account_id == account_id, Push.state == PushState.paused, Push.reason != "")
        .order_by(col(Push.id).desc())
    )
    return session.exec(query.limit(1)).first()


def snapshot(account: ChannelAccount) -> dict[str, Any]:
    """What the audit log and the conflict page show of an account: never a secret."""
    return {name: getattr(account, name) for name in _FIELDS}


def _save(session: Session, account: ChannelAccount, now: datetime) -> None:
    account.updated_at = now
    session.add(account)
    session.flush()
    _tell_pages(session, account)


def _tell_pages(session: Session, account: ChannelAccount) -> None:
    """Pages offer to tell browsers of news where there is an account for it."""
    if account.channel == WEBPUSH:
        pages.bump(session)


def _record(
    session: Session, action: str, account: ChannelAccount, before: dict[str, object], **more: object
) -> None:
    after = snapshot(account) | {name: value for name, value in more.items() if value}
    code = account.outlet_code
    audit.record(session, action, "channel", account.id, before=before, after=after, outlet_code=code)
