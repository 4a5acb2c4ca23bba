"""Staff pages of saved views: the list, saving, opening, renaming, sharing, deleting and bringing back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import Conflict, Invalid
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution import access
from tracking import view_saving
from tracking.report_address import Address
from tracking.view_models import ReachView

blueprint = Blueprint("reach_views", __name__, url_prefix="/desk/reach/views", template_folder="templates")


@dataclass(frozen=True, slots=True)
class ViewsPage:
    """The person's own views, what others shared, and what has just been deleted or renamed."""

    mine: list[ReachView]
    shared: list[tuple[ReachView, str]]
    removed: ReachView | None
    renamed: ReachView | None


def _place(session: Session, arguments: Mapping[str, Any]) -> str:
    """Where a view belongs that this person may open; NotFound for any other."""
    person = access.signed_in()
    scope = person.scope("reach.view")
    found = view_saving.visible(session, int(arguments["number"]), person.id, scope)
    # one's own stays one's own, also where one's part of the tree has become another
    mine = found.owner_id == person.id and not scope.covers(session, found.outlet_code, above=True)
    return min(scope.tops) if mine else found.outlet_code


@blueprint.get("")
@access.requires("reach.view")
def listing() -> ResponseReturnValue:
    """All views that this person may open."""
    person = access.signed_in()
    with reading() as session:
        page = ViewsPage(
            list(view_saving.mine(session, person.id)),
            view_saving.shared_with(session, person.id, person.scope("reach.view")),
            _just(session, person.id, "removed"),
            _just(session, person.id, "renamed"),
        )
    return render("tracking/views.html", page)


def _just(session: Session, owner: int, name: str) -> ReachView | None:
    """One's own view that the address says something has just happened to."""
    number = request.args.get(name, "")
    found = session.get(ReachView, int(number)) if number.isdigit() and len(number) < 10 else None
    if found is None or found.owner_id != owner or (found.deleted_at is None) != (name == "renamed"):
        return None
    return found


@blueprint.post("")
@access.requires("reach.view")
def save() -> ResponseReturnValue:
    """Keep an address under a name."""
    person, form = access.signed_in(), request.form
    try:
        with transaction() as session:
            made = view_saving.save(
                session,
                person.id,
                form.get("name", ""),
                form.get("query", ""),
                scope=person.scope("reach.view"),
                shared=bool(form.get("shared")),
                now=clock.now(),
            )
            if form.get("first"):
                view_saving.put_first(session, made, first=True)
    except (Invalid, Conflict) as error:
        flash(str(error), "bad")
        return redirect(Address.read(form.get("query", "")).href(url_for("tracking_desk.show")))
    flash(_("已存为视图“%(name)s”。", name=made.name), "good")
    return redirect(url_for("reach_views.listing"))


@blueprint.get("/<int:number>")
@access.requires("reach.view", at=_place, above=True)
def open_view(number: int) -> ResponseReturnValue:
    """The report of a view, for the part of the tree of who opens it."""
    person = access.signed_in()
    scope = person.scope("reach.view")
    with reading() as session:
        found = view_saving.visible(session, number, person.id, scope)
        given = view_saving.address(session, found, scope)
    return redirect(given.href(url_for("tracking_desk.show"), view=str(number)))


@blueprint.post("/<int:number>/<any(rename, share, unshare, first, unfirst, remove, restore):verb>")
@access.requires("reach.view", at=_place, above=True)
def act(number: int, verb: str) -> ResponseReturnValue:
    """Change one's own view; somebody else's is answered like one that does not exist."""
    try:
        with transaction() as session:
            view = view_saving.own(session, number, access.signed_in().id)
            _act(session, view, verb)
    except Invalid as error:
        flash(str(error), "bad")
        return redirect(url_for("reach_views.listing"))
    told = {"rename": "?renamed=", "remove": "?removed="}
    return redirect(url_for("reach_views.listing") + (f"{told[verb]}{number}" if verb in told else ""))


def _act(session: Session, view: ReachView, verb: str) -> None:
    if verb == "rename":
        view_saving.rename(session, view, request.form.get("name", ""))
    elif verb in ("share", "unshare"):
        view_saving.share(session, view, shared=verb == "share")
    elif verb in ("first", "unfirst"):
        view_saving.put_first(session, view, first=verb == "first")
    elif verb == "remove":
        view_saving.remove(session, view, clock.now())
    else:
        view_saving.restore(session, view)
