"""Which short messages go to registered people who gave no e-mail address, by which account and template."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.registration import words
from campaign.registration.texting import TEXTED
from core import clock
from core.errors import DomainError, NotFound
from core.http import reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution.access import requires, signed_in
from scheduler import plan_message, texts
from scheduler.channels import registry
from scheduler.desk.routes import blueprint
from scheduler.text_models import NoticeText


@dataclass(frozen=True, slots=True)
class TextRow:
    """What is sent on an occasion, as the form shows it."""

    kind: str
    label: str
    account: str
    template: str
    parameters: str
    field: str | None = None
    fault: str = ""


@dataclass(frozen=True, slots=True)
class TextsPage:
    """All occasions; `accounts` are (number, name) pairs, `may_edit` is for who is in charge of channels everywhere."""

    rows: Sequence[TextRow]
    accounts: Sequence[tuple[str, str]]
    places: Sequence[str]
    may_edit: bool


@blueprint.get("/channels/texts")
@requires("push.view")
def notice_texts() -> ResponseReturnValue:
    """Short messages by occasion."""
    return _shown()


@blueprint.post("/channels/texts")
@requires("channel.edit")
def save_text() -> ResponseReturnValue:
    """Decide what is sent on one occasion; it holds for the whole institution."""
    form = request.form
    kind, number = form.get("kind", ""), form.get("account", "")
    with reading() as session:
        signed_in().check(session, "channel.edit", "")
    try:
        with transaction() as session:
            texts.change(
                session, kind, account_id=int(number) if number.isdecimal() and len(number) < 10 else None,
                template=form.get("template", ""), parameters=form.get("parameters", "")[:4000], now=clock.now(),
            )  # fmt: skip
    except DomainError as error:
        if kind not in TEXTED:
            raise NotFound(mark("没有这种活动短信。")) from error
        typed = TextRow(
            kind, _(texts.label(kind)), number, form.get("template", ""), form.get("parameters", ""),
            error.field, str(error),
        )  # fmt: skip
        return _shown(typed), 400
    flash(_("“%(kind)s”的短信已保存。") % {"kind": _(texts.label(kind))}, "good")
    return redirect(url_for(".notice_texts"), code=303)


def _shown(typed: TextRow | None = None) -> str:
    with reading() as session:
        rows = [
            typed if typed and typed.kind == kind else _row(kind, row) for kind, row in texts.every(session).items()
        ]  # fmt: skip
        known = _accounts(session, rows)
        may = signed_in().may_at(session, "channel.edit", "")
    return render("scheduler/texts.html", TextsPage(rows, known, words.PLACES, may))


def _accounts(session: Session, rows: Sequence[TextRow]) -> list[tuple[str, str]]:
    """Accounts to choose from; one that was closed meanwhile is still named where it is set."""
    found = [(str(one.id), f"{one.name} · {registry.label(one.channel)}") for one in texts.accounts(session)]
    closed = {row.account for row in rows if row.account} - {number for number, _name in found}
    return found + [(number, _("已停用的账号")) for number in sorted(closed)]


def _row(kind: str, found: NoticeText | None) -> TextRow:
    if found is None:
        return TextRow(kind, _(texts.label(kind)), "", "", "")
    return TextRow(
        kind, _(texts.label(kind)), str(found.account_id), found.template,
        plan_message.as_text(found.parameters),
    )  # fmt: skip
