"""Staff pages of what is said of passages: the source of a revision, paragraph by paragraph, with remarks at their place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import history
from content.desk.routes import blueprint, place
from content.models import Revision
from content.reviewing import anchoring, remarks, showing
from content.reviewing.anchoring import Chunk, Standing
from content.reviewing.remarks import Placed
from core import clock
from core.errors import DomainError
from core.http import reading as session_for_reading
from core.http import render, transaction
from core.i18n import gettext as _
from institution import access


@dataclass(frozen=True)
class Passage:
    """A paragraph with what was said of it."""

    chunk: Chunk
    remarks: Sequence[Placed]


@dataclass(frozen=True)
class Typed:
    """What somebody typed at the paragraph that begins on line `first`, and why it failed."""

    error: str = ""
    first: int = 0
    words: str = ""
    quote: str = ""


@dataclass(frozen=True)
class PassagesPage:
    """A revision paragraph by paragraph; `lost`: remarks whose words are gone. `typed`: a form that failed."""

    key: str
    revision: Revision
    passages: Sequence[Passage]
    lost: Sequence[Placed]
    people: Mapping[int, str]
    may_remark: bool
    may_answer: bool
    typed: Typed

    @property
    def error(self) -> str:
        """Why a form failed."""
        return self.typed.error

    @property
    def number(self) -> int:
        """The number of the revision."""
        return self.revision.number

    @property
    def open(self) -> int:
        """How many remarks nobody settled."""
        return sum(one.is_open for each in self.passages for one in each.remarks) + sum(
            one.is_open for one in self.lost
        )


@blueprint.get("/pieces/<key>/<int:number>/passages")
@access.requires("content.view", at=place, above=True)
def passages(key: str, number: int) -> str:
    """The source of a revision with what was said of it so far."""
    return render("content/desk_passages.html", _page(key, number))


@blueprint.post("/pieces/<key>/<int:number>/remarks")
@access.requires("content.approve", at=place)
def add_remark(key: str, number: int) -> ResponseReturnValue:
    """Say something of a paragraph, or of words in it."""
    form, me = request.form, access.signed_in().id
    first, last = form.get("first", 0, int), form.get("last", 0, int)
    words, quote = form.get("words", ""), form.get("quote", "")
    try:
        with transaction() as session:
            revision = history.by_number(session, key, number)
            made = remarks.make(
                session, revision, (first, last), quote=quote, words=words, by=me, now=clock.now()
            )
            anchor = f"remark-{made.id}"
    except DomainError as error:
        typed = Typed(str(error), first, words, quote)
        return render("content/desk_passages.html", _page(key, number, typed)), 400
    flash(_("意见已记下，编写人在这一段看得到。"), "good")
    return redirect(url_for("content_desk.passages", key=key, number=number, _anchor=anchor))


@blueprint.post("/pieces/<key>/<int:number>/remarks/<int:remark>/answer")
@access.requires("content.edit", at=place)
def answer_remark(key: str, number: int, remark: int) -> ResponseReturnValue:
    """The writer answers."""
    words, me = request.form.get("answer", ""), access.signed_in().id

    def verb(session: Session) -> None:
        remarks.answer(session, key, remark, words, by=me, now=clock.now())

    return _do(key, number, remark, verb, _("已答复。"))


@blueprint.post("/pieces/<key>/<int:number>/remarks/<int:remark>/resolve")
@access.requires("content.edit", at=place)
def resolve_remark(key: str, number: int, remark: int) -> ResponseReturnValue:
    """Settle it."""
    me = access.signed_in().id

    def verb(session: Session) -> None:
        remarks.resolve(session, key, remark, by=me, now=clock.now())

    return _do(key, number, remark, verb, _("已了结。"))


@blueprint.post("/pieces/<key>/<int:number>/remarks/<int:remark>/reopen")
@access.requires("content.edit", at=place)
def reopen_remark(key: str, number: int, remark: int) -> ResponseReturnValue:
    """Have it stand again."""
    return _do(
        key, number, remark, lambda session: remarks.reopen(session, key, remark), _("已重开这条意见。")
    )


def _page(key: str, number: int, typed: Typed | None = None) -> PassagesPage:
    me = access.signed_in()
    with session_for_reading() as session:
        revision = history.by_number(session, key, number)
        code = history.get_piece(session, key).outlet_code
        placed = remarks.placed(session, revision)
        people = showing.people(session, showing.people_in(placed))
        may_remark, may_answer = (
            me.may_at(session, one, code) for one in ("content.approve", "content.edit")
        )
    found = [
        Passage(chunk, [one for one in placed if chunk.first <= one.place.first <= chunk.last])
        for chunk in anchoring.chunks(revision.text)
    ]
    lost = [one for one in placed if one.place.standing == Standing.gone]
    return PassagesPage(key, revision, found, lost, people, may_remark, may_answer, typed or Typed())


def _do(
    key: str, number: int, remark: int, verb: Callable[[Session], None], done: str
) -> ResponseReturnValue:
    try:
        with transaction() as session:
            verb(session)
        flash(done, "good")
    except DomainError as error:
        flash(str(error), "bad")
    return redirect(url_for("content_desk.passages", key=key, number=number, _anchor=f"remark-{remark}"))
