"""What bases offer, imported by upload: kept under home, previewed, then applied all or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.base import files
from campaign.base.files import Change, Plan
from campaign.base_desk.routes import EDIT, blueprint
from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import DomainError
from core.http import asked_export, attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, uploads
from institution.powers import WHOLE

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The upload form, with why a file could not be read."""

    fault: str = ""


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What applying the upload would do; only the first changes and faults are listed."""

    token: str
    planned: Plan

    @property
    def changes(self) -> Sequence[Change]:
        """The first changes."""
        return self.planned.changes[:_SHOWN]

    @property
    def faults(self) -> list[str]:
        """The first faults as sentences."""
        return [fault.line() for fault in self.planned.faults[:_SHOWN]]

    def fields(self, change: Change) -> str:
        """The names of what would change."""
        return _("、").join(_(label) for label in change.fields)


def _folder() -> Path:
    return service(Settings).home / "uploads"


def of_upload(_session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: an upload is its owner's alone, so it lies where they may keep bases."""
    person = access.signed_in()
    uploads.content(_folder(), person.id, str(arguments["token"]))
    return next(iter(person.scope(EDIT).tops), WHOLE)


@blueprint.get("/import")
@access.requires(EDIT)
def upload_bases() -> ResponseReturnValue:
    """The upload form."""
    return _render("campaign/base_upload.html", UploadPage())


@blueprint.get("/example")
@access.requires(EDIT)
def example_bases() -> ResponseReturnValue:
    """An example file with every column."""
    form = asked_export() or "csv"
    return attachment((to_xlsx if form == "xlsx" else to_csv)(*files.example()), f"bases-example.{form}")


@blueprint.post("/import")
@access.requires(EDIT)
def keep_bases() -> ResponseReturnValue:
    """Keep the file and show what importing it would change."""
    person = access.signed_in()
    try:
        _name, data = uploaded()
        with reading() as session:
            files.plan(session, data, person.scope(EDIT))
    except DomainError as error:
        return _render("campaign/base_upload.html", UploadPage(str(error))), 400
    token = uploads.keep(_folder(), person.id, data, clock.now())
    return redirect(url_for(".preview_bases", token=token))


@blueprint.get("/import/<token>")
@access.requires(EDIT, at=of_upload)
def preview_bases(token: str) -> ResponseReturnValue:
    """What the import would change; nothing is written."""
    person = access.signed_in()
    data = uploads.content(_folder(), person.id, token)
    with reading() as session:
        planned = files.plan(session, data, person.scope(EDIT))
    return _render("campaign/base_import.html", PreviewPage(token, planned))


@blueprint.post("/import/<token>")
@access.requires(EDIT, at=of_upload)
def apply_bases(token: str) -> ResponseReturnValue:
    """Apply the import, planned anew against what stands now."""
    person = access.signed_in()
    data = uploads.content(_folder(), person.id, token)
    node = next(iter(sorted(person.scope(EDIT).tops)), WHOLE)
    with transaction() as session:
        planned = files.plan(session, data, person.scope(EDIT))
        if not planned.faults:
            files.apply(session, planned, node=node, now=clock.now())
    if planned.faults:
        return _render("campaign/base_import.html", PreviewPage(token, planned)), 400
    words = _("已导入 %(count)s 个网点，%(same)s 个不变。", count=len(planned.changes), same=planned.same)
    flash(words, "good")
    return redirect(url_for(".index"))


def _render(template: str, page: object) -> str:
    crumbs = [(_("基地服务与屏幕"), url_for("base_desk.index")), (_("导入"), None)]
    return render(template, page, crumbs=crumbs)
