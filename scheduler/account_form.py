"""What an account must say before it is kept: a mail server, a receiver's address, or what a platform asks for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from typing import Any
from urllib.parse import urlsplit

from sqlmodel import Session, select

from campaign.contacts import EMAIL, WEBHOOK
from core.errors import Conflict, Invalid
from core.i18n import gettext, mark
from institution.models import Outlet
from institution.powers import WHOLE
from scheduler import stand_ins
from scheduler.channels import registry
from scheduler.channels.registry import Kind
from scheduler.models import ChannelAccount

TLS = {"starttls": "STARTTLS", "tls": "TLS", "none": mark("不加密")}
_LENGTHS = {"address": 500, "login": 200, "sender": 200}
_SECRET, _OPTION = 4000, 500


@dataclass(frozen=True, slots=True)
class AccountForm:
    """What a person writes; port and tls are a mail server's, `options` a platform's own fields, `secrets` those
    of its secrets that have names of their own, `failover_id` the account that takes over."""

    channel: str
    name: str
    address: str
    port: int = 0
    tls: str = ""
    login: str = ""
    sender: str = ""
    outlet_code: str = WHOLE
    failover_id: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


def checked(session: Session, form: AccountForm, account: ChannelAccount | None = None) -> dict[str, Any]:
    """The columns of an account; Invalid with its field for what cannot be, Conflict for a name that is taken."""
    kind = registry.get(account.channel if account else form.channel)
    name = form.name.strip()
    if not name or len(name) > 80:
        raise Invalid(mark("请给账号起一个名字（不超过 80 个字）。"), field="name")
    if form.outlet_code and session.get(Outlet, form.outlet_code) is None:
        raise Invalid(mark("请选择账号属于哪个机构。"), field="outlet_code")
    _check_name(session, name, form.outlet_code, account)
    other = stand_ins.checked(session, kind.name, form.outlet_code, form.failover_id, account)
    named = {"channel": kind.name, "name": name, "outlet_code": form.outlet_code, "failover_id": other}
    return named | _where(kind, form)


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


def typed_secrets(kind: Kind, secret: str, form: AccountForm | None = None) -> dict[str, str]:
    """The secrets that a person typed, by field; a webhook's must be long enough that nobody guesses it.

    A key in PEM has lines; every other secret is a line.
    """
    typed = {**(form.secrets if form else {}), "secret": secret}
    found = {name: typed.get(name, "").strip().replace("\r\n", "\n") for name in kind.secrets}
    for name, value in found.items():
        lines = value.isprintable() or value.startswith("-----BEGIN ")
        if len(value) > _SECRET or not lines:
            raise Invalid(mark("密钥须在一行以内，不超过 %(most)s 个字。"), field=name, most=_SECRET)
    if kind.name == WEBHOOK and found["secret"] and len(found["secret"]) < 24:
        raise Invalid(mark("密钥至少 24 个字符；不填就由系统生成。"), field="secret")
    return {name: value for name, value in found.items() if value}


def check_whole(kind: Kind, secrets: Mapping[str, str]) -> None:
    """Invalid when a secret is missing without which the platform answers nobody."""
    for one in kind.form:
        if one.secret and one.required and not secrets.get(one.name):
            raise _missing(one.name, one.label)


def elsewhere(account: ChannelAccount, values: Mapping[str, Any]) -> bool:
    """Whether secrets would go to somebody else by these values: another server, another user, another address."""
    if any(getattr(account, name) != values.get(name, "") for name in ("address", "login")):
        return True
    if account.channel == EMAIL and any(getattr(account, name) != values[name] for name in ("port", "tls")):
        return True
    new, old = values.get("options", {}), account.options
    return any(
        "//" in new.get(name, "") + old.get(name, "") and new.get(name) != old.get(name)
        for name in {*new, *old}
    )


def _where(kind: Kind, form: AccountForm) -> dict[str, Any]:
    if kind.name == EMAIL:
        return _mail_server(form)
    if kind.name == WEBHOOK:
        return {"address": checked_url(form.address)}
    somewhere = kind.has("address") or kind.address  # else each recipient brings their own
    values: dict[str, Any] = {"address": checked_url(form.address or kind.address) if somewhere else ""}
    for one in kind.form:
        if one.name in ("login", "sender"):
            values[one.name] = _line(one.name, one.label, getattr(form, one.name), one.required)
    values["options"] = {
        one.name: found
        for one in kind.own
        if (found := _line(one.name, one.label, form.options.get(one.name, ""), one.required))
    }
    return values


def _line(name: str, label: str, text: str, required: bool) -> str:
    text, most = text.strip(), _LENGTHS.get(name, _OPTION)
    if required and not text:
        raise _missing(name, label)
    if len(text) > most or not text.isprintable():
        raise Invalid(
            mark("“%(label)s”须在一行以内，不超过 %(most)s 个字。"),
            field=name,
            label=gettext(label),
            most=most,
        )
    return text


def _missing(name: str, label: str) -> Invalid:
    return Invalid(mark("请填写“%(label)s”。"), field=name, label=gettext(label))


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
