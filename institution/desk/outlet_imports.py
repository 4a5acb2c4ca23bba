"""Outlets imported by upload: kept under home, previewed as a plan, then applied."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid
from core.http import attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, outlet_changes, outlet_files, outlet_output, uploads
from institution.desk.outlet_forms import day
from institution.desk.outlet_pages import today
from institution.desk.routes import outlets_blueprint as blueprint
from institution.outlet_changes import SORTS, Change, Plan
from institution.outlet_files import LABELS, Sheet
from institution.powers import WHOLE, Scope

_SHOWN = 200


@dataclass(frozen=True, slots=True)
class UploadPage:
    """The upload form, with why a file could not be read."""

    as_of: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class PreviewPage:
    """What applying the upload would do. Only the first changes and faults are listed."""

    token: str
    as_of: date
    skip_bad: bool
    planned: Plan

    @property
    def changes(self) -> Sequence[Change]:
        """The first changes."""
        return self.planned.changes[:_SHOWN]

    @property
    def faults(self) -> Sequence[str]:
        """The first faults, as sentences."""
        return [fault.line() for fault in self.planned.all_faults()[:_SHOWN]]

    @property
    def more_changes(self) -> int:
        """How many changes are not listed."""
        return max(0, len(self.planned.changes) - _SHOWN)

    @property
    def more_faults(self) -> int:
        """How many faults are not listed."""
        return max(0, len(self.planned.all_faults()) - _SHOWN)

    @property
    def counts(self) -> list[tuple[str, int]]:
        """How many outlets would change in which way."""
        return [(_(label), count) for sort, label in SORTS.items() if (count := self.planned.count(sort))]

    def sorts(self, change: Change) -> str:
        """The words for what happens to one outlet."""
        return _("、").join(_(SORTS[sort]) for sort in change.sorts)

    def lines(self, change: Change) -> list[tuple[str, str, str]]:
        """Field, old and new value of a change; none for a new outlet."""
        value = outlet_output.value
        return [
            (_(LABELS[each.field]), value(each.field, each.old), value(each.field, each.new))
            for each in change.fields
            if not change.is_new
        ]


@blueprint.get("/import")
@access.requires("outlet.edit")
def upload() -> ResponseReturnValue:
    """The upload form."""
    return _render("institution/upload.html", UploadPage(today().isoformat()))


@blueprint.post("/import")
@access.requires("outlet.edit")
def keep_upload() -> ResponseReturnValue:
    """Keep the file and show what importing it would change."""
    as_of = request.form.get("as_of", "")
    try:
        _name, data = uploaded()
        if day(as_of) is None:
            raise Invalid(mark("变更日期请写成 2023-03-15。"), field="as_of")
        outlet_files.read(data)
    except DomainError as error:
        return _render("institution/upload.html", UploadPage(as_of, str(error))), 400
    token = uploads.keep(_folder(), access.signed_in().id, data, clock.now())
    return redirect(url_for("institution_desk.preview", token=token, as_of=as_of))


def _folder() -> Path:
    return service(Settings).home / "uploads"


def _render(template: str, page: object) -> str:
    crumbs = [(_("网点与基地"), url_for("institution_desk.index")), (_("导入"), None)]
    return render(template, page, crumbs=crumbs)


def of_upload(_session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: an upload is its owner's alone, so it lies where they may change outlets."""
    person = access.signed_in()
    uploads.content(_folder(), person.id, str(arguments["token"]))
    return next(iter(person.scope("outlet.edit").tops), WHOLE)


def _scope() -> Scope:
    return access.signed_in().scope("outlet.edit")


def _sheet(token: str) -> Sheet:
    return outlet_files.read(uploads.content(_folder(), access.signed_in().id, token))


def _asked() -> tuple[date, bool]:
    """The date and the choice to skip bad rows, from the form or the address."""
    return day(request.values.get("as_of")) or today(), request.values.get("skip_bad") == "1"


@blueprint.get("/import/<token>")
@access.requires("outlet.edit", at=of_upload)
def preview(token: str) -> ResponseReturnValue:
    """What the import would change; nothing is written."""
    as_of, skip_bad = _asked()
    with reading() as session:
        planned = outlet_changes.plan(session, _sheet(token), as_of, skip_bad=skip_bad, scope=_scope())
    return _render("institution/import.html", PreviewPage(token, as_of, skip_bad, planned))


@blueprint.post("/import/<token>")
@access.requires("outlet.edit", at=of_upload)
def apply(token: str) -> ResponseReturnValue:
    """Apply the import, planned anew against the tree as it stands now."""
    as_of, skip_bad = _asked()
    with transaction() as session:
        outlet_changes.lock(session)
        planned = outlet_changes.plan(session, _sheet(token), as_of, skip_bad=skip_bad, scope=_scope())
        if not planned.blocked:
            outlet_changes.apply(session, planned, clock.now())
    if planned.blocked:
        return _render("institution/import.html", PreviewPage(token, as_of, skip_bad, planned)), 400
    flash(
        _("已导入：%(count)s 个机构有变化，%(same)s 个不变。")
        % {"count": len(planned.changes), "same": planned.same},
        "good",
    )
    if planned.rejected:
        return redirect(url_for("institution_desk.preview", token=token, as_of=as_of, skip_bad="1"))
    return redirect(url_for("institution_desk.index"))


@blueprint.get("/import/<token>/rejected.csv")
@access.requires("outlet.edit", at=of_upload)
def rejected(token: str) -> ResponseReturnValue:
    """The rejected rows with the reasons, to be mended and imported again."""
    sheet, (as_of, _skip) = _sheet(token), _asked()
    with reading() as session:
        planned = outlet_changes.plan(session, sheet, as_of, skip_bad=True, scope=_scope())
    return attachment(outlet_output.rejected(sheet.headings, planned), "outlets.rejected.csv")
