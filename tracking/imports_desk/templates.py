"""Template files by source: the headings that are understood without a click, with two rows as an example."""

from flask import request
from flask.typing import ResponseReturnValue

from core.cells import to_csv, to_xlsx
from core.http import asked_export, attachment
from institution.access import requires
from tracking.imports import sources
from tracking.imports_desk.routes import blueprint


@blueprint.get("/template")
@requires("reach.import")
def template() -> ResponseReturnValue:
    """The template of `?source=` as `?export=` csv or xlsx."""
    source = sources.get(request.args.get("source", sources.WECHAT.key))
    form = asked_export() or "csv"
    head, *rows = source.sample
    typed = [[int(cell) if cell.isdigit() and len(cell) < 8 else cell for cell in row] for row in rows]
    return attachment((to_xlsx if form == "xlsx" else to_csv)(head, typed), f"reach-{source.key}.{form}")
