"""Staff pages that keep what somebody writes before it is saved, hand it out again, or throw it away."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import frontmatter, history, unsaved
from content.desk import form as forms
from content.desk.form import PieceForm
from content.desk.routes import blueprint, place
from content.media import from_json
from content.unsaved import Spot, Unsaved, Work
from core import clock
from core.errors import NotFound
from core.http import service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access


@dataclass(frozen=True)
class Offer:
    """Work that somebody may go on with: when it was kept, what it is, where to go on and where to throw it away."""

    at: datetime
    title: str
    href: str
    discard: str
    slot: str


@blueprint.post("/pieces/new/unsaved")
@access.requires("content.edit")
def keep_new() -> ResponseReturnValue:
    """Keep what is written of a new piece."""
    return _keep("")


@blueprint.post("/pieces/<key>/unsaved")
@access.requires("content.edit", at=place)
def keep(key: str) -> ResponseReturnValue:
    """Keep what is written of a piece."""
    return _keep(key)


@blueprint.post("/pieces/new/unsaved/discard")
@access.requires("content.edit")
def discard_new() -> ResponseReturnValue:
    """Throw the unsaved work on a new piece away."""
    return _discard("")


@blueprint.post("/pieces/<key>/unsaved/discard")
@access.requires("content.edit", at=place)
def discard(key: str) -> ResponseReturnValue:
    """Throw the unsaved work on a piece away."""
    return _discard(key)


def offers(session: Session, form: PieceForm) -> list[Offer]:
    """Work of the person that may be gone on with instead of the form; what says the same as it is none."""
    me = access.signed_in().id
    if not form.key:
        return [_offer(one, form) for one in unsaved.new_pieces(session, me) if one.version != form.follows]
    kept = unsaved.find(session, Spot(me, form.key))
    if kept is None or kept.version == form.follows or kept.text == form.text:
        return []
    return [_offer(kept, form)]


def follows(session: Session, form: PieceForm) -> int:
    """Which keeping the form holds already: the one that says exactly the same, else the one it was opened with."""
    kept = unsaved.find(session, Spot(access.signed_in().id, form.key, form.slot))
    return kept.version if kept is not None and kept.text == form.text else form.follows


def opened(session: Session, key: str, slot: str = "") -> PieceForm:
    """The form with the unsaved work of the person; NotFound when there is none (any more)."""
    kept = unsaved.find(session, Spot(access.signed_in().id, key, slot))
    if kept is None:
        raise NotFound(mark("没有找到没保存的内容，可能已经保存或放弃。"))
    pictures = from_json(kept.media)
    if key and kept.base:
        pictures = from_json(history.by_number(session, key, kept.base).media) | pictures
    return PieceForm(key, kept.base, kept.text, pictures, slot=slot, follows=kept.version)


def settle(session: Session, form: PieceForm) -> None:
    """Throw away what was kept of a form that is saved now; work from elsewhere stays."""
    spot = Spot(access.signed_in().id, form.key, form.slot)
    kept = unsaved.find(session, spot)
    if kept is not None and kept.version == form.follows:
        unsaved.forget(session, spot)


def _offer(kept: Unsaved, form: PieceForm) -> Offer:
    if form.key:
        href = url_for("content_desk.edit", key=form.key, unsaved=1)
        return Offer(kept.at, "", href, url_for("content_desk.discard", key=form.key), "")
    href = url_for("content_desk.new", unsaved=kept.slot)
    return Offer(kept.at, _title(kept.text), href, url_for("content_desk.discard_new"), kept.slot)


def _title(text: str) -> str:
    """The title line of a text that may not be whole yet."""
    header = (frontmatter.split(text) or (text, "", 0))[0]
    found = next(
        (line.removeprefix("title:") for line in header.splitlines() if line.startswith("title:")), ""
    )
    return found.strip().strip("\"'")[:60] or _("还没有标题")


def _keep(key: str) -> ResponseReturnValue:
    with transaction() as session:
        form = forms.from_request(session, key)
        media = {name: picture.as_json() for name, picture in form.pictures.items()}
        spot = Spot(access.signed_in().id, key, form.slot)
        work = Work(form.text, media, form.base, form.follows)
        kept = unsaved.keep(session, spot, work, clock.now())
        at = kept.at.astimezone(service(Settings).zone)
        version = kept.version
    return jsonify(follows=version, at=f"{at:%H:%M}")


def _discard(key: str) -> ResponseReturnValue:
    slot = request.form.get("slot", "")
    with transaction() as session:
        unsaved.forget(session, Spot(access.signed_in().id, key, slot))
    flash(_("已放弃没保存的内容。"), "good")
    return redirect(url_for("content_desk.edit", key=key) if key else url_for("content_desk.new"))
