"""One import: where it stands, what it counts, its file and lines; asking to take it back."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import DomainError, NotFound
from core.http import asked_export, attachment, reading, render, transaction
from core.i18n import gettext as _
from institution import approval_search, places
from institution.access import requires, signed_in
from tracking.imports import mapping, register
from tracking.imports.fields import LABELS
from tracking.imports.models import APPLIED, APPROVED
from tracking.imports_desk import offers
from tracking.imports_desk.listing import Row, row_of
from tracking.imports_desk.offers import Totals
from tracking.imports_desk.routes import blueprint, import_place, today

_HEADINGS = ("day", "kind", "outlet", "channel", "campaign", "piece", "audience", "place", "quantity")


@dataclass(frozen=True, slots=True)
class ImportPage:
    """Everything about one import."""

    row: Row
    totals: Sequence[Totals]
    columns: Sequence[tuple[str, str]]
    constants: Sequence[tuple[str, str]]
    approval: int | None
    kept: bool
    may_write: bool
    fault: str = ""

    @property
    def moving(self) -> bool:
        """Whether its lines are on the way to the books."""
        return self.row.one.state == APPROVED

    @property
    def may_undo(self) -> bool:
        """Whether it can be taken back, by this person."""
        one = self.row.one
        return self.may_write and one.state == APPLIED and one.undoes is None and one.undone_by is None


@blueprint.get("/<int:number>")
@requires("reach.view", at=import_place)
def show(number: int) -> ResponseReturnValue:
    """The import; its lines as a file with `?export=`."""
    form = asked_export()
    if not form:
        return render("tracking/import.html", _page(number))
    with reading() as session:
        found = register.lines_of(session, register.get(session, number))
    rows = [(*one.keys, one.quantity) for one in found]
    return attachment((to_xlsx if form == "xlsx" else to_csv)(_HEADINGS, rows), f"import-{number}.{form}")


@blueprint.get("/<int:number>/progress")
@requires("reach.view", at=import_place)
def progress(number: int) -> ResponseReturnValue:
    """How far its lines are on the way to the books, for the page to follow."""
    with reading() as session:
        one = register.get(session, number)
        share = one.deposited / one.parts if one.parts else 1.0
        return jsonify(
            {"share": share, "moving": one.state == APPROVED, "parts": f"{one.deposited} / {one.parts}"}
        )


@blueprint.get("/<int:number>/file")
@requires("reach.import", at=import_place)
def file(number: int) -> ResponseReturnValue:
    """The original file, as long as it is kept."""
    with reading() as session:
        one = register.get(session, number)
        data = register.original(session, one)
    ending = "xlsx" if data.startswith(b"PK") else "csv"
    return attachment(data, f"import-{number}.{ending}")


@blueprint.post("/<int:number>/undo")
@requires("reach.import", at=import_place)
def undo(number: int) -> ResponseReturnValue:
    """Ask a second person to take it back by its opposite."""
    try:
        with transaction() as session:
            made = register.undo(
                session, number, by=signed_in().id, now=clock.now(), reason=request.form.get("reason", "")
            )
            new = made.id
    except NotFound:
        raise
    except DomainError as error:
        return render("tracking/import.html", _page(number, str(error))), 400
    flash(_("已申请撤销，等另一位同事审批；批准后写入数量相反的更正。"), "good")
    return redirect(url_for(".show", number=new), code=303)


def _page(number: int, fault: str = "") -> ImportPage:
    with reading() as session:
        one = register.get(session, number)
        who = approval_search.names(session, {one.proposed_by, one.decided_by})
        request_ = register.asked(session, one)
        columns = mapping.from_json(one.mapping)
        used = [
            (heading, _(LABELS[name]))
            for heading, name in zip(columns.headings, columns.fields, strict=True)
            if name
        ]
        return ImportPage(
            row=row_of(one, places.name(session, one.outlet_code), who),
            totals=offers.named(session, one.totals, today()),
            columns=used,
            constants=[(_(LABELS[key]), value) for key, value in columns.constants.items() if value],
            approval=request_.id if request_ else None,
            kept=register.has_original(session, one),
            may_write=signed_in().may_at(session, "reach.import", one.outlet_code),
            fault=fault,
        )
