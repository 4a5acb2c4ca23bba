"""Plaques as print files on the desk: one outlet's, or all of a branch in an archive whose making is watched."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import flash, jsonify, redirect, request, send_file, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.base import archives, carrying, plaque
from campaign.base.carrying import Archives
from campaign.base.models import DONE, FAILED, PlaqueArchive
from campaign.base.plaque import SIZES
from campaign.base_desk.routes import EDIT, blueprint, of_archive, of_node, today
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import attachment, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, places
from institution.places import Choices
from tracking import links, printing
from tracking.links import Aim

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    """One archive: its row, whose it is, and its state in a word with a tone."""

    one: PlaqueArchive
    place: str
    state: str
    tone: str
    fault: str

    @property
    def share(self) -> float:
        """How much is made, 0 to 1."""
        return self.one.made / self.one.total if self.one.total else 1.0

    @property
    def mib(self) -> str:
        """The size of the file."""
        return f"{self.one.bytes / _MIB:.1f} MB"

    @property
    def done(self) -> bool:
        """Whether it can be downloaded."""
        return self.one.state == DONE

    @property
    def failed(self) -> bool:
        """Whether it may be tried again."""
        return self.one.state == FAILED

    @property
    def form(self) -> str:
        """Its size and the kinds of its files."""
        return f"{self.one.size} · {'SVG + PDF' if self.one.pdf else 'SVG'}"


@dataclass(frozen=True, slots=True)
class PlaquesPage:
    """The form of a new archive and those that there are."""

    lines: Sequence[Line]
    nodes: Choices
    values: Mapping[str, str]
    sizes: Sequence[str]
    prints: bool
    days: int
    fault: str = ""
    field: str = ""


@dataclass(frozen=True, slots=True)
class ProgressPage:
    """One archive on its way."""

    line: Line
    days: int


@blueprint.get("/plaques")
@access.requires(EDIT)
def plaques() -> ResponseReturnValue:
    """The archives of one's part, and a form for another."""
    return _list({})


@blueprint.post("/plaques")
@access.requires(EDIT)
def ask_plaques() -> ResponseReturnValue:
    """Have an archive made of a node's open outlets, each with its standing link."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            node = places.typed(session, form)
            me.check(session, EDIT, node)
            pdf = form.get("form") != "svg"
            if pdf and not printing.installed():
                raise Invalid(mark("这台机器没有安装 Chromium，不能生成 PDF；可以只要 SVG。"), field="form")
            now = clock.now()
            codes = [one.code for one in links.outlets_of(session, node, me.scope(EDIT))]
            one = archives.ask(session, node, codes, size=form.get("size", ""), pdf=pdf, by=me.id, now=now)
            links.for_outlets(session, Aim(), codes, node=node, by=me.id, today=today(), now=now)
    except DomainError as error:
        return _list(form.to_dict(), error), 400
    return redirect(url_for(".watch", number=one.id), code=303)


@blueprint.get("/plaques/<int:number>")
@access.requires(EDIT, at=of_archive)
def watch(number: int) -> ResponseReturnValue:
    """How far an archive is; without a script the page loads itself anew while something happens."""
    with reading() as session:
        line = _lines(session, [archives.get(session, number)])[0]
    crumbs = [
        (_("基地服务与屏幕"), url_for(".index")),
        (_("铜牌文件"), url_for(".plaques")),
        (line.place, None),
    ]
    return render(
        "campaign/base_plaque.html", ProgressPage(line, service(Settings).plaque_days), crumbs=crumbs
    )


@blueprint.get("/plaques/<int:number>/progress")
@access.requires(EDIT, at=of_archive)
def progress(number: int) -> ResponseReturnValue:
    """The same for the script of the page."""
    with reading() as session:
        one = archives.get(session, number)
    share = one.made / one.total if one.total else 1.0
    return jsonify(share=round(share, 4), made=f"{one.made:,}", moving=one.moving)


@blueprint.post("/plaques/<int:number>/cancel")
@access.requires(EDIT, at=of_archive)
def cancel_plaques(number: int) -> ResponseReturnValue:
    """End it where it stands."""
    with transaction() as session:
        archives.cancel(session, number, now=clock.now())
    flash(_("已取消。"), "good")
    return redirect(url_for(".plaques"), code=303)


@blueprint.post("/plaques/<int:number>/again")
@access.requires(EDIT, at=of_archive)
def again_plaques(number: int) -> ResponseReturnValue:
    """Try once more what failed."""
    with transaction() as session:
        archives.again(session, number)
    return redirect(url_for(".watch", number=number), code=303)


@blueprint.get("/plaques/<int:number>/plaques.zip")
@access.requires(EDIT, at=of_archive)
def take_plaques(number: int) -> ResponseReturnValue:
    """The finished file, for whoever keeps the bases of the node that it is of."""
    path = carrying.file_of(service(Settings), number)
    with transaction() as session:
        one = archives.get(session, number)
        if one.state != DONE or not path.is_file():
            raise NotFound(mark("没有找到这份铜牌文件，可能已经过期。"))
        archives.taken(session, one)
    name = f"plaques-{one.outlet_code or 'all'}-{one.size}.zip"
    return send_file(path.absolute(), mimetype="application/zip", as_attachment=True, download_name=name)


@blueprint.get("/<code>/plaque.<form>")
@access.requires(EDIT, at=of_node)
def one_plaque(code: str, form: str) -> ResponseReturnValue:
    """One outlet's plaque as it would be printed, `?size=A3` or `A4`."""
    size = request.args.get("size", "A3")
    if form not in ("svg", "pdf"):
        raise NotFound(mark("铜牌只有 SVG 和 PDF 两种文件。"))
    if size not in SIZES:
        raise Invalid(mark("请选择 A3 或 A4。"), field="size")
    with reading() as session:
        drawn = service(Archives).plaques.drawings(session, [code], size)
    outlet, svg = drawn[0]
    name = plaque.file_name(outlet, form).encode("ascii", "ignore").decode()
    if form == "svg":
        return attachment(svg.encode(), name)
    with printing.Printer() as printer:
        return attachment(printer.pdf(plaque.page(svg, size), *SIZES[size]), name)


def _list(values: Mapping[str, str], error: DomainError | None = None) -> str:
    scope = access.signed_in().scope(EDIT)
    with reading() as session:
        page = PlaquesPage(
            lines=_lines(session, archives.listing(session, scope)),
            nodes=places.choices(session, scope, chosen=""),
            values=values,
            sizes=list(SIZES),
            prints=printing.installed(),
            days=service(Settings).plaque_days,
            fault=str(error) if error else "",
            field=(error.field or "") if error else "",
        )
    crumbs = [(_("基地服务与屏幕"), url_for("base_desk.index")), (_("铜牌文件"), None)]
    return render("campaign/base_plaques.html", page, crumbs=crumbs)


def _lines(session: Session, found: Sequence[PlaqueArchive]) -> list[Line]:
    names = places.names(session, {one.outlet_code for one in found})
    lines = []
    for one in found:
        word, tone = archives.STATES[one.state]
        lines.append(Line(one, names[one.outlet_code], _(word), tone, _(one.fault) if one.fault else ""))
    return lines
