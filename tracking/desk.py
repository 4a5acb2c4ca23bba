"""Staff pages of the reach report: the page itself and its downloads."""

from datetime import date

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import NotFound
from core.http import page_number, reading, render, service
from core.i18n import mark
from core.settings import Settings
from institution import access
from tracking import export, reports
from tracking.overview import overview
from tracking.store import ReachStore

blueprint = Blueprint("tracking_desk", __name__, url_prefix="/desk/reach", template_folder="templates")


def _today() -> date:
    return clock.today(service(Settings).zone)


@blueprint.get("")
@access.requires("reach.view")
def show() -> ResponseReturnValue:
    """The report: figures, chart, provinces, table, definition."""
    with reading() as session:
        page = overview(
            service(ReachStore), session, request.args.to_dict(), today=_today(), page=page_number()
        )
    return render("tracking/reach.html", page)


@blueprint.get("/download")
@access.requires("reach.view")
def download() -> ResponseReturnValue:
    """The report as a file: `format` csv, xlsx or json."""
    return answer("attachment")


def answer(disposition: str) -> ResponseReturnValue:
    """The report that the address asks for, in the format it asks for."""
    given = request.args
    form = given.get("format", "json")
    if form not in export.FORMATS:
        raise NotFound(mark("没有“%(form)s”这种格式，请用 csv、xlsx 或 json。"), form=form)
    asked = reports.ask(
        given.get("from", ""),
        given.get("to", ""),
        by=given.get("by", "branch"),
        compare=given.get("compare", "year"),
        within=given.get("within", ""),
        campaign=given.get("campaign", ""),
        base=given.get("base", ""),
    )
    with reading() as session:
        report = reports.report(service(ReachStore), session, asked)
    write, media_type = export.FORMATS[form]
    response = make_response(write(report))
    response.mimetype = media_type.partition(";")[0]
    period = asked.compared.period
    name = f"reach-{asked.by}-{period.first}-{period.last}.{'txt' if form == 'table' else form}"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response
