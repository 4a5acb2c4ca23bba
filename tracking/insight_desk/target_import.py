"""Targets imported by upload: kept under home, previewed, then applied all or not at all."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import DomainError
from core.http import asked_export, attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, uploads
from institution.powers import WHOLE
from tracking import target_files, targets
from tracking.insight_desk.routes import blueprint
from tracking.insight_desk.targets_page import EDIT
from tracking.target_files import LABELS, Plan
from tracking.targets import MEASURES, Aim

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
    def changes(self) -> Sequence[tuple[Aim, int | None]]:
        """The first changes, with what stood there."""
        return self.planned.changes[:_SHOWN]

    @property
    def faults(self) -> list[str]:
        """The first faults as sentences."""
        return [fault.line() for fault in self.planned.faults[:_SHOWN]]

    def period(self, aim: Aim) -> str:
        """The period of a target as files write it."""
        return targets.period_text(aim.period)

    def measure(self, aim: Aim) -> str:
        """The measure in words."""
        return _(MEASURES[aim.measure])


def _folder() -> Path:
    return service(Settings).home / "uploads"


def of_upload(_session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: an upload is its owner's alone, so it lies where they may set targets."""
    person = access.signed_in()
    uploads.content(_folder(), person.id, str(arguments["token"]))
    return next(iter(person.scope(EDIT).tops), WHOLE)


def _plan(session: Session, data: bytes) -> Plan:
    scope = access.signed_in().scope(EDIT)
    return target_files.plan(session, data, lambda above: scope.covers(session, above))


@blueprint.get("/targets/import")
@access.requires(EDIT)
def upload_targets() -> ResponseReturnValue:
    """The upload form."""
    return render("tracking/target_upload.html", UploadPage())


@blueprint.get("/targets/example")
@access.requires(EDIT)
def example_targets() -> ResponseReturnValue:
    """An example file with every column."""
    form = asked_export() or "csv"
    rows = [
        ["330000", "2027", "", _(MEASURES["gross"]), 12_000_000, ""],
        ["330000", "2027-Q1", "", _(MEASURES["gross"]), 3_000_000, ""],
        [
            "33010601",
            "2027-09-01/2027-09-30",
            "september",
            _(MEASURES["deduplicated"]),
            4_000,
            _("金融教育宣传月"),
        ],
    ]
    head = [_(label) for label in LABELS.values()]
    return attachment((to_xlsx if form == "xlsx" else to_csv)(head, rows), f"targets-example.{form}")


@blueprint.post("/targets/import")
@access.requires(EDIT)
def keep_targets() -> ResponseReturnValue:
    """Keep the file and show what importing it would set."""
    person = access.signed_in()
    try:
        _name, data = uploaded()
        with reading() as session:
            _plan(session, data)
    except DomainError as error:
        return render("tracking/target_upload.html", UploadPage(str(error))), 400
    token = uploads.keep(_folder(), person.id, data, clock.now())
    return redirect(url_for("insight_desk.preview_targets", token=token))


@blueprint.get("/targets/import/<token>")
@access.requires(EDIT, at=of_upload)
def preview_targets(token: str) -> ResponseReturnValue:
    """What the import would set; nothing is written."""
    data = uploads.content(_folder(), access.signed_in().id, token)
    with reading() as session:
        planned = _plan(session, data)
    return render("tracking/target_import.html", PreviewPage(token, planned))


@blueprint.post("/targets/import/<token>")
@access.requires(EDIT, at=of_upload)
def apply_targets(token: str) -> ResponseReturnValue:
    """Apply the import, planned anew against what stands now."""
    person = access.signed_in()
    data = uploads.content(_folder(), person.id, token)
    with transaction() as session:
        planned = _plan(session, data)
        if not planned.faults:
            note = _("设定 %(count)s 个，%(same)s 个不变", count=len(planned.changes), same=planned.same)
            aims = [aim for aim, _old in planned.changes]
            targets.put_all(session, aims, by=person.id, now=clock.now(), note=note)
    if planned.faults:
        return render("tracking/target_import.html", PreviewPage(token, planned)), 400
    flash(
        _("已导入 %(count)s 个目标，%(same)s 个不变。", count=len(planned.changes), same=planned.same), "good"
    )
    return redirect(url_for("insight_desk.show_targets"))
