"""Two saved at once: what each did since, where they touch, and the way to one text."""

from dataclasses import dataclass, replace
from datetime import datetime

from flask import request
from sqlmodel import Session

from content import history, threeway
from content.comparison import Parts, words
from content.desk.form import PieceForm
from content.media import from_json
from content.models import Revision
from content.threeway import Stretch
from core.errors import NotFound
from core.http import reading as session_for_reading
from core.http import render
from institution.models import Staff


@dataclass(frozen=True)
class Sides:
    """One stretch that somebody changed: both texts in words, each with whether it changed."""

    stretch: Stretch
    theirs: Parts
    mine: Parts
    chosen: str = ""


@dataclass(frozen=True)
class ConflictPage:
    """Somebody else saved meanwhile: their changes and mine since `began`; `newest` is theirs, by `author`."""

    form: PieceForm
    began: int
    newest: int
    author: str
    at: datetime
    sides: list[Sides]
    undecided: bool = False

    @property
    def clashes(self) -> int:
        """How many stretches both changed."""
        return sum(one.stretch.kind == "clash" for one in self.sides)


def page(form: PieceForm, began: int, *, undecided: bool = False) -> str:
    """The page that shows both and asks where they touch; `form.text` is mine."""
    with session_for_reading() as session:
        newest = history.revisions(session, form.key)[0]
        found = threeway.stretches(_began(session, form.key, began, newest), form.text, newest.text)
        author = session.get(Staff, newest.author_id)
    kept = replace(form, base=newest.number, pictures=from_json(newest.media) | form.pictures)
    sides = [_sides(one) for one in found if one.kind != "same"]
    shown = ConflictPage(
        kept, began, newest.number, author.name if author else "", newest.created_at, sides, undecided
    )
    return render("content/desk_conflict.html", shown)


def joined(form: PieceForm, began: int) -> PieceForm | None:
    """The form with both texts put together as was chosen; None while something is not chosen."""
    with session_for_reading() as session:
        theirs = history.by_number(session, form.key, form.base)
        before = _began(session, form.key, began, theirs)
    found = threeway.stretches(before, form.text, theirs.text)
    text = threeway.merged(found, {one.number: _choice(one) for one in found if one.number})
    return None if text is None else replace(form, text=text)


def _choice(stretch: Stretch) -> str:
    return request.form.get(f"clash-{stretch.number}", "")


def _began(session: Session, key: str, number: int, newest: Revision) -> str:
    """The text that I began with; if that cannot be found, theirs: then all that differs is mine."""
    try:
        return history.by_number(session, key, number).text
    except NotFound:
        return newest.text


def _sides(stretch: Stretch) -> Sides:
    theirs, mine = words("".join(stretch.theirs).rstrip("\n"), "".join(stretch.mine).rstrip("\n"))
    return Sides(stretch, theirs, mine, _choice(stretch) if stretch.number else "")
