"""Staff pages of the reach report: the page itself and its downloads."""

from datetime import date

from flask import Blueprint, make_response, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import NotFound
from core.http import page_number, reading, render, service
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.powers import Scope
from tracking import annotations, export, reports
from tracking.overview import overview
from tracking.store import ReachStore

blueprint = Blueprint("tracking_desk", __name__, url_prefix="/desk/reach", template_folder="templates")


def _today() -> date:
    return clock.today(service(Settings).zone)


@blueprint.get("")
@access.requires("reach.view")
def show() -> ResponseReturnValue:
    """The report: figures, chart, provinces, table, definition."""
    scope = access.signed_in().scope("reach.view")
    with reading() as session:
        given = request.args.to_dict()
        given["within"] = within(session, scope, given.get("within", ""))
        page = overview(
            service(ReachStore), session, given, today=_today(), page=page_number(), tops=scope.tops
        )
    return render("tracking/reach.html", page)


def within(session: Session, scope: Scope, asked: str) -> str:
    """The part of the tree that the page is about: what was asked for if it is the person's, else their own."""
    if scope.whole:
        return asked
    if not asked:
        return min(scope.tops)
    if not scope.covers(session, asked):
        raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))
    return asked


@blueprint.get("/download")
@access.requires("reach.view")
def download() -> ResponseReturnValue:
    """The report as a file: `format` csv, xlsx or json."""
    return answer("attachment", access.signed_in().scope("reach.view"))


def answer(disposition: str, scope: Scope) -> ResponseReturnValue:
    """The report that the address asks for, in the format it asks for, within a part of the tree."""
    given = request.args.to_dict()
    with reading() as session:
        given["within"] = within(session, scope, given.get("within", "").strip())
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
        report = annotations.attached(session, service(ReachStore), report)
    write, media_type = export.FORMATS[form]
    response = make_response(write(report))
    response.mimetype = media_type.partition(";")[0]
    period = asked.compared.period
    name = f"reach-{'-'.join(asked.by)}-{period.first}-{period.last}.{'txt' if form == 'table' else form}"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response
