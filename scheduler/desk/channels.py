"""Accounts at channels: the list, the form of each kind, both versions when two people edit."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import DomainError, NotFound
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import conflict, desk_table, places
from institution.access import requires, signed_in
from institution.conflict import Field
from institution.desk_table import Column, Listing, View
from scheduler import accounts
from scheduler.channels import registry
from scheduler.desk.channel_page import (
    asked,
    blank,
    held,
    labels,
    once,
    others,
    page_of,
    posted,
    say,
    values_of,
)
from scheduler.desk.routes import account_place, blueprint
from scheduler.models import ChannelAccount


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
    kinds: Sequence[tuple[str, str]]


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
            AccountRow(one, registry.label(one.channel), named[one.outlet_code], used.get(one.id or 0, 0))
            for one in found
        )
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"channels.{form}")
    settings = service(Settings)
    server = f"{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else ""
    kinds = [(name, registry.label(name)) for name in registry.KINDS]
    return render(
        "scheduler/channels.html", AccountsPage(view, desk_table.cut(rows, page_number()), server, kinds)
    )


@blueprint.get("/channels/new")
@requires("channel.edit")
def new_channel() -> ResponseReturnValue:
    """An empty form of the kind that the address names."""
    kind = registry.get(asked())
    with reading() as session:
        return render("scheduler/channel.html", page_of(session, None, blank(kind)))


@blueprint.post("/channels/new")
@requires("channel.edit")
def create_channel() -> ResponseReturnValue:
    """Keep a new account; a secret that was made for it is shown this once."""
    try:
        with transaction() as session:
            form = posted(session, asked())
            signed_in().check(session, "channel.edit", form.outlet_code)
            account, shown = accounts.create(
                session, form, held=held(), secret=request.form.get("secret", ""), now=clock.now()
            )
    except DomainError as error:
        return _again(None, error), 400
    if not shown:
        flash(_("渠道账号已保存。"), "good")
        return redirect(url_for(".channel", account_id=account.id), code=303)
    return once(account.id or 0, shown)


@blueprint.get("/channels/<int:account_id>")
@requires("channel.edit", at=account_place)
def channel(account_id: int) -> ResponseReturnValue:
    """An account: where it leads, its form, a new secret."""
    with reading() as session:
        account = accounts.get(session, account_id)
        return render("scheduler/channel.html", page_of(session, account, values_of(account)))


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
            form = posted(session, account.channel)
            signed_in().check(session, "channel.edit", form.outlet_code)
            secret = request.form.get("secret", "")
            halted = accounts.edit(session, account_id, form, held=held(), secret=secret, now=clock.now())
    except conflict.Overtaken as overtaken:
        return _both(account_id, overtaken.base)
    except NotFound:
        raise
    except DomainError as error:
        return _again(account_id, error), 400
    say(_("渠道账号已保存。"), halted)
    return redirect(url_for(".channel", account_id=account_id), code=303)


def _both(account_id: int, base: str) -> ResponseReturnValue:
    with reading() as session:
        account = accounts.get(session, account_id)
        shown_as = labels(registry.get(account.channel))
        theirs, mine = values_of(account), {name: request.form.get(name, "") for name in shown_as}
        named = places.names(session, {theirs["outlet_code"], mine["outlet_code"]})
        other = others(session, account) or {}
    shown = [
        Field(
            name,
            _(label),
            theirs.get(name, ""),
            mine[name],
            named if name == "outlet_code" else other if name == "failover_id" else {},
        )
        for name, label in shown_as.items()
    ]
    back = url_for(".channel", account_id=account_id)
    return conflict.page(account.name, back, shown, base=base, began=request.form.get("base", ""), back=back)


def _again(account_id: int | None, error: DomainError) -> str:
    """The form once more with what was typed (no secret), and the sentence at its field."""
    with reading() as session:
        account = accounts.get(session, account_id) if account_id is not None else None
        kind = registry.get(account.channel if account else asked())
        values = {name: request.form.get(name, "") for name in labels(kind)}
        return render("scheduler/channel.html", page_of(session, account, values, error))
