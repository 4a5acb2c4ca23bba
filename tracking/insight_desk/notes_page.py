"""The page of notes on the time line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from institution import access, places
from tracking import annotations, periods
from tracking.annotations import KINDS, Note
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import Frame
from tracking.insight_desk.routes import blueprint
from tracking.insight_desk.targets_page import EDIT
from tracking.store import ReachStore


@dataclass(frozen=True, slots=True)
class NotesPage:
    """The notes of a period, and a form for one more; `mine` are the numbers of those that may be deleted."""

    frame: Frame
    notes: Sequence[Note]
    mine: frozenset[int]
    nodes: places.Choices
    may_write: bool
    typed: Mapping[str, str]
    fault: DomainError | None = None

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s批注 · %(when)s", where=self.frame.where, when=self.frame.when)

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds of notes."""
        return [(key, _(label)) for key, label in KINDS.items()]

    def error(self, field: str) -> str:
        """What is wrong with a field."""
        return str(self.fault) if self.fault and self.fault.field == field else ""


def _page(session: Session, typed: Mapping[str, str], fault: DomainError | None = None) -> NotesPage:
    person, scope = access.signed_in(), access.signed_in().scope(EDIT)
    frame = frames.frame(session, frames.given(session), "notes")
    choice = frame.chosen
    notes = annotations.over(session, service(ReachStore), choice.compared.period, choice.within)
    mine = {
        one.id
        for one in notes
        if one.id is not None and person.may(EDIT) and scope.covers(session, one.outlet_code)
    }
    nodes = places.choices(session, scope, chosen=typed.get("outlet_code", choice.within))
    return NotesPage(frame, notes, frozenset(mine), nodes, person.may(EDIT), typed, fault)


@blueprint.get("/notes")
@access.requires("reach.view")
def show_notes() -> ResponseReturnValue:
    """What happened in a period, at a node and above it."""
    with reading() as session:
        page = _page(session, {"first": str(frames.today())})
    return render("tracking/notes.html", page)


@blueprint.post("/notes")
@access.requires(EDIT)
def add_note() -> ResponseReturnValue:
    """Write a note; the page again with the fault where something is wrong."""
    person, form = access.signed_in(), request.form
    try:
        with transaction() as session:
            code = places.typed(session, form)
            person.check(session, EDIT, code)
            first = periods.day(form.get("first", ""), "first")
            last: date | None = periods.day(form["last"], "last") if form.get("last") else None
            annotations.add(
                session, outlet_code=code, kind=form.get("kind", ""), first=first, last=last,
                text=form.get("text", ""), by=person.id, now=clock.now(),
            )  # fmt: skip
    except DomainError as fault:
        with reading() as session:
            page = _page(session, form, fault)
        return render("tracking/notes.html", page), 400
    flash(_("批注已加上。"), "good")
    shown = {"span": "dates", "from": f"{first.year}-01-01", "to": f"{first.year}-12-31", "within": code}
    return redirect(f"{url_for('insight_desk.show_notes')}?{urlencode(shown)}")


def note_at(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the node that the note is about."""
    return annotations.get(session, int(arguments["number"])).outlet_code


@blueprint.post("/notes/<int:number>/remove")
@access.requires(EDIT, at=note_at)
def remove_note(number: int) -> ResponseReturnValue:
    """Delete a note."""
    with transaction() as session:
        annotations.remove(session, number)
    flash(_("批注已删除。"), "good")
    return redirect(url_for("insight_desk.show_notes"))
