"""Accounts at channels: list, form by kind, secrets that are shown once at most, closing and opening."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, make_response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.contacts import CHANNEL_NAMES, EMAIL, WEBHOOK
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import conflict, desk_table, places
from institution.access import requires, signed_in
from institution.conflict import Field
from institution.desk_table import Column, Listing, View
from institution.places import Choices
from scheduler import accounts
from scheduler.account_secrets import Secrets
from scheduler.accounts import TLS, AccountForm
from scheduler.desk.routes import account_place, blueprint
from scheduler.models import ChannelAccount

LABELS = {
    "name": mark("账号名称"),
    "outlet_code": mark("所属机构"),
    "address": mark("地址"),
    "port": mark("端口"),
    "tls": mark("加密"),
    "login": mark("用户名"),
    "sender": mark("发件人"),
}


@dataclass(frozen=True, slots=True)
class AccountRow:
    """An account in the list."""

    account: ChannelAccount
    channel: str
    place: str
    plans: int


@dataclass(frozen=True, slots=True)
class AccountsPage:
    """The accounts of one's part of the tree."""

    view: View[AccountRow]
    listing: Listing[AccountRow]
    server: str


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The form of an account; `shown` is a secret that was made just now, never one that was kept."""

    channel: str
    channel_name: str
    values: Mapping[str, str]
    places: Choices
    ways: Mapping[str, str]
    account: ChannelAccount | None = None
    plans: int = 0
    old_until: datetime | None = None
    base: str = ""
    shown: str = ""
    field: str | None = None
    fault: str = ""


COLUMNS: tuple[Column[AccountRow], ...] = (
    Column("name", mark("账号"), lambda row: row.account.name, sort=lambda row: row.account.name),
    Column("channel", mark("渠道"), lambda row: row.channel, sort=lambda row: row.account.channel),
    Column("line", mark("地址"), lambda row: row.account.line),
    Column("place", mark("机构"), lambda row: row.place, sort=lambda row: row.place),
    Column("plans", mark("执行中的计划"), lambda row: row.plans, sort=lambda row: row.plans, numeric=True),
    Column("secret_at", mark("密钥更换于"), lambda row: row.account.secret_at, sort=lambda row: row.account.secret_at),
    Column("active", mark("启用"), lambda row: row.account.active, sort=lambda row: row.account.active),
)  # fmt: skip


@blueprint.get("/channels")
@requires("channel.edit")
def channels() -> ResponseReturnValue:
    """The accounts of one's part of the tree."""
    scope = signed_in().scope("channel.edit")
    view = desk_table.view(COLUMNS, request.args, first="name")
    with reading() as session:
        found = list(session.exec(accounts.within(scope.condition(ChannelAccount.outlet_code))))
        used, named = (
            accounts.active_plans(session),
            places.names(session, {one.outlet_code for one in found}),
        )
        rows = view.arranged(
            AccountRow(one, _(CHANNEL_NAMES[one.channel]), named[one.outlet_code], used.get(one.id or 0, 0))
            for one in found
        )
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"channels.{form}")
    settings = service(Settings)
    server = f"{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else ""
    return render("scheduler/channels.html", AccountsPage(view, desk_table.cut(rows, page_number()), server))


@blueprint.get("/channels/new")
@requires("channel.edit")
def new_channel() -> ResponseReturnValue:
    """An empty form of the kind that the address names."""
    values = {"port": "587", "tls": "starttls"} if _asked() == EMAIL else {}
    with reading() as session:
        return render("scheduler/channel.html", _page(session, None, values))


@blueprint.post("/channels/new")
@requires("channel.edit")
def create_channel() -> ResponseReturnValue:
    """Keep a new account; a secret that was made for it is shown this once."""
    try:
        with transaction() as session:
            form = _posted(session, _asked())
            signed_in().check(session, "channel.edit", form.outlet_code)
            account, shown = accounts.create(
                session, form, held=_held(), secret=request.form.get("secret", ""), now=clock.now()
            )
    except DomainError as error:
        return _again(None, error), 400
    if not shown:
        flash(_("渠道账号已保存。"), "good")
        return redirect(url_for(".channel", account_id=account.id), code=303)
    return _once(account.id or 0, shown)


@blueprint.get("/channels/<int:account_id>")
@requires("channel.edit", at=account_place)
def channel(account_id: int) -> ResponseReturnValue:
    """An account: where it leads, its form, a new secret."""
    with reading() as session:
        account = accounts.get(session, account_id)
        return render("scheduler/channel.html", _page(session, account, values_of(account)))


@blueprint.post("/channels/<int:account_id>")
@requires("channel.edit", at=account_place)
def save_channel(account_id: int) -> ResponseReturnValue:
    """Change an account; active plans that it leads elsewhere are paused until they are approved anew."""
    try:
        with transaction() as session:
            account = session.get(ChannelAccount, account_id, with_for_update=True)
            if account is None:
                raise NotFound(mark("没有找到这个渠道账号。"))
            conflict.check(request.form.get("base", ""), values_of(account))
            form = _posted(session, account.channel)
            signed_in().check(session, "channel.edit", form.outlet_code)
            secret = request.form.get("secret", "")
            halted = accounts.edit(session, account_id, form, held=_held(), secret=secret, now=clock.now())
    except conflict.Overtaken as overtaken:
        return _both(account_id, overtaken.base)
    except NotFound:
        raise
    except DomainError as error:
        return _again(account_id, error), 400
    _say(_("渠道账号已保存。"), halted)
    return redirect(url_for(".channel", account_id=account_id), code=303)


@blueprint.post("/channels/<int:account_id>/secret")
@requires("channel.edit", at=account_place)
def replace_secret(account_id: int) -> ResponseReturnValue:
    """Give the account a new secret: typed, or made and shown this once."""
    try:
        with transaction() as session:
            secret = request.form.get("secret", "")
            shown = accounts.replace_secret(session, account_id, held=_held(), secret=secret, now=clock.now())
    except Invalid as error:
        with reading() as session:
            account = accounts.get(session, account_id)
            return render("scheduler/channel.html", _page(session, account, values_of(account), error)), 400
    if not shown:
        flash(_("密钥已更换。"), "good")
        return redirect(url_for(".channel", account_id=account_id), code=303)
    return _once(account_id, shown)


@blueprint.post("/channels/<int:account_id>/<any(close, open):action>")
@requires("channel.edit", at=account_place)
def act_on_channel(account_id: int, action: str) -> ResponseReturnValue:
    """Close or open an account."""
    with transaction() as session:
        halted = accounts.set_active(session, account_id, action == "open", now=clock.now())
    _say(_("渠道账号已启用。") if action == "open" else _("渠道账号已停用。"), halted)
    return redirect(url_for(".channel", account_id=account_id), code=303)


def values_of(account: ChannelAccount) -> dict[str, str]:
    """A saved account as the form shows it; no secret."""
    known = accounts.snapshot(account)
    return {name: str(known[name] or "") for name in LABELS}


def _held() -> Secrets:
    return Secrets(service(Keys), service(Vault))


def _asked() -> str:
    """The kind of a new account, in the address of its form."""
    asked = request.args.get("kind", WEBHOOK)
    if asked not in (EMAIL, WEBHOOK):
        abort(404)
    return asked


def _posted(session: Session, kind: str) -> AccountForm:
    form, port = request.form, request.form.get("port", "").strip()
    return AccountForm(
        channel=kind,
        port=int(port) if port.isdecimal() and len(port) < 6 else 0,
        outlet_code=places.typed(session, form),
        **{name: form.get(name, "") for name in ("name", "address", "tls", "login", "sender")},
    )


def _once(account_id: int, shown: str) -> ResponseReturnValue:
    """The page with the secret on it: an answer to the post, kept by nobody, gone with the next page."""
    with reading() as session:
        account = accounts.get(session, account_id)
        answer = make_response(
            render("scheduler/channel.html", _page(session, account, values_of(account), shown=shown))
        )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _say(sentence: str, halted: list[int]) -> None:
    flash(sentence, "good")
    if halted:
        flash(_("%(count)s 份执行中的计划已暂停，要重新提交审批。", count=len(halted)), "warn")


def _both(account_id: int, base: str) -> ResponseReturnValue:
    with reading() as session:
        account = accounts.get(session, account_id)
        theirs, mine = values_of(account), {name: request.form.get(name, "") for name in LABELS}
        named = places.names(session, {theirs["outlet_code"], mine["outlet_code"]})
    shown = [
        Field(name, _(label), theirs[name], mine[name], named if name == "outlet_code" else {})
        for name, label in LABELS.items()
    ]
    back = url_for(".channel", account_id=account_id)
    return conflict.page(account.name, back, shown, base=base, began=request.form.get("base", ""), back=back)


def _again(account_id: int | None, error: DomainError) -> str:
    """The form once more with what was typed (no secret), and the sentence at its field."""
    values = {name: request.form.get(name, "") for name in LABELS}
    with reading() as session:
        account = accounts.get(session, account_id) if account_id is not None else None
        return render("scheduler/channel.html", _page(session, account, values, error))


def _page(
    session: Session,
    account: ChannelAccount | None,
    values: Mapping[str, str],
    error: DomainError | None = None,
    shown: str = "",
) -> AccountPage:
    kind, scope = account.channel if account else _asked(), signed_in().scope("channel.edit")
    until = account.previous_until if account else None
    known = conflict.version_of(values_of(account)) if account else ""
    return AccountPage(
        channel=kind,
        channel_name=_(CHANNEL_NAMES[kind]),
        values=values,
        places=places.choices(session, scope, chosen=account.outlet_code if account else ""),
        ways={way: _(label) for way, label in TLS.items()},
        account=account,
        plans=accounts.active_plans(session).get(account.id or 0, 0) if account else 0,
        old_until=until if until is not None and until > clock.now() else None,
        base=request.form.get("base", known) if error else known,
        shown=shown,
        field=error.field if error else None,
        fault=str(error) if error else "",
    )
