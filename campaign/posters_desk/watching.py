"""One order on its way: progress, cancelling, trying again, the download."""

from dataclasses import dataclass

from flask import flash, jsonify, redirect, send_file, url_for
from flask.typing import ResponseReturnValue

from campaign.base import archives, carrying
from campaign.base.models import DONE, POSTERS
from campaign.posters_desk.routes import EDIT, Line, blueprint, lines, of_order
from core import clock
from core.errors import NotFound
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One order."""

    line: Line
    days: int


@blueprint.get("/<int:number>")
@access.requires(EDIT, at=of_order)
def watch(number: int) -> ResponseReturnValue:
    """How far it is; without a script the page loads itself anew while something happens."""
    with reading() as session:
        line = lines(session, [archives.get(session, number, POSTERS)])[0]
    crumbs = [
        (_("内容"), url_for("content_desk.pieces")),
        (_("各网点的长图"), url_for(".orders")),
        (line.place, None),
    ]
    return render("campaign/poster_order.html", OrderPage(line, service(Settings).plaque_days), crumbs=crumbs)


@blueprint.get("/<int:number>/progress")
@access.requires(EDIT, at=of_order)
def progress(number: int) -> ResponseReturnValue:
    """The same for the script of the page."""
    with reading() as session:
        line = lines(session, [archives.get(session, number, POSTERS)])[0]
    return jsonify(share=round(line.share, 4), made=f"{line.one.made:,}", moving=line.one.moving)


@blueprint.post("/<int:number>/cancel")
@access.requires(EDIT, at=of_order)
def cancel(number: int) -> ResponseReturnValue:
    """End it where it stands."""
    with transaction() as session:
        archives.cancel(session, number, POSTERS, now=clock.now())
    flash(_("已取消。"), "good")
    return redirect(url_for(".orders"), code=303)


@blueprint.post("/<int:number>/again")
@access.requires(EDIT, at=of_order)
def again(number: int) -> ResponseReturnValue:
    """Try once more what failed."""
    with transaction() as session:
        archives.again(session, number, POSTERS)
    return redirect(url_for(".watch", number=number), code=303)


@blueprint.get("/<int:number>/posters.zip")
@access.requires(EDIT, at=of_order)
def take(number: int) -> ResponseReturnValue:
    """The finished file."""
    path = carrying.file_of(service(Settings), number)
    with transaction() as session:
        one = archives.get(session, number, POSTERS)
        if one.state != DONE or not path.is_file():
            raise NotFound(mark("没有找到这份长图文件，可能已经过期。"))
        archives.taken(session, one)
    name = f"posters-{one.piece_key}-{one.outlet_code or 'all'}.zip"
    return send_file(path.absolute(), mimetype="application/zip", as_attachment=True, download_name=name)
