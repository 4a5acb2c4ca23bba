"""The desk of the audience: lists, import with a preview, contacts shown masked, refusals, erasure."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from campaign import audience, audience_import
from campaign.audience import ListRow, MaskedContact
from campaign.audience_import import ImportResult
from campaign.audience_rows import COLUMNS, REQUIRED
from campaign.contacts import CHANNEL_NAMES
from core import clock
from core.errors import DomainError, Invalid
from core.http import page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.privacy import Vault
from core.settings import Settings
from institution.access import requires

blueprint = Blueprint("audience_desk", __name__, url_prefix="/desk/audience", template_folder="templates")
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class ListsPage:
    """All lists."""

    lists: Sequence[ListRow]


@dataclass(frozen=True, slots=True)
class ListPage:
    """One list, a page of its contacts, masked."""

    id: int
    name: str
    contacts: Sequence[MaskedContact]
    number: int
    pages: int
    channels: dict[str, str]


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The import form; after a preview or an import, what came of it."""

    name: str
    result: ImportResult | None = None
    error: str = ""
    error_field: str = ""
    columns: Sequence[str] = field(default_factory=lambda: [names[1] for names in COLUMNS.values()])
    required: Sequence[str] = field(default_factory=lambda: [COLUMNS[name][1] for name in REQUIRED])

    @property
    def bad_shown(self) -> list[tuple[int, str, str]]:
        """The first bad rows: line, column, rule."""
        return [(row.line, row.column, row.rule) for row in self.result.bad[:_SHOWN]] if self.result else []


@blueprint.get("")
@requires("audience.edit")
def index() -> ResponseReturnValue:
    """All lists."""
    with reading() as session:
        page = ListsPage(audience.lists(session))
    return render("campaign/audience_lists.html", page)


@blueprint.get("/<int:list_id>")
@requires("audience.edit")
def contacts(list_id: int) -> ResponseReturnValue:
    """The people of a list, masked."""
    number = page_number()
    with reading() as session:
        found = audience.get_list(session, list_id)
        masked, pages = audience.members(session, service(Vault), list_id, number)
    channels = {key: _(name) for key, name in CHANNEL_NAMES.items()}
    page = ListPage(list_id, found.name, masked, min(number, pages), pages, channels)
    return render("campaign/audience_list.html", page)


@blueprint.get("/import")
@requires("audience.edit")
def import_form() -> ResponseReturnValue:
    """Choose a file."""
    return render("campaign/audience_import.html", ImportPage(request.args.get("name", "")))


@blueprint.post("/import")
@requires("audience.edit")
def import_file() -> ResponseReturnValue:
    """Preview a file (nothing is applied), import it, or import its good rows; the file is not kept."""
    name, action = request.form.get("name", "").strip(), request.form.get("action", "preview")
    try:
        result = _import(name, action)
    except DomainError as error:
        page = ImportPage(name, error=str(error), error_field=error.field or "file")
        return render("campaign/audience_import.html", page), 400
    if action == "rejected":
        return _rejected(result)
    if result.applied:
        flash(_("已导入：新增 %(added)s，更新 %(changed)s，不变 %(unchanged)s。") % vars(result), "good")
        return redirect(url_for(".index"), code=303)
    return render("campaign/audience_import.html", ImportPage(name, result))


@blueprint.post("/contacts/<int:contact_id>/refuse")
@requires("audience.edit")
def refuse(contact_id: int) -> ResponseReturnValue:
    """Record a refusal that a person gave by telephone or at a counter."""
    with transaction() as session:
        channel = request.form.get("channel", "")
        audience.refuse_contact(session, contact_id, channel, now=clock.now())
    flash(_("已登记退订，不会再向此人发送。"), "good")
    return redirect(_back(), code=303)


@blueprint.post("/contacts/<int:contact_id>/erase")
@requires("audience.edit")
def erase(contact_id: int) -> ResponseReturnValue:
    """Delete a person's data on request."""
    with transaction() as session:
        audience.erase(session, contact_id)
    flash(_("已删除此人的资料。退订登记仍然有效。"), "good")
    return redirect(_back(), code=303)


def _import(name: str, action: str) -> ImportResult:
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise Invalid(mark("请选择一个 CSV 文件。"), field="file")
    with transaction() as session:
        return audience_import.import_file(
            session,
            upload.read(),
            list_name=name,
            vault=service(Vault),
            zone=service(Settings).zone,
            now=clock.now(),
            dry_run=action not in ("import", "skip"),
            skip_bad=action == "skip",
        )


def _rejected(result: ImportResult) -> Response:
    """The rejected rows with their reasons, to mend and import again."""
    answer = Response(result.rejected_csv, mimetype="text/csv")
    answer.headers["Content-Disposition"] = "attachment; filename=rejected.csv"
    return answer


def _back() -> str:
    number = request.form.get("list_id", "")
    return url_for(".contacts", list_id=int(number)) if number.isdigit() else url_for(".index")
