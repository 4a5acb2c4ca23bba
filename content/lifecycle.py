"""The life of a revision: draft → submitted → approved → published → superseded or withdrawn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from content import pages
from content.history import get, get_piece, newest, published_revision
from content.listing import PublishedPiece, shown
from content.models import STATE_NAMES, Kind, Piece, Revision, RevisionStep, State
from core.errors import Conflict, Invalid
from core.i18n import gettext, mark
from institution import approvals
from institution.models import Approval
from tracking import dimensions

__all__ = ["Draft", "PublishedPiece"]

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


def save(
    session: Session, draft: Draft, *, by: int, now: datetime, base: int | None = None
) -> Revision | None:
    """A new revision with this content; None when the newest one already says exactly this.

    `base` is the number of the revision the writer began with (0: none); Conflict when a newer one exists.
    """
    _hold(session, draft.key)
    last = newest(session, draft.key)
    number = last.number if last else 0
    if base is not None and base != number:
        raise Conflict(mark("有人在您编辑期间保存了新的版本，请对照后再保存。"), field="base")
    if last is not None and last.hash == draft.hash:
        return None
    _piece_of(session, draft, now)
    revision = Revision(
        piece_key=draft.key,
        number=number + 1,
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
    """Ask a second person to approve exactly this revision; the submitter's own older request is replaced.

    What was withdrawn may come back as it is, but only by being reviewed again.
    """
    revision = get(session, revision_id)
    last = newest(session, revision.piece_key)
    if last is not None and last.number != revision.number:
        raise Conflict(mark("已有更新的版本，请提交最新的一版。"))
    _replace_own_request(session, revision, by=by, now=now)
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
    before = State.withdrawn if revision.state == State.withdrawn else State.draft
    _move(session, revision, before, State.submitted, "submitted", by=by, now=now, note=reason)
    return request


def take_back(session: Session, revision_id: int, *, by: int, now: datetime) -> None:
    """The submitter takes the revision back before it is decided."""
    revision = get(session, revision_id)
    approvals.withdraw(session, _request_of(session, revision), by=by)
    _move(session, revision, State.submitted, State.draft, "taken_back", by=by, now=now)


def approve(session: Session, revision_id: int, *, by: int, now: datetime, opinion: str = "") -> None:
    """A second person approves exactly this revision."""
    revision = get(session, revision_id)
    number = _request_of(session, revision)
    approvals.decide(session, number, decision=approvals.APPROVED, by=by, now=now, opinion=opinion)
    _move(session, revision, State.submitted, State.approved, "approved", by=by, now=now, note=opinion)


def reject(session: Session, revision_id: int, *, by: int, now: datetime, opinion: str) -> None:
    """A second person sends the revision back, with the reason."""
    revision = get(session, revision_id)
    number = _request_of(session, revision)
    approvals.decide(session, number, decision=approvals.REJECTED, by=by, now=now, opinion=opinion)
    _move(session, revision, State.submitted, State.draft, "rejected", by=by, now=now, note=opinion)


def publish(session: Session, revision_id: int, *, by: int, now: datetime) -> Revision:
    """Put an approved revision on the site; the one before it is superseded."""
    revision = get(session, revision_id)
    key = revision.piece_key
    if not approvals.granted(session, kind=APPROVAL_KIND, subject=key, subject_hash=revision.hash):
        raise Invalid(mark("这一版还没有经过另一位同事审查，不能发布。"))
    _hold(session, key)
    before = published_revision(session, key)
    if before is not None:
        _move(session, before, State.published, State.superseded, "superseded", by=by, now=now)
    piece = get_piece(session, key)
    piece.first_published_at = piece.first_published_at or now
    revision.published_at = now
    session.add(piece)
    session.add(revision)
    _move(session, revision, State.approved, State.published, "published", by=by, now=now)
    title_en = str(revision.meta.get("title_en") or "")
    dimensions.describe(session, "piece", key, revision.title, name_en=title_en)
    pages.bump(session)
    return revision


def withdraw(session: Session, key: str, *, by: int, now: datetime, reason: str) -> Revision:
    """Take the published revision off every page, at once."""
    revision = published_revision(session, key)
    if revision is None:
        raise Conflict(mark("这篇内容现在没有发布，不需要撤下。"))
    if not reason.strip():
        raise Invalid(mark("请写明撤下的原因。"), field="reason")
    _move(session, revision, State.published, State.withdrawn, "withdrawn", by=by, now=now, note=reason)
    pages.bump(session)
    return revision


def published(session: Session, key: str) -> PublishedPiece | None:
    """What is shown of a piece that is on the site, None when it is not."""
    revision = published_revision(session, key)
    return shown(revision, get_piece(session, key)) if revision is not None else None


def published_list(session: Session, kind: str | None = None) -> list[PublishedPiece]:
    """All pieces on the site, newest first; diary episodes and guides in their order."""
    query = (
        select(Revision, Piece)
        .join(Piece, col(Piece.key) == col(Revision.piece_key))
        .where(Revision.state == State.published.value)
        .order_by(col(Piece.first_published_at).desc(), col(Piece.key))
    )
    if kind is not None:
        query = query.where(Piece.kind == kind)
    found = [shown(revision, piece) for revision, piece in session.exec(query)]
    if kind in (Kind.diary, Kind.guide):
        found.sort(key=lambda piece: (piece.season or 1, piece.number or 0, piece.key))
    return found


def _hold(session: Session, key: str) -> None:
    """Whoever else wants to write this piece waits until this transaction ends."""
    session.exec(select(Piece).where(Piece.key == key).with_for_update()).first()


def _piece_of(session: Session, draft: Draft, now: datetime) -> Piece:
    piece = session.get(Piece, draft.key)
    if piece is None:
        piece = Piece(key=draft.key, kind=draft.kind, created_at=now)
        session.add(piece)
        session.flush()
    if piece.kind != draft.kind:
        raise Invalid(
            mark("内容“%(key)s”的类型是 %(kind)s，类型不能改；请换一个 key 新建。"),
            field="kind",
            key=draft.key,
            kind=piece.kind,
        )
    return piece


def _replace_own_request(session: Session, revision: Revision, *, by: int, now: datetime) -> None:
    """Take back one's own request for an older revision of this piece, if it is still open."""
    waiting = approvals.open_request(session, kind=APPROVAL_KIND, subject=revision.piece_key)
    if waiting is None or waiting.requested_by != by or waiting.id is None:
        return
    query = select(Revision).where(
        Revision.piece_key == revision.piece_key,
        Revision.state == State.submitted.value,
        col(Revision.id) != revision.id,
    )
    for older in session.exec(query).all():
        approvals.withdraw(session, waiting.id, by=by)
        _move(session, older, State.submitted, State.draft, "taken_back", by=by, now=now)


def _request_of(session: Session, revision: Revision) -> int:
    waiting = approvals.open_request(session, kind=APPROVAL_KIND, subject=revision.piece_key)
    if waiting is None or waiting.id is None or waiting.subject_hash != revision.hash:
        raise Conflict(mark("这一版没有待审的申请，可能已被撤回或已有结论。"))
    return waiting.id


def _move(
    session: Session,
    revision: Revision,
    before: State,
    after: State,
    action: str,
    *,
    by: int,
    now: datetime,
    note: str = "",
) -> None:
    """Move a revision by conditional UPDATE, so that of two people only one succeeds; and write it down."""
    statement = (
        update(Revision)
        .where(col(Revision.id) == revision.id, col(Revision.state) == before.value)
        .values(state=after.value)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        session.refresh(revision)
        raise Conflict(
            mark("这一版现在是“%(state)s”，不能这样操作，请刷新页面。"),
            state=gettext(STATE_NAMES[State(revision.state)]),
        )
    session.refresh(revision)
    session.add(RevisionStep(revision_id=revision.id or 0, action=action, by=by, at=now, note=note.strip()))
    session.flush()
