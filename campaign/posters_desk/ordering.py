"""The orders of one's part of the tree, and a form for another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import redirect, request, url_for
from flask.typing import ResponseReturnValue

from campaign import programme
from campaign.base import archives
from campaign.base.models import POSTERS
from campaign.posters_desk.routes import EDIT, Line, blueprint, lines
from content import history, lifecycle
from content.models import Kind
from content.poster.sharing import Sharing
from core import clock
from core.errors import DomainError, Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, places
from institution.places import Choices
from tracking import links, printing
from tracking.press import MISSING


@dataclass(frozen=True, slots=True)
class OrdersPage:
    """The form of a new order and those that there are."""

    lines: Sequence[Line]
    pieces: Sequence[tuple[str, str]]
    campaigns: Sequence[tuple[str, str]]
    nodes: Choices
    values: Mapping[str, str]
    days: int
    missing: str
    fault: str = ""
    field: str = ""


@blueprint.get("")
@access.requires(EDIT)
def orders() -> ResponseReturnValue:
    """The orders of one's part, and a form; `?piece=` chooses the long graphic."""
    return _list(request.args.to_dict())


@blueprint.post("")
@access.requires(EDIT)
def order() -> ResponseReturnValue:
    """Have a published long graphic stamped for each open outlet of a node, each with a short link of its own."""
    form, me = request.form, access.signed_in()
    try:
        if not printing.installed():
            raise Invalid(MISSING, field="piece")
        with transaction() as session:
            node = places.typed(session, form)
            me.check(session, EDIT, node)
            piece = history.published_revision(session, form.get("piece", ""))
            if piece is None or piece.meta.get("kind") != Kind.long_graphic:
                raise Invalid(mark("请选择一篇已发布的宣传长图。"), field="piece")
            names = dict(programme.offered(session, me.scope(EDIT)))
            campaign = form.get("campaign", "") if form.get("campaign") in names else ""
            now, today = clock.now(), clock.today(service(Settings).zone)
            codes = [one.code for one in links.outlets_of(session, node, me.scope(EDIT))]
            one = archives.ask_posters(session, node, codes, piece, campaign=campaign, by=me.id, now=now)
            aim = Sharing(piece.piece_key, campaign, names[campaign] if campaign else "").aim
            links.for_outlets(session, aim, codes, node=node, by=me.id, today=today, now=now)
    except DomainError as error:
        return _list(form.to_dict(), error), 400
    return redirect(url_for(".watch", number=one.id), code=303)


def _list(values: Mapping[str, str], error: DomainError | None = None) -> str:
    scope = access.signed_in().scope(EDIT)
    with reading() as session:
        published = lifecycle.published_list(session, Kind.long_graphic)
        page = OrdersPage(
            lines=lines(session, archives.listing(session, scope, POSTERS)),
            pieces=[(one.key, one.title) for one in published],
            campaigns=[("", _("不属于哪个活动期")), *programme.offered(session, scope)],
            nodes=places.choices(session, scope, chosen=""),
            values=values,
            days=service(Settings).plaque_days,
            missing="" if printing.installed() else _(MISSING),
            fault=str(error) if error else "",
            field=(error.field or "") if error else "",
        )
    crumbs = [(_("内容"), url_for("content_desk.pieces")), (_("各网点的长图"), None)]
    return render("campaign/posters.html", page, crumbs=crumbs)
