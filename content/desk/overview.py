"""Staff pages that show: the list of pieces, one piece with its revisions, a comparison, a preview."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil

from flask import g, request
from sqlmodel import Session, col, select

from content import comparison, history, reading
from content.comparison import Comparison
from content.desk.routes import blueprint
from content.models import KIND_NAMES, STATE_NAMES, Kind, Piece, Revision, RevisionStep, State
from core.http import page_number, render, service
from core.http import reading as session_for_reading
from core.i18n import gettext as _
from core.settings import Settings
from institution import access
from institution.models import Staff

_PER_PAGE = 30
TONES = {
    State.draft: "idle",
    State.submitted: "warn",
    State.approved: "info",
    State.published: "good",
    State.superseded: "idle",
    State.withdrawn: "bad",
}


@dataclass(frozen=True)
class Row:
    """One piece in the list: its newest revision, and the one on the site."""

    newest: Revision
    kind: str
    published_number: int | None


@dataclass(frozen=True)
class ListPage:
    """The pieces that fit the filter in the address."""

    rows: list[Row]
    total: int
    page: int
    pages: int
    kind: str
    state: str
    words: str
    kinds: dict[str, str]
    states: dict[str, str]
    tones: dict[str, str]

    @property
    def kind_options(self) -> list[tuple[str, str]]:
        """The kinds to choose from."""
        return [("", _("全部")), *((kind, _(name)) for kind, name in self.kinds.items())]

    @property
    def state_options(self) -> list[tuple[str, str]]:
        """The states to choose from."""
        wanted = (item for item in self.states.items() if item[0] != State.superseded)
        return [("", _("全部")), *((state, _(name)) for state, name in wanted)]


@dataclass(frozen=True)
class PiecePage:
    """One piece: what it says now, what was there before, what happened."""

    piece: Piece
    newest: Revision
    published: Revision | None
    revisions: list[Revision]
    steps: list[tuple[RevisionStep, int]]
    people: dict[int, str]
    kind_name: str
    states: dict[str, str]
    tones: dict[str, str]


@dataclass(frozen=True)
class ComparePage:
    """Two revisions of a piece, side by side in one column."""

    key: str
    before: Revision
    after: Revision
    numbers: list[int]
    changes: Comparison


@blueprint.get("/pieces")
@access.requires("desk.view")
def pieces() -> str:
    """All pieces, by kind, state and words."""
    kind, state = request.args.get("kind", ""), request.args.get("state", "")
    words = request.args.get("q", "").strip()
    with session_for_reading() as session:
        rows = [row for row in _rows(session) if _fits(row, kind, state, words)]
    pages = max(1, ceil(len(rows) / _PER_PAGE))
    page = min(page_number(), pages)
    shown = ListPage(
        rows=rows[(page - 1) * _PER_PAGE : page * _PER_PAGE],
        total=len(rows),
        page=page,
        pages=pages,
        kind=kind,
        state=state,
        words=words,
        kinds={one.value: name for one, name in KIND_NAMES.items()},
        states={one.value: name for one, name in STATE_NAMES.items()},
        tones={one.value: tone for one, tone in TONES.items()},
    )
    return render("content/desk_pieces.html", shown)


@blueprint.get("/pieces/<key>")
@access.requires("desk.view")
def piece(key: str) -> str:
    """One piece with its revisions and what may be done with it."""
    with session_for_reading() as session:
        found = history.get_piece(session, key)
        revisions = history.revisions(session, key)
        steps = history.steps(session, key)
        page = PiecePage(
            piece=found,
            newest=revisions[0],
            published=next((one for one in revisions if one.state == State.published), None),
            revisions=revisions,
            steps=steps,
            people=names(session, [one.author_id for one in revisions] + [step.by for step, _n in steps]),
            kind_name=KIND_NAMES[Kind(found.kind)],
            states={one.value: name for one, name in STATE_NAMES.items()},
            tones={one.value: tone for one, tone in TONES.items()},
        )
    return render("content/desk_piece.html", page)


@blueprint.get("/pieces/<key>/compare")
@access.requires("desk.view")
def compare(key: str) -> str:
    """What changed between two revisions; by default the last two."""
    with session_for_reading() as session:
        history.get_piece(session, key)
        numbers = [revision.number for revision in history.revisions(session, key)]
        after = history.by_number(session, key, request.args.get("to", numbers[0], int))
        default = max([number for number in numbers if number < after.number], default=after.number)
        before = history.by_number(session, key, request.args.get("from", default, int))
    changes = comparison.compare(before.text, after.text, before.media, after.media)
    return render("content/desk_compare.html", ComparePage(key, before, after, numbers, changes))


@blueprint.get("/pieces/<key>/<int:number>/preview")
@access.requires("desk.view")
def preview(key: str, number: int) -> str:
    """A saved revision as visitors would see it."""
    g.elder = request.args.get("elder") == "1"
    with session_for_reading() as session:
        revision = history.by_number(session, key, number)
    hotline = service(Settings).hotline
    page = reading.page_of(revision.text, revision.meta, revision.media, hotline=hotline)
    return render(page.template, replace(page, preview=True, published_at=revision.published_at))


def names(session: Session, ids: Iterable[int]) -> dict[int, str]:
    """The names of staff by id."""
    query = select(Staff.id, Staff.name).where(col(Staff.id).in_(set(ids)))
    return {number or 0: name for number, name in session.exec(query)}


def _rows(session: Session) -> list[Row]:
    newest = history.newest_of_all(session)
    query = select(Revision.piece_key, Revision.number).where(Revision.state == State.published.value)
    published = dict(session.exec(query).all())
    rows = [Row(one, str(one.meta["kind"]), published.get(one.piece_key)) for one in newest]
    return sorted(rows, key=lambda row: row.newest.created_at, reverse=True)


def _fits(row: Row, kind: str, state: str, words: str) -> bool:
    if kind and row.kind != kind:
        return False
    on_site = state == State.published and row.published_number is not None
    if state and row.newest.state != state and not on_site:
        return False
    text = f"{row.newest.piece_key} {row.newest.title} {row.newest.meta.get('summary', '')}".lower()
    return all(word in text for word in words.lower().split())
