"""The life of a revision: draft → submitted → approved → published → superseded or withdrawn."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, func, select

from content import pages
from content.models import Kind, Piece, Revision, RevisionStep, State
from core.errors import Conflict, Invalid, NotFound
from core.i18n import current_locale, mark
from institution import approvals
from institution.models import Approval

APPROVAL_KIND = "content.publish"


@dataclass(frozen=True)
class Draft:
    """A checked text with its front matter, its pictures and the hash of all: what a revision is made of."""

    key: str
    kind: str
    text: str
    meta: dict[str, Any]
    media: dict[str, Any]
    hash: str


@dataclass(frozen=True)
class PublishedPiece:
    """What lists, the home page and campaigns show of a published piece."""

    key: str
    kind: str
    title: str
    title_en: str
    summary: str
    summary_en: str
    kicker: str
    minutes: int | None
    theme: str
    cover_url: str
    cover_alt: str
    cover_width: int | None
    cover_height: int | None
    published_at: datetime
    first_published_at: datetime
    number: int | None = None
    season: int | None = None
    topics: tuple[str, ...] = ()
    rights: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    review_by: date | None = None
    revision_id: int = field(default=0)

    @property
    def url(self) -> str:
        """The path of its page."""
        return f"/p/{self.key}"

    @property
    def shown_title(self) -> str:
        """The title in the language in force, the Chinese one where no other is given."""
        return self.title_en if current_locale() == "en" and self.title_en else self.title

    @property
    def shown_summary(self) -> str:
        """The summary in the language in force, the Chinese one where no other is given."""
        return self.summary_en if current_locale() == "en" and self.summary_en else self.summary


def save(session: Session, draft: Draft, *, by: int, now: datetime, base: int | None = None) -> Revision | None:
    """A new revision with this content; None when the newest one already says exactly this.

    `base` is the number of the revision the writer began with (0: none); Conflict when a newer one exists.
    """
    newest = newest_revision(session, draft.key)
    if base is not None and base != (newest.number if newest else 0):
        raise Conflict(mark("有人在您编辑期间保存了新的版本，请对照后再保存。"), field="base")
    if newest is not None and newest.hash == draft.hash:
        return None
    _piece_for(session, draft, now)
    revision = Revision(
        piece_key=draft.key,
        number=newest.number + 1 if newest else 1,
        text=draft.text,
        meta=draft.meta,
        media=draft.media,
        hash=draft.hash,
        author_id=by,
        created_at=now,
    )
    session.add(revision)
    session.flush()
    return revision


def submit(session: Session, revision_id: int, *, by: int, now: datetime, reason: str = "") -> Approval:
    """Ask a second person to approve exactly this revision; the submitter's own older request is replaced."""
    revision = get(session, revision_id)
    _expect(revision, State.draft)
    if newest_number(session, revision.piece_key) != revision.number:
        raise Conflict(mark("已有更新的版本，请提交最新的一版。"))
    waiting = approvals.open_request(session, kind=APPROVAL_KIND, subject=revision.piece_key)
    if waiting is not None and waiting.requested_by == by and waiting.id is not None:
        approvals.withdraw(session, waiting.id, by=by)
        _back_to_draft(session, revision.piece_key)
    request = approvals.request(
        session,
        kind=APPROVAL_KIND,
        subject=revision.piece_key,
        subject_hash=revision.hash,
        title=revision.title,
        by=by,
        now=now,
        reason=reason.strip(),
    )
    _move(session, revision, State.submitted, "submitted", by=by, now=now, note=reason)
    return request


def take_back(session: Session, revision_id: int, *, by: int, now: datetime) -> None:
    """The submitter takes the revision back before it is decided."""
    revision = get(session, revision_id)
    _expect(revision, State.submitted)
    request = _request_of(session, revision)
    approvals.withdraw(session, request.id or 0, by=by)
    _move(session, revision, State.draft, "taken_back", by=by, now=now)


def approve(session: Session, revision_id: int, *, by: int, now: datetime, opinion: str = "") -> None:
    """A second person approves exactly this revision."""
    revision = get(session, revision_id)
    _expect(revision, State.submitted)
    request = _request_of(session, revision)
    approvals.decide(session, request.id or 0, decision=approvals.APPROVED, by=by, now=now, opinion=opinion)
    _move(session, revision, State.approved, "approved", by=by, now=now, note=opinion)


def reject(session: Session, revision_id: int, *, by: int, now: datetime, opinion: str) -> None:
    """A second person sends the revision back, with the reason."""
    revision = get(session, revision_id)
    _expect(revision, State.submitted)
    request = _request_of(session, revision)
    approvals.decide(session, request.id or 0, decision=approvals.REJECTED, by=by, now=now, opinion=opinion)
    _move(session, revision, State.draft, "rejected", by=by, now=now, note=opinion)


def publish(session: Session, revision_id: int, *, by: int, now: datetime) -> Revision:
    """Put an approved revision on the site; the one before it is superseded."""
    revision = get(session, revision_id)
    _expect(revision, State.approved)
    if not approvals.granted(
        session, kind=APPROVAL_KIND, subject=revision.piece_key, subject_hash=revision.hash
    ):
        raise Invalid(mark("这一版还没有经过另一位同事审查，不能发布。"))
    before = published_revision(session, revision.piece_key)
    if before is not None:
        _move(session, before, State.superseded, "superseded", by=by, now=now)
        session.flush()
    piece = get_piece(session, revision.piece_key)
    piece.first_published_at = piece.first_published_at or now
    revision.published_at = now
    session.add(piece)
    _move(session, revision, State.published, "published", by=by, now=now)
    _describe(session, piece, revision, now)
    pages.bump(session)
    return revision


def withdraw(session: Session, key: str, *, by: int, now: datetime, reason: str) -> Revision:
    """Take the published revision off every page, at once."""
    revision = published_revision(session, key)
    if revision is None:
        raise Conflict(mark("这篇内容现在没有发布，不需要撤下。"))
    if not reason.strip():
        raise Invalid(mark("请写明撤下的原因。"), field="reason")
    _move(session, revision, State.withdrawn, "withdrawn", by=by, now=now, note=reason)
    pages.bump(session)
    return revision


def get(session: Session, revision_id: int) -> Revision:
    """The revision, or NotFound."""
    revision = session.get(Revision, revision_id)
    if revision is None:
        raise NotFound(mark("没有找到这个版本。"))
    return revision


def get_piece(session: Session, key: str) -> Piece:
    """The piece, or NotFound."""
    piece = session.get(Piece, key)
    if piece is None:
        raise NotFound(mark("没有找到内容“%(key)s”。"), key=key)
    return piece


def newest_revision(session: Session, key: str) -> Revision | None:
    """The revision with the highest number."""
    query = select(Revision).where(Revision.piece_key == key).order_by(col(Revision.number).desc())
    return session.exec(query).first()


def newest_number(session: Session, key: str) -> int:
    """The highest number of a revision, 0 without any."""
    query = select(func.max(Revision.number)).where(Revision.piece_key == key)
    return session.exec(query).one() or 0


def revisions(session: Session, key: str) -> list[Revision]:
    """All revisions of a piece, newest first."""
    query = select(Revision).where(Revision.piece_key == key).order_by(col(Revision.number).desc())
    return list(session.exec(query))


def steps(session: Session, key: str) -> list[tuple[RevisionStep, int]]:
    """What happened to a piece, newest first, each with the number of its revision."""
    query = (
        select(RevisionStep, Revision.number)
        .join(Revision, col(RevisionStep.revision_id) == col(Revision.id))
        .where(Revision.piece_key == key)
        .order_by(col(RevisionStep.id).desc())
    )
    return [(step, number) for step, number in session.exec(query)]


def published_revision(session: Session, key: str) -> Revision | None:
    """The revision that is on the site."""
    query = select(Revision).where(Revision.piece_key == key, Revision.state == State.published.value)
    return session.exec(query).first()


def published(session: Session, key: str) -> PublishedPiece | None:
    """What is shown of a piece that is on the site, None when it is not."""
    revision = published_revision(session, key)
    return _shown(revision, get_piece(session, key)) if revision is not None else None


def published_list(session: Session, kind: str | None = None) -> list[PublishedPiece]:
    """All pieces on the site, newest first; diary episodes in their order."""
    query = (
        select(Revision, Piece)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == State.published.value)
        .order_by(col(Piece.first_published_at).desc(), col(Piece.key))
    )
    if kind is not None:
        query = query.where(Piece.kind == kind)
    found = [_shown(revision, piece) for revision, piece in session.exec(query)]
    if kind == Kind.diary:
        found.sort(key=lambda shown: (shown.season or 1, shown.number or 0, shown.key))
    return found
