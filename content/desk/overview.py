"""Staff pages that show one piece: its revisions, what happened to it, a comparison, a preview."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import g, request
from sqlmodel import Session, col, select

from content import comparison, history, lifecycle, reading, releases
from content.comparison import Comparison
from content.desk import checked
from content.desk.checked import Checked
from content.desk.routes import TONES, blueprint, place
from content.models import KIND_NAMES, STATE_NAMES, Kind, Piece, Revision, RevisionStep, State
from content.off_site import withdrawing
from content.off_site.models import Withdrawal
from content.release_models import RELEASE_NAMES, Release, ReleaseState
from content.reviewing import remarks, showing
from content.reviewing.remarks import Placed
from content.voices import telling
from content.voices.telling import PieceVoices
from core.http import reading as session_for_reading
from core.http import render, service
from core.i18n import gettext as _
from core.privacy import Vault
from core.settings import Settings
from institution import access, approvals, places
from institution.access import SignedIn
from institution.approval_models import Approval
from institution.models import Staff
from institution.places import Choices

_ACTS = ("content.edit", "content.approve", "content.publish", "content.withdraw")


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
    may: frozenset[str]
    place: str
    places: Choices
    request: Approval | None
    changes: Comparison | None
    checked: Checked
    readers: PieceVoices
    remarks: list[Placed]
    withdrawal: Withdrawal | None
    release: Release | None = None

    @property
    def release_name(self) -> str:
        """How the newest plan of a release stands."""
        return _(RELEASE_NAMES[ReleaseState(self.release.state)]) if self.release else ""

    @property
    def open_remarks(self) -> list[Placed]:
        """What was said of passages and is not settled."""
        return [one for one in self.remarks if one.is_open]

    @property
    def may_submit(self) -> bool:
        """Whether this person may put the newest revision before others, once it is clean."""
        return self.newest.state in (State.draft, State.withdrawn) and "content.edit" in self.may

    @property
    def may_move(self) -> bool:
        """Whether it may be given to another part of the tree now."""
        waits = self.newest.state in (State.submitted, State.approved)
        return "content.edit" in self.may and len(self.places) > 1 and not waits


@dataclass(frozen=True)
class ComparePage:
    """Two revisions of a piece, side by side in one column."""

    key: str
    before: Revision
    after: Revision
    numbers: list[int]
    changes: Comparison
    may_edit: bool


@blueprint.get("/pieces/<key>")
@access.requires("content.view", at=place, above=True)
def piece(key: str) -> str:
    """One piece with its revisions and what may be done with it."""
    with session_for_reading() as session:
        page = _piece_page(session, access.signed_in(), history.get_piece(session, key))
    return render("content/desk_piece.html", page)


@blueprint.get("/pieces/<key>/compare")
@access.requires("content.view", at=place, above=True)
def compare(key: str) -> str:
    """What changed between two revisions; by default the last two."""
    with session_for_reading() as session:
        found = history.get_piece(session, key)
        may_edit = access.signed_in().may_at(session, "content.edit", found.outlet_code)
        may_edit = may_edit and found.kind != Kind.escape_room
        numbers = [revision.number for revision in history.revisions(session, key)]
        after = history.by_number(session, key, request.args.get("to", numbers[0], int))
        default = max([number for number in numbers if number < after.number], default=after.number)
        before = history.by_number(session, key, request.args.get("from", default, int))
    page = ComparePage(key, before, after, numbers, _changed(before, after), may_edit)
    return render("content/desk_compare.html", page)


@blueprint.get("/pieces/<key>/<int:number>/preview")
@access.requires("content.view", at=place, above=True)
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


def _piece_page(session: Session, me: SignedIn, found: Piece) -> PiecePage:
    revisions, steps = history.revisions(session, found.key), history.steps(session, found.key)
    newest, published = revisions[0], next((one for one in revisions if one.state == State.published), None)
    waits = newest.state in (State.submitted, State.approved)
    placed, gone = remarks.placed(session, newest), withdrawing.last(session, found.key)
    people = [one.author_id for one in revisions] + [step.by for step, _n in steps]
    people += [*showing.people_in(placed), *((gone.seen_by,) if gone and gone.seen_by else ())]
    may = frozenset(one for one in _ACTS if me.may_at(session, one, found.outlet_code))
    return PiecePage(
        piece=found,
        newest=newest,
        published=published,
        revisions=revisions,
        steps=steps,
        people=names(session, people),
        kind_name=KIND_NAMES[Kind(found.kind)],
        states={one.value: name for one, name in STATE_NAMES.items()},
        tones={one.value: tone for one, tone in TONES.items()},
        may=may,
        place=places.name(session, found.outlet_code),
        places=places.choices(session, me.scope("content.edit"), chosen=found.outlet_code),
        request=approvals.open_request(session, kind=lifecycle.APPROVAL_KIND, subject=found.key),
        changes=_changed(published, newest) if published and waits else None,
        checked=checked.of_revision(session, newest, may_edit="content.edit" in may),
        release=releases.last(session, found.key),
        readers=telling.of_piece(session, service(Vault), found.key),
        remarks=placed,
        withdrawal=gone,
    )


def _changed(before: Revision, after: Revision) -> Comparison:
    return comparison.compare(before.text, after.text, before.media, after.media)
