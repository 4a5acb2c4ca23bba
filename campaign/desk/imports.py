"""The desk of the audience: people imported into a list from a file, after a preview."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO, cast

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import audience_import, lists
from campaign.audience_import import ImportResult
from campaign.audience_rows import COLUMNS, REQUIRED
from campaign.contacts import ContactList
from campaign.desk.routes import audience_blueprint as blueprint
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import attachment, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution import places
from institution.access import requires, signed_in
from institution.places import Choices

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The import form; after a preview or an import, what came of it. `into` is the list to add to, if chosen."""

    name: str
    places: Choices
    into: ContactList | None = None
    chosen: str = ""
    result: ImportResult | None = None
    error: str = ""
    error_field: str = ""
    columns: Sequence[str] = field(default_factory=lambda: [names[1] for names in COLUMNS.values()])
    required: Sequence[str] = field(default_factory=lambda: [COLUMNS[name][1] for name in REQUIRED])

    @property
    def bad_shown(self) -> list[tuple[int, str, str]]:
        """The first bad rows: line, column, rule."""
        return [(row.line, row.column, row.rule) for row in self.result.bad[:_SHOWN]] if self.result else []


@blueprint.get("/import")
@requires("audience.edit")
def import_form() -> ResponseReturnValue:
    """Choose a file."""
    return _page(request.args.get("name", ""), request.args.get("list", ""))


@blueprint.post("/import")
@requires("audience.edit")
def import_file() -> ResponseReturnValue:
    """Preview a file (nothing is applied), import it, or import its good rows; the file is not kept."""
    name, action = request.form.get("name", "").strip(), request.form.get("action", "preview")
    number = request.form.get("list", "")
    try:
        result = _import(name, number, action)
    except NotFound:
        raise
    except DomainError as error:
        return _page(name, number, error=error), 400
    if action == "rejected":
        return attachment(result.rejected_csv, "rejected.csv")
    if result.applied:
        flash(_("已导入：新增 %(added)s，更新 %(changed)s，不变 %(unchanged)s。") % vars(result), "good")
        return redirect(url_for(".index"), code=303)
    return _page(name, number, result=result)


def _import(name: str, number: str, action: str) -> ImportResult:
    upload = request.files.get("file")
    with transaction() as session:
        into = _chosen(session, number)
        place = into.outlet_code if into else places.typed(session, request.form)
        signed_in().check(session, "audience.edit", place)
        if upload is None or not upload.filename:
            raise Invalid(mark("请选择一个 CSV 或 XLSX 文件。"), field="file")
        result = audience_import.import_file(
            session,
            cast(BinaryIO, upload.stream),
            list_name=into.name if into else name,
            vault=service(Vault),
            zone=service(Settings).zone,
            now=clock.now(),
            dry_run=action not in ("import", "skip"),
            skip_bad=action == "skip",
            outlet_code=place,
        )
        if action == "rejected":
            audience_import.record_rejected(session, result, into.name if into else name, place)
    return result


def _chosen(session: Session, number: str) -> ContactList | None:
    """The list to add to, if one was chosen; outside of one's part it does not exist."""
    if not number:
        return None
    found = lists.get_list(session, int(number) if number.isdecimal() and len(number) < 10 else 0)
    if not signed_in().may_at(session, "audience.edit", found.outlet_code):
        raise NotFound(mark("没有找到这份名单。"))
    return found


def _page(
    name: str, number: str, *, result: ImportResult | None = None, error: DomainError | None = None
) -> str:
    chosen = request.form.get("outlet_code", "")
    with reading() as session:
        page = ImportPage(
            name,
            places.choices(session, signed_in().scope("audience.edit"), chosen=chosen),
            _chosen(session, number),
            chosen,
            result,
            str(error) if error else "",
            (error.field or "file") if error else "",
        )
    return render("campaign/audience_import.html", page)
