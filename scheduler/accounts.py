"""Accounts at channels: where messages are handed over, with which secret; closed, never deleted."""

from dataclasses import dataclass
from datetime import datetime
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.contacts import EMAIL, WEBHOOK
from core.errors import Conflict, Invalid, NotFound
from core.i18n import mark
from institution import audit
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from scheduler import starting
from scheduler.account_secrets import OVERLAP, Secrets, made
from scheduler.models import ChannelAccount, Plan, PlanState

TLS = {"starttls": "STARTTLS", "tls": "TLS", "none": mark("不加密")}
_LEADS = ("address", "port", "tls", "login")
_FIELDS = ("channel", "name", "address", "port", "tls", "login", "sender", "outlet_code", "active")

audit.declare(
    {
        "channel.create": mark("新建渠道账号"),
        "channel.edit": mark("修改渠道账号"),
        "channel.secret": mark("更换渠道账号的密钥"),
        "channel.close": mark("停用渠道账号"),
        "channel.open": mark("启用渠道账号"),
    }
)


@dataclass(frozen=True, slots=True)
class AccountForm:
    """What a person writes; port, tls, login and sender are a mail server's."""

    channel: str
    name: str
    address: str
    port: int = 0
    tls: str = ""
    login: str = ""
    sender: str = ""
    outlet_code: str = WHOLE


def create(
    session: Session, form: AccountForm, *, held: Secrets, secret: str = "", now: datetime
) -> tuple[ChannelAccount, str]:
    """A new account, and the secret that was made for a webhook: the one time that it can be seen."""
    values = _checked(session, form)
    own = _typed(form.channel, secret)
    fresh = made() if form.channel == WEBHOOK and not own else ""
    account = ChannelAccount(
        **values, secret_sealed=held.seal(own or fresh), secret_at=now, created_at=now, updated_at=now
    )
    session.add(account)
    session.flush()
    _record(session, "channel.create", account, {})
    return account, fresh


def edit(
    session: Session, account_id: int, form: AccountForm, *, held: Secrets, secret: str = "", now: datetime
) -> list[int]:
    """Change an account; returns the active plans that were paused because they need a new approval.

    The password of a mail server must be typed again when the server or the user changes: else whoever may
    edit could have it sent to a server of their own.
    """
    account = get(session, account_id)
    before, old = snapshot(account), account.line
    values = _checked(session, form, account)
    elsewhere = any(name in _LEADS and getattr(account, name) != value for name, value in values.items())
    own = _typed(account.channel, secret) if account.channel == EMAIL else ""
    if account.channel == EMAIL and elsewhere and account.secret_sealed and not own:
        raise Invalid(mark("服务器或用户变了，请把密码再填一次。"), field="secret")
    if account.channel == WEBHOOK and elsewhere and not account.secret_sealed:
        raise Conflict(mark("请先更换这个账号的密钥，再改网址。"), field="address")
    for name, value in values.items():
        setattr(account, name, value)
    if own:
        account.secret_sealed, account.secret_at = held.seal(own), now
    _save(session, account, now)
    reason = mark("渠道账号改过了，请重新提交审批。")
    halted = starting.halt(session, account_id, reason, now) if account.line != old else []
    _record(session, "channel.edit", account, before, halted=halted, secret_replaced=bool(own))
    return halted


def replace_secret(
    session: Session, account_id: int, *, held: Secrets, secret: str = "", now: datetime
) -> str:
    """Give an account a new secret; returns the one that was made, to be shown this once.

    A webhook is signed with the secret before too for a day, so that its receiver can change over.
    """
    account = get(session, account_id)
    own = _typed(account.channel, secret)
    if account.channel == EMAIL and not own:
        raise Invalid(mark("请填写新的密码。"), field="secret")
    fresh = "" if own else made()
    if account.channel == WEBHOOK:
        account.previous_sealed, account.previous_until = held.seal(held.current(account)), now + OVERLAP
    account.secret_sealed, account.secret_at = held.seal(own or fresh), now
    _save(session, account, now)
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


def snapshot(account: ChannelAccount) -> dict[str, Any]:
    """What the audit log and the conflict page show of an account: never a secret."""
    return {name: getattr(account, name) for name in _FIELDS}


def _checked(session: Session, form: AccountForm, account: ChannelAccount | None = None) -> dict[str, Any]:
    channel = account.channel if account else form.channel
    name = form.name.strip()
    if not name or len(name) > 80:
        raise Invalid(mark("请给账号起一个名字（不超过 80 个字）。"), field="name")
    if form.outlet_code and session.get(Outlet, form.outlet_code) is None:
        raise Invalid(mark("请选择账号属于哪个机构。"), field="outlet_code")
    _check_name(session, name, form.outlet_code, account)
    if channel not in (EMAIL, WEBHOOK):
        raise Invalid(mark("请选择推送渠道。"), field="channel")
    where = _mail_server(form) if channel == EMAIL else {"address": checked_url(form.address)}
    return {"channel": channel, "name": name, "outlet_code": form.outlet_code, **where}


def _check_name(session: Session, name: str, outlet_code: str, account: ChannelAccount | None) -> None:
    query = select(ChannelAccount.id).where(
        ChannelAccount.name == name, ChannelAccount.outlet_code == outlet_code
    )
    other = session.exec(query).first()
    if other is not None and (account is None or other != account.id):
        raise Conflict(mark("已有名为“%(name)s”的账号，请换一个名字。"), field="name", name=name)


def _mail_server(form: AccountForm) -> dict[str, Any]:
    host, sender = form.address.strip(), form.sender.strip()
    if not host or len(host) > 255 or not host.isascii() or any(one in host for one in "/:@ "):
        raise Invalid(mark("请填写邮件服务器的主机名，例如 smtp.example.com。"), field="address")
    if not 1 <= form.port <= 65535:
        raise Invalid(mark("端口须在 1 到 65535 之间。"), field="port")
    if form.tls not in TLS:
        raise Invalid(mark("请选择怎样加密。"), field="tls")
    address = parseaddr(sender)[1]
    if "@" not in address[1:-1] or not sender.isprintable() or len(sender) > 200:
        raise Invalid(mark("请填写发件人，例如 消保部 <edu@example.com>。"), field="sender")
    login = form.login.strip()
    if len(login) > 200 or not login.isprintable():
        raise Invalid(mark("用户名不超过 200 个字。"), field="login")
    return {"address": host, "port": form.port, "tls": form.tls, "login": login, "sender": sender}


def checked_url(text: str) -> str:
    """The address of a webhook's receiver; Invalid when it is none."""
    wrong = Invalid(mark("请填写接收方接口的完整网址，以 https:// 开头。"), field="address")
    address = text.strip()
    try:
        parts = urlsplit(address)
        known = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError as error:
        raise wrong from error
    if not known or len(address) > 500 or not address.isprintable() or " " in address:
        raise wrong
    return address


def _typed(channel: str, secret: str) -> str:
    """The secret that a person typed; a webhook's must be long enough that nobody guesses it."""
    secret = secret.strip()
    if len(secret) > 300 or not secret.isprintable():
        raise Invalid(mark("密钥须在一行以内，不超过 300 个字。"), field="secret")
    if channel == WEBHOOK and secret and len(secret) < 24:
        raise Invalid(mark("密钥至少 24 个字符；不填就由系统生成。"), field="secret")
    return secret


def _save(session: Session, account: ChannelAccount, now: datetime) -> None:
    account.updated_at = now
    session.add(account)
    session.flush()


def _record(
    session: Session, action: str, account: ChannelAccount, before: dict[str, object], **more: object
) -> None:
    after = snapshot(account) | {name: value for name, value in more.items() if value}
    code = account.outlet_code
    audit.record(session, action, "channel", account.id, before=before, after=after, outlet_code=code)
