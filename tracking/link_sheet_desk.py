"""The sheet of QR codes: a short link for each outlet of a branch, made together and printed together."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from core import clock
from core.errors import DomainError, Invalid
from core.http import page_number, reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, desk_table, places
from institution.desk_table import Listing
from institution.models import Outlet
from tracking import links
from tracking.links_desk import address, aim_of, blueprint, form_page, today

PER_SHEET = 60  # a picture is 4 kB: what a phone opens at once, and ten pages of paper


@dataclass(frozen=True, slots=True)
class Code:
    """One code of the sheet."""

    outlet: Outlet
    address: str
    svg: Markup


@dataclass(frozen=True, slots=True)
class SheetPage:
    """One page of the sheet; `missing` counts the outlets that have no such link yet."""

    listing: Listing[Outlet]
    codes: Sequence[Code]
    place: str
    missing: int
    values: Mapping[str, str]


@blueprint.get("/outlets")
@access.requires("link.edit")
def ask() -> ResponseReturnValue:
    """The form of links for all outlets of a branch."""
    with reading() as session:
        return render("tracking/link.html", form_page(session, {"path": "/"}, many=True))


@blueprint.post("/outlets")
@access.requires("link.edit")
def make_all() -> ResponseReturnValue:
    """See that each outlet of a branch has the link, then show the sheet."""
    form, me = request.form, access.signed_in()
    try:
        with transaction() as session:
            node, aim = places.typed(session, form), aim_of(form)
            me.check(session, "link.edit", node)
            codes = [one.code for one in links.outlets_of(session, node, me.scope("link.edit"))]
            if not codes:
                raise Invalid(mark("这个机构下没有营业的网点。"), field="outlet_code")
            new = links.for_outlets(session, aim, codes, node=node, by=me.id, today=today(), now=clock.now())
    except DomainError as error:
        with reading() as session:
            page = form_page(session, form.to_dict(), many=True, error=error)
        return render("tracking/link.html", page), 400
    flash(_("%(count)s 个网点都有码了，其中新建 %(new)s 个。", count=len(codes), new=new), "good")
    asked = {name: value for name, value in asdict(aim).items() if value and name != "note"}
    return redirect(url_for("links_desk.sheet", node=node, **asked))


@blueprint.get("/sheet")
@access.requires("reach.view")
def sheet() -> ResponseReturnValue:
    """The codes of a branch's outlets, to be printed."""
    asked, scope = request.args, access.signed_in().scope("reach.view")
    with reading() as session:
        node = asked.get("node", "")
        outlets = links.outlets_of(session, node, scope)
        found = links.of_outlets(session, aim_of(asked), [one.code for one in outlets], today())
        place = places.name(session, node) if outlets else ""
    listing = desk_table.cut([one for one in outlets if one.code in found], page_number(), size=PER_SHEET)
    codes = [
        Code(one, address(found[one.code]), Markup(links.qr_svg(address(found[one.code]))))  # noqa: S704
        for one in listing.rows
    ]
    missing = len(outlets) - len(found)
    return render("tracking/link_sheet.html", SheetPage(listing, codes, place, missing, asked.to_dict()))
