"""What the institution allows on each channel: hours of the day, and how often a person is written to."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution.access import requires, signed_in
from scheduler import rules
from scheduler.channels import registry
from scheduler.desk.routes import blueprint
from scheduler.rules import Allowed


@dataclass(frozen=True, slots=True)
class RuleRow:
    """The rule of a channel, as the form shows it."""

    channel: str
    label: str
    opens: str
    closes: str
    most: str
    days: str
    field: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class RulesPage:
    """The rules of all channels; `may_edit` is for who is in charge of channels everywhere."""

    rows: Sequence[RuleRow]
    may_edit: bool


@blueprint.get("/plans/rules")
@requires("push.view")
def sending_rules() -> ResponseReturnValue:
    """What is allowed on each channel."""
    return _shown()


@blueprint.post("/plans/rules")
@requires("channel.edit")
def save_rule() -> ResponseReturnValue:
    """Decide what is allowed on one channel; it holds for the whole institution."""
    form, channel = request.form, request.form.get("channel", "")
    with reading() as session:
        signed_in().check(session, "channel.edit", "")
    try:
        with transaction() as session:
            rules.change(
                session, channel, opens=form.get("opens", ""), closes=form.get("closes", ""),
                most=_number("most"), within=_number("days"), now=clock.now(),
            )  # fmt: skip
    except DomainError as error:
        if channel not in registry.KINDS:
            raise
        return _shown(_typed(channel, error)), 400
    flash(_("%(channel)s的规则已保存。") % {"channel": registry.label(channel)}, "good")
    return redirect(url_for(".sending_rules"), code=303)


def _shown(typed: RuleRow | None = None) -> str:
    with reading() as session:
        known = rules.every(session)
        may = signed_in().may_at(session, "channel.edit", "")
    rows = [typed if typed and typed.channel == name else _row(name, one) for name, one in known.items()]
    return render("scheduler/rules.html", RulesPage(rows, may))


def _row(name: str, found: Allowed) -> RuleRow:
    return RuleRow(
        name,
        registry.label(name),
        rules.said(found.opens),
        rules.said(found.closes),
        str(found.most),
        str(found.days),
    )


def _typed(channel: str, error: DomainError) -> RuleRow:
    said = {name: request.form.get(name, "") for name in ("opens", "closes", "most", "days")}
    return RuleRow(channel, registry.label(channel), **said, field=error.field, fault=str(error))


def _number(name: str) -> int:
    text = request.form.get(name, "").strip() or "0"
    if not text.isdecimal() or len(text) > 4:
        raise Invalid(mark("请填写数字。"), field=name)
    return int(text)
