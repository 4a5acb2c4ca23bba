"""Staff pages that show the pictures of a long graphic: ask for them, watch them come, choose who shares them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content.desk.routes import place
from content.models import Revision
from content.picture_desk.plugs import Plugs
from content.picture_desk.routes import SHARE, Asked, asked, blueprint, may_share, posters, signed
from content.picture_desk.routes import campaigns as offered
from content.poster import sharing
from content.poster.folder import Kept
from content.poster.stamping import Stamp
from content.poster.wanted import Want
from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, audit, places
from institution.places import Choices
from tracking import links, printing
from tracking.press import MISSING

audit.declare({"piece.pictures": mark("生成宣传长图的图片")})


@dataclass(frozen=True, slots=True)
class PicturesPage:
    """The pictures of one revision as far as they are there, and for whom they are stamped."""

    asked: Asked
    kept: Kept | None
    want: Want | None
    stamp: Stamp
    nodes: Choices
    campaigns: Sequence[tuple[str, str]]
    prints: bool
    orders: str
    fault: str = ""

    @property
    def revision(self) -> Revision:
        """The revision that they are of."""
        return self.asked.revision

    @property
    def moving(self) -> bool:
        """Whether they are being made."""
        return self.kept is None and self.want is not None and not self.want.fault

    @property
    def missing(self) -> str:
        """What the machine lacks, empty when it lacks nothing."""
        return "" if self.prints else _(MISSING)


@blueprint.get("")
@access.requires("content.view", at=place, above=True)
def pictures(key: str) -> str:
    """What there is, what is being made, and for whom."""
    return _page(key)


@blueprint.post("/make")
@access.requires("content.view", at=place, above=True)
def make(key: str) -> ResponseReturnValue:
    """Have the pictures of a revision made."""
    with transaction() as session:
        wanted = asked(session, key)
        try:
            posters().want(wanted.revision, elder=wanted.elder)
            after = {"number": wanted.revision.number}
            audit.record(
                session, "piece.pictures", "piece", key, after=after, outlet_code=_place(session, key)
            )
        except DomainError as error:
            flash(str(error), "bad")
    return redirect(url_for(".pictures", key=key, **wanted.values), code=303)


@blueprint.post("/stop")
@access.requires("content.view", at=place, above=True)
def stop(key: str) -> ResponseReturnValue:
    """Have them not made."""
    with transaction() as session:
        wanted = asked(session, key)
        posters().give_up(wanted.revision, elder=wanted.elder)
        after = {"number": wanted.revision.number, "state": "cancelled"}
        audit.record(session, "piece.pictures", "piece", key, after=after, outlet_code=_place(session, key))
    flash(_("已取消。"), "good")
    return redirect(url_for(".pictures", key=key, **wanted.values), code=303)


@blueprint.get("/progress")
@access.requires("content.view", at=place, above=True)
def progress(key: str) -> ResponseReturnValue:
    """How far they are, for the script of the page."""
    with reading() as session:
        wanted = asked(session, key)
    want = posters().standing(wanted.revision, elder=wanted.elder)
    moving = want is not None and not want.fault
    return jsonify(share=want.share if want else 1.0, made=str(want.step if want else 4), moving=moving)


@blueprint.post("/share")
@access.requires("content.view", at=place, above=True)
def share(key: str) -> ResponseReturnValue:
    """Choose who shares them; a short link of theirs is made where there is none and one may."""
    try:
        with transaction() as session:
            code = places.typed(session, request.form)
            wanted = asked(session, key)
            if may_share(session, code):
                me, now = access.signed_in(), clock.now()
                links.for_outlets(
                    session, wanted.sharing.aim, [code], node=code, by=me.id, today=today(), now=now
                )
    except DomainError as error:
        return _page(key, str(error)), 400
    return redirect(url_for(".pictures", key=key, **(wanted.values | {"outlet": code})), code=303)


def _page(key: str, fault: str = "") -> str:
    me = access.signed_in()
    with reading() as session:
        wanted = asked(session, key)
        found = sharing.stamps(session, wanted.sharing, [wanted.outlet_code], today(), signed=signed())
        page = PicturesPage(
            asked=wanted,
            kept=posters().kept(wanted.revision, elder=wanted.elder),
            want=posters().standing(wanted.revision, elder=wanted.elder),
            stamp=found[wanted.outlet_code],
            nodes=places.choices(session, me.scope("content.view"), chosen=wanted.outlet_code),
            campaigns=[("", _("不属于哪个活动期")), *offered(session)],
            prints=printing.installed(),
            orders=service(Plugs).orders(key) if me.may(SHARE) else "",
            fault=fault,
        )
    return render("content/desk_pictures.html", page)


def today() -> date:
    """Today where the institution is."""
    return clock.today(service(Settings).zone)


def _place(session: Session, key: str) -> str:
    return place(session, {"key": key})
