"""Staff pages of the reach report: the page itself, its downloads, and the page as PDF."""

from datetime import date
from pathlib import Path

from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.database import Database
from core.errors import NotFound
from core.http import page_number, reading, render, service
from core.i18n import current_locale, mark
from core.settings import Settings
from institution import access
from institution.powers import Scope
from tracking import annotations, export, heat_drawing, paper, reports, tabs, view_saving
from tracking import table as tables
from tracking.choices import choose
from tracking.groupings import BY_NAMES
from tracking.overview import Later, Overview, Reader, overview
from tracking.report_address import Address
from tracking.store import ReachStore
from tracking.waiting import Waiting

blueprint = Blueprint("tracking_desk", __name__, url_prefix="/desk/reach", template_folder="templates")
# How long a page waits for what takes long, and how long it waits when it is asked for the rest.
SOON, LONG = 0.4, 25.0
_SHEETS = ("tokens.css", "desk.css", "desk_parts.css", "reach.css", "print.css")


def today() -> date:
    """The day in the institution's zone."""
    return clock.today(service(Settings).zone)


@blueprint.app_context_processor
def _shown() -> dict[str, object]:
    """What the pages about reach know: the row of pages, the words of groupings, the ends of a league."""
    return {
        "reach_tabs": tabs.tabs,
        "by_names": BY_NAMES,
        "only_options": tables.only_options,
        "draw_heat": lambda band: heat_drawing.drawing(band, current_locale()),
        "heat_weekday": heat_drawing.weekday,
        "heat_weeks": heat_drawing.weeks,
    }


@blueprint.get("")
@access.requires("reach.view")
def show() -> ResponseReturnValue:
    """The report: figures, chart, provinces, calendar, table, definition; or the view it opens with."""
    person, given = access.signed_in(), asked()
    with reading() as session:
        first = None if request.args else view_saving.first(session, person.id)
        if first is not None:
            scope = person.scope("reach.view")
            return redirect(
                view_saving.address(session, first, scope).href("/desk/reach", view=str(first.id))
            )
        page = page_of(session, given, LONG if request.args.get("wait") else SOON)
    return render("tracking/reach.html", page)


def asked() -> Address:
    """What the address of this request says."""
    return Address.of(request.args.items(multi=True))


def placed(session: Session, given: Address, scope: Scope) -> Address:
    """The same about a part of the tree that is the person's; NotFound for any other."""
    return given.but(within=within(session, scope, given.get("within")))


def page_of(session: Session, given: Address, seconds: float) -> Overview:
    """The page for an address, within the part of the tree of who asks."""
    scope = access.signed_in().scope("reach.view")
    store = service(ReachStore)
    return overview(
        store,
        session,
        placed(session, given, scope),
        today=today(),
        reader=Reader(scope.tops),
        later=Later(service(Waiting), service(Database), store, seconds),
        page=page_number(),
        picked=request.args.get("pick", ""),
    )


def within(session: Session, scope: Scope, asked: str) -> str:
    """The part of the tree that the page is about: what was asked for if it is the person's, else their own."""
    if scope.whole:
        return asked
    if not asked:
        return min(scope.tops)
    if not scope.covers(session, asked):
        raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))
    return asked


@blueprint.get("/pdf")
@access.requires("reach.view")
def as_pdf() -> ResponseReturnValue:
    """The page on paper, printed here; Conflict where no browser is installed."""
    with reading() as session:
        page = page_of(session, asked(), LONG)
    folder = Path(str(current_app.static_folder)) / "css"
    style = "\n".join((folder / name).read_text(encoding="utf-8") for name in _SHEETS)
    answer = make_response(paper.pdf(render_template("tracking/paper.html", page=page, style=style)))
    answer.mimetype = "application/pdf"
    period = page.choice.ask.compared.period
    answer.headers["Content-Disposition"] = f'attachment; filename="reach-{period.first}-{period.last}.pdf"'
    return answer


@blueprint.get("/download")
@access.requires("reach.view")
def download() -> ResponseReturnValue:
    """The report as a file: `format` csv, xlsx or json; the address is that of the page."""
    scope = access.signed_in().scope("reach.view")
    with reading() as session:
        given = placed(session, asked(), scope)
        question = choose(service(ReachStore), session, given, today(), whole=scope.whole).ask
        return _file(session, question, "attachment")


def answer(disposition: str, scope: Scope) -> ResponseReturnValue:
    """The report that the command line asks for, in the format it asks for, within a part of the tree."""
    given = request.args.to_dict()
    with reading() as session:
        question = reports.ask(
            given.get("from", ""),
            given.get("to", ""),
            by=given.get("by", "branch"),
            compare=given.get("compare", "year"),
            within=within(session, scope, given.get("within", "").strip()),
            campaign=given.get("campaign", ""),
            base=given.get("base", ""),
            where=given.get("where", ""),
        )
        return _file(session, question, disposition)


def _file(session: Session, question: reports.Ask, disposition: str) -> ResponseReturnValue:
    form = request.args.get("format", "json")
    if form not in export.FORMATS:
        raise NotFound(mark("没有“%(form)s”这种格式，请用 csv、xlsx 或 json。"), form=form)
    report = annotations.attached(
        session, service(ReachStore), reports.report(service(ReachStore), session, question)
    )
    write, media_type = export.FORMATS[form]
    response = make_response(write(report))
    response.mimetype = media_type.partition(";")[0]
    period = question.compared.period
    name = f"reach-{'-'.join(question.by)}-{period.first}-{period.last}.{'txt' if form == 'table' else form}"
    response.headers["Content-Disposition"] = f'{disposition}; filename="{name}"'
    return response
