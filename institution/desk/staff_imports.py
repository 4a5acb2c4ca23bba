"""Accounts imported by upload: kept encrypted, previewed as a plan, applied all or not at all."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import DomainError
from core.http import asked_export, attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.privacy import Vault
from core.settings import Settings
from institution import (
    access,
    invitation_letters,
    invitations,
    letters,
    places,
    staff_files,
    staff_list,
    uploads,
)
from institution.desk import staff_secrets
from institution.desk.routes import staff_blueprint as blueprint
from institution.models import Staff
from institution.powers import ROLES, WHOLE
from institution.staff_files import LABELS, Change, Plan

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The upload form, with why a file could not be read."""

    fault: str = ""

    @property
    def roles(self) -> str:
        """The words a file may use for roles."""
        return _("、").join(_(name) for name, _allowed in ROLES.values())


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What applying the upload would do. Only the first changes and faults are listed."""

    token: str
    planned: Plan
    mail: bool
    names: Mapping[str, str]

    @property
    def changes(self) -> Sequence[Change]:
        """The first changes."""
        return self.planned.changes[:_SHOWN]

    @property
    def faults(self) -> list[str]:
        """The first faults, as sentences."""
        return [fault.line() for fault in self.planned.faults[:_SHOWN]]

    def words(self, value: object) -> str:
        """A value of a change in words."""
        if isinstance(value, list):
            return _("、").join(self._grant(str(one)) for one in value)
        return str(value)

    def _grant(self, value: str) -> str:
        role, _at, node = value.partition("@")
        return staff_list.words(role, self.names[WHOLE if node == "*" else node])

    def lines(self, change: Change) -> list[tuple[str, str, str]]:
        """Field, old and new value of what differs; everything of a new account."""
        labels = {"name": LABELS["name"], "email": LABELS["email"], "grants": LABELS["role"]}
        return [
            (_(label), self.words(change.before.get(name, "")), self.words(change.after[name]))
            for name, label in labels.items()
            if change.before.get(name, "") != change.after[name] and change.after[name]
        ]


@dataclass(frozen=True, slots=True)
class DonePage:
    """The one-time passwords of the new accounts, shown this once."""

    rows: Sequence[tuple[str, str, str]]
    until: datetime


@blueprint.get("/staff/import")
@access.requires("staff.edit")
def upload_accounts() -> ResponseReturnValue:
    """The upload form."""
    return render("institution/staff_upload.html", UploadPage())


@blueprint.get("/staff/example")
@access.requires("staff.edit")
def example_accounts() -> ResponseReturnValue:
    """An example file with every column."""
    form = asked_export() or "csv"
    head = [_(label) for label in LABELS.values()]
    rows = [
        ["zhang.san", _("张三"), "zhang.san@example.com", _(ROLES["editor"][0]), ""],
        ["li.si", _("李四"), "", _(ROLES["branch_manager"][0]), "330000"],
        ["li.si", _("李四"), "", _(ROLES["outlet_staff"][0]), "33010601"],
    ]
    return attachment((to_xlsx if form == "xlsx" else to_csv)(head, rows), f"staff-example.{form}")


@blueprint.post("/staff/import")
@access.requires("staff.edit")
def keep_accounts() -> ResponseReturnValue:
    """Keep the file and show what importing it would change."""
    person = access.signed_in()
    try:
        _name, data = uploaded()
        staff_files.read(data)
    except DomainError as error:
        return render("institution/staff_upload.html", UploadPage(str(error))), 400
    sealed = service(Vault).encrypt(base64.b64encode(data).decode()).encode()
    token = uploads.keep(_folder(), person.id, sealed, clock.now())
    return redirect(url_for("staff.preview_accounts", token=token))


def _folder() -> Path:
    return service(Settings).home / "uploads"


def _planned(session: Session, token: str) -> Plan:
    person, vault = access.signed_in(), service(Vault)
    sealed = uploads.content(_folder(), person.id, token).decode()
    return staff_files.plan(session, vault, base64.b64decode(vault.decrypt(sealed)), by=person.id)


def _grants(side: Mapping[str, object]) -> list[str]:
    found = side.get("grants", [])
    return [str(one) for one in found] if isinstance(found, list) else []


def _preview(session: Session, token: str, planned: Plan) -> str:
    values = [value for one in planned.changes for side in (one.before, one.after) for value in _grants(side)]
    codes = {value.partition("@")[2] for value in values} - {"*"}
    names = places.names(session, codes | {WHOLE})
    page = PreviewPage(token, planned, letters.possible(service(Settings)), names)
    return render("institution/staff_import.html", page)


# An upload is its owner's alone (uploads.content); the plan says of each account whether they may touch it.
@blueprint.get("/staff/import/<token>")
@access.requires("staff.edit", at=access.SHARED, above=True)
def preview_accounts(token: str) -> ResponseReturnValue:
    """What the import would change; nothing is written."""
    with reading() as session:
        return _preview(session, token, _planned(session, token))


@blueprint.post("/staff/import/<token>")
@access.requires("staff.edit", at=access.SHARED, above=True)
def apply_accounts(token: str) -> ResponseReturnValue:
    """Apply the import, planned anew; the new accounts' codes are shown, written out or mailed as links."""
    how, person, until = request.form.get("deliver", "page"), access.signed_in(), staff_secrets.until()
    with transaction() as session:
        planned = _planned(session, token)
        if planned.faults:
            return _preview(session, token, planned), 400
        made = staff_files.apply(session, service(Vault), planned, by=person.id, now=clock.now(), until=until)
        told = _mailed(session, made) if how == "mail" else made
    flash(
        _("已导入：新增 %(new)s 个账号，修改 %(changed)s 个，%(same)s 个不变。")
        % {"new": len(made), "changed": len(planned.changes) - len(made), "same": planned.same},
        "good",
    )
    if not told:
        return redirect(url_for("staff.accounts"))
    rows = [(one.login, one.name, password) for one, password in told]
    if how == "csv":
        return attachment(to_csv([_("登录名"), _("姓名"), _("一次性密码")], rows), "one-time-passwords.csv")
    return render("institution/staff_imported.html", DonePage(rows, until))


def _mailed(session: Session, made: Sequence[tuple[Staff, str]]) -> list[tuple[Staff, str]]:
    """Invite who has an address by mail; the others, whose codes are to be handed over."""
    settings, vault, now = service(Settings), service(Vault), clock.now()
    by_hand = []
    for account, password in made:
        if not (account.email and letters.possible(settings)):
            by_hand.append((account, password))
            continue
        token = invitations.invite(
            session,
            account,
            by=access.signed_in().id,
            now=now,
            hours=settings.invitation_hours,
            quiet=True,
        )
        invitation_letters.send(session, vault, settings, account, token, now=now)
    return by_hand
