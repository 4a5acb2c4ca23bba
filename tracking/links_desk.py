"""Short links on the desk: the list, a new one, ending one, its QR code, and the sheet of codes of a branch."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, desk_table, places
from institution.desk_table import Column, Listing, View
from tracking import links
from tracking.link_models import ShortLink
from tracking.links import Aim

blueprint = Blueprint("links_desk", __name__, url_prefix="/desk/links", template_folder="templates")
COLUMNS: tuple[Column[ShortLink], ...] = (
    Column("code", mark("短链接"), lambda one: one.code, sort=ShortLink.code),
    Column("path", mark("打开哪一页"), lambda one: one.path, sort=ShortLink.path),
    Column("outlet", mark("归属机构"), lambda one: one.outlet_code, sort=ShortLink.outlet_code),
    Column("campaign", mark("活动期"), lambda one: one.campaign, sort=ShortLink.campaign),
    Column("channel", mark("渠道"), lambda one: one.channel, sort=ShortLink.channel),
    Column("until", mark("有效到"), lambda one: one.valid_until, sort=ShortLink.valid_until),
    Column("made", mark("新建时间"), lambda one: one.made_at, sort=ShortLink.made_at),
)


@dataclass(frozen=True, slots=True)
class LinksPage:
    """One page of the links of one's part of the tree."""

    listing: Listing[ShortLink]
    view: View[ShortLink]
    text: str
    everything: bool
    names: Mapping[str, str]
    base: str
    today: date
    may_edit: bool


@dataclass(frozen=True, slots=True)
class LinkPage:
    """The form of a new link, or of links for all outlets of a branch (`many`)."""

    many: bool
    places: places.Choices
    values: Mapping[str, str]
    field: str | None = None
    fault: str = ""

    def at(self, name: str) -> str | None:
        """The fault if it is this field's."""
        return self.fault if name == self.field else None


def address(link: ShortLink) -> str:
    """The whole address of a link."""
    return f"{service(Settings).public_url}{links.PREFIX}{link.code}"


def today() -> date:
    """The day in the institution's zone."""
    return clock.today(service(Settings).zone)


def _node(session: Session, arguments: Mapping[str, Any]) -> str:
    return links.get(session, arguments["code"]).outlet_code


@blueprint.get("")
@access.requires("reach.view")
def listing() -> ResponseReturnValue:
    """The links of one's part of the tree."""
    person, text = access.signed_in(), request.args.get("q", "").strip()[:80]
    whole = request.args.get("all") == "1"
    view = desk_table.view(COLUMNS, request.args, first="-made")
    with reading() as session:
        scope = person.scope("reach.view")
        query = links.query(scope, text=text, live_on=None if whole else today())
        if form := asked_export():
            rows = desk_table.everything(session, query, view, ties=(ShortLink.code,))
            zone = service(Settings).zone
            return attachment(desk_table.export(view, rows, form, zone), f"links.{form}")
        found = desk_table.listing(session, query, view, page_number(), ties=(ShortLink.code,))
        names = places.names(session, {one.outlet_code for one in found.rows})
    base = service(Settings).public_url + links.PREFIX
    may_edit = person.may("link.edit")
    page = LinksPage(found, view, text, whole, names, base, today(), may_edit)
    return render("tracking/links.html", page)


@blueprint.get("/new")
@access.requires("link.edit")
def new() -> ResponseReturnValue:
    """The form of a new link."""
    with reading() as session:
        return render("tracking/link.html", form_page(session, {"path": "/"}, many=False))


@blueprint.post("/new")
@access.requires("link.edit")
def make() -> ResponseReturnValue:
    """Make a link."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            node = places.typed(session, form)
            me.check(session, "link.edit", node)
            made = links.make(session, aim_of(form), node, by=me.id, now=clock.now())
    except DomainError as error:
        with reading() as session:
            page = form_page(session, form.to_dict(), many=False, error=error)
        return render("tracking/link.html", page), 400
    flash(_("短链接已建好：%(address)s", address=address(made)), "good")
    return redirect(url_for("links_desk.listing", q=made.code))


@blueprint.post("/<code>/end")
@access.requires("link.edit", at=_node)
def end(code: str) -> ResponseReturnValue:
    """Have a link lead nowhere from now on."""
    with transaction() as session:
        links.end(session, links.get(session, code), clock.now())
    flash(_("短链接 %(code)s 已停用，打开的人会看到说明。", code=code), "good")
    return redirect(url_for("links_desk.listing"))


@blueprint.get("/<code>/qr.svg")
@access.requires("reach.view", at=_node)
def qr(code: str) -> ResponseReturnValue:
    """The QR code of a link as a file, for print."""
    with reading() as session:
        found = links.get(session, code)
    answer = Response(links.qr_svg(address(found)), mimetype="image/svg+xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="{found.code}.svg"'
    return answer


def aim_of(form: Mapping[str, str]) -> Aim:
    """What a form says of a link; Invalid names the field."""
    until = form.get("valid_until", "").strip()
    try:
        day = date.fromisoformat(until) if until else None
    except ValueError:
        raise Invalid(mark("请把日期写成 2026-03-15。"), field="valid_until") from None
    if day is not None and day < today():
        raise Invalid(mark("有效期已经过去，请改成今天或以后的日期。"), field="valid_until")
    return Aim(
        path=form.get("path", "").strip() or "/",
        campaign=form.get("campaign", "").strip(),
        channel=form.get("channel", "").strip() or links.QR,
        valid_until=day,
        note=form.get("note", "").strip(),
    )


def form_page(
    session: Session, values: Mapping[str, str], *, many: bool, error: DomainError | None = None
) -> LinkPage:
    """The form with what was typed."""
    nodes = places.choices(session, access.signed_in().scope("link.edit"))
    return LinkPage(many, nodes, values, error.field if error else None, str(error) if error else "")
