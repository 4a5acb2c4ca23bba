"""Staff pages of the checklist of reviews: what is asked, where it comes from, and the institution's own items."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from content.desk.checked import today
from content.desk.overview import names
from content.desk.routes import blueprint
from content.models import KIND_NAMES, Kind
from content.reviewing import checklist
from content.reviewing.checklist import Item
from content.reviewing.models import OwnChecklist
from core import clock
from core.errors import DomainError
from core.http import reading as session_for_reading
from core.http import render, transaction
from core.i18n import gettext as _
from institution import access


@dataclass(frozen=True)
class ChecklistPage:
    """What is asked of each kind today, and the institution's items as they are typed."""

    asked: Sequence[tuple[Item, Sequence[str]]]
    version: str
    versions: Sequence[OwnChecklist]
    people: dict[int, str]
    text: str
    note: str = ""
    error: str = ""
    may: bool = False


@blueprint.get("/reviews/checklist")
@access.requires("content.view")
def review_checklist() -> str:
    """The list as it counts today."""
    return render("content/desk_checklist.html", _page())


@blueprint.post("/reviews/checklist")
@access.requires("approval.edit", at=access.SHARED)
def save_checklist() -> ResponseReturnValue:
    """A new version of the institution's own items."""
    text, note, me = request.form.get("items", ""), request.form.get("note", ""), access.signed_in().id
    try:
        with transaction() as session:
            checklist.save(session, text, note=note, by=me, now=clock.now())
    except DomainError as error:
        return render("content/desk_checklist.html", _page(text, note, str(error))), 400
    flash(_("清单已保存，新提交的审查按它来。"), "good")
    return redirect(url_for("content_desk.review_checklist"))


def _page(text: str | None = None, note: str = "", error: str = "") -> ChecklistPage:
    with session_for_reading() as session:
        found: dict[str, tuple[Item, list[str]]] = {}
        for kind in Kind:
            for item in checklist.items(session, kind.value, today()):
                found.setdefault(item.id, (item, []))[1].append(_(KIND_NAMES[kind]))
        kept = checklist.versions(session)
        return ChecklistPage(
            asked=[
                (item, kinds if len(kinds) < len(Kind) else [_("全部")]) for item, kinds in found.values()
            ],
            version=checklist.version(session),
            versions=kept[:10],
            people=names(session, [one.by for one in kept[:10]]),
            text=checklist.as_text(kept[0] if kept else None) if text is None else text,
            note=note,
            error=error,
            may=access.signed_in().scope("approval.edit").whole,
        )
