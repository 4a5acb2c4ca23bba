"""The page of an account: the fields that its kind of channel asks for, what is known of it, a secret shown once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask import abort, flash, make_response, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.contacts import WEBHOOK
from core import clock
from core.errors import DomainError
from core.http import reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.signing import Keys
from institution import conflict, places
from institution.access import signed_in
from institution.places import Choices
from scheduler import accounts, failover, stand_ins
from scheduler.account_form import TLS, AccountForm
from scheduler.account_secrets import Secrets
from scheduler.channels import registry
from scheduler.channels.base import Field
from scheduler.channels.registry import Kind
from scheduler.desk.channel_figures import FiguresBox, figures_of
from scheduler.desk.channel_hook import HookBox, box_of
from scheduler.models import ChannelAccount, Push

LABELS = {
    "name": mark("账号名称"),
    "outlet_code": mark("所属机构"),
    "address": mark("地址"),
    "port": mark("端口"),
    "tls": mark("加密"),
    "login": mark("用户名"),
    "sender": mark("发件人"),
    "failover_id": mark("接替账号"),
}
_PLAIN = ("address", "port", "tls", "login", "sender", "secret")
_NUMBER = 5


@dataclass(frozen=True, slots=True)
class FieldRow:
    """A field of the form, ready to be drawn; `key` is its name in the form, so that no platform's name meets ours."""

    key: str
    name: str
    label: str
    hint: str
    value: str
    type: str
    required: bool
    options: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """The form of an account; `shown` is a secret that was made just now, never one that was kept."""

    kind: Kind
    channel_name: str
    values: Mapping[str, str]
    fields: Sequence[FieldRow]
    places: Choices
    account: ChannelAccount | None = None
    plans: int = 0
    old_until: datetime | None = None
    stopped: Push | None = None
    others: Mapping[str, str] | None = None
    taken: Push | None = None
    base: str = ""
    shown: str = ""
    field: str | None = None
    fault: str = ""
    hook: HookBox | None = None
    figures: FiguresBox | None = None


def key_of(name: str) -> str:
    """What a field is called in the form."""
    return name if name in _PLAIN else f"option.{name}"


def labels(kind: Kind) -> dict[str, str]:
    """The fields of a kind that may be shown, with what they are called (not translated yet)."""
    own = {key_of(one.name): one.label for one in kind.form if not one.secret}
    shared = (
        ("name", "outlet_code", "failover_id") if stand_ins.allowed(kind.name) else ("name", "outlet_code")
    )
    return {name: LABELS[name] for name in shared} | own


def values_of(account: ChannelAccount) -> dict[str, str]:
    """A saved account as the form shows it; no secret."""
    known = accounts.snapshot(account)
    own = {key_of(name): value for name, value in account.options.items()}
    return {name: str(known[name] or "") for name in LABELS} | own


def blank(kind: Kind) -> dict[str, str]:
    """An empty form with what is usual."""
    return {key_of(one.name): one.value for one in kind.form if not one.secret}


def asked() -> str:
    """The kind of a new account, in the address of its form."""
    kind = request.args.get("kind", WEBHOOK)
    if kind not in registry.KINDS:
        abort(404)
    return kind


def posted(session: Session, name: str) -> AccountForm:
    """What the form says."""
    form, port, kind = request.form, request.form.get("port", "").strip(), registry.get(name)
    return AccountForm(
        channel=name,
        name=form.get("name", ""),
        address=form.get("address", ""),
        port=int(port) if port.isdecimal() and len(port) <= _NUMBER else 0,
        tls=form.get("tls", ""),
        login=form.get("login", ""),
        sender=form.get("sender", ""),
        outlet_code=places.typed(session, form),
        failover_id=int(other) if (other := form.get("failover_id", "")).isdecimal() else None,
        options={one.name: form.get(key_of(one.name), "") for one in kind.own},
        secrets={name: form.get(key_of(name), "") for name in kind.secrets},
    )


def held() -> Secrets:
    """Who seals and opens secrets."""
    return Secrets(service(Keys), service(Vault))


def once(account_id: int, shown: str) -> ResponseReturnValue:
    """The page with the secret on it: an answer to the post, kept by nobody, gone with the next page."""
    with reading() as session:
        account = accounts.get(session, account_id)
        answer = make_response(
            render("scheduler/channel.html", page_of(session, account, values_of(account), shown=shown))
        )
    answer.headers["Cache-Control"] = "no-store"
    return answer


def say(sentence: str, halted: list[int]) -> None:
    """Say what was done, and to which plans."""
    flash(sentence, "good")
    if halted:
        flash(_("%(count)s 份执行中的计划已暂停，要重新提交审批。", count=len(halted)), "warn")


def page_of(
    session: Session,
    account: ChannelAccount | None,
    values: Mapping[str, str],
    error: DomainError | None = None,
    shown: str = "",
) -> AccountPage:
    """The page of an account, or of a new one of the kind that the address names."""
    kind, scope = registry.get(account.channel if account else asked()), signed_in().scope("channel.edit")
    until = account.previous_until if account else None
    known = conflict.version_of(values_of(account)) if account else ""
    return AccountPage(
        kind=kind,
        channel_name=_(kind.label),
        values=values,
        fields=[_row(one, values, account) for one in kind.form if not _elsewhere(one, kind, account)],
        places=places.choices(session, scope, chosen=account.outlet_code if account else ""),
        account=account,
        plans=accounts.active_plans(session).get(account.id or 0, 0) if account else 0,
        old_until=until if until is not None and until > clock.now() else None,
        stopped=accounts.last_fault(session, account.id or 0) if account else None,
        others=others(session, account),
        taken=failover.latest(session, account.id or 0) if account else None,
        base=request.form.get("base", known) if error else known,
        shown=shown,
        field=error.field if error else None,
        fault=str(error) if error else "",
        hook=box_of(session, account) if account else None,
        figures=figures_of(session, account) if account else None,
    )


def others(session: Session, account: ChannelAccount | None) -> dict[str, str] | None:
    """The accounts that may take over; None for a new account, and where an address means nothing to another one."""
    if account is None or not stand_ins.allowed(account.channel):
        return None
    found = stand_ins.candidates(session, account.channel, account.outlet_code, account.id)
    kept = session.get(ChannelAccount, account.failover_id) if account.failover_id else None
    if kept is not None and kept not in found:
        found.append(kept)
    shown = {"": _("没有，停下等人处理")}
    return shown | {str(one.id): f"{registry.label(one.channel)} · {one.name}" for one in found}


def _elsewhere(one: Field, kind: Kind, account: ChannelAccount | None) -> bool:
    """The secret of a webhook that is there is replaced in a form of its own: its receiver must change over."""
    return one.secret and kind.name == WEBHOOK and account is not None


def _row(one: Field, values: Mapping[str, str], account: ChannelAccount | None) -> FieldRow:
    key, hint = key_of(one.name), _(one.hint) if one.hint else ""
    if one.secret:
        kept = _("加密保存，不再显示。不填就不改；地址或用户变了要再填一次。")
        hint = " ".join(filter(None, [hint, kept if account else _("加密保存，不再显示。")]))
    ways = {way: _(label) for way, label in TLS.items()} if one.name == "tls" else None
    return FieldRow(
        key=key,
        name=one.name,
        label=_(one.label),
        hint=hint,
        value="" if one.secret else values.get(key, ""),
        type="password" if one.secret else "text",
        required=one.required and not (one.secret and account is not None),
        options=ways,
    )
