"""The life of a revision: draft → submitted → approved → published → superseded or withdrawn."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from content import pages
from content.history import get, get_piece, newest, published_revision
from content.listing import PublishedPiece, shown
from content.media import Prepared
from content.models import Kind, Piece, Revision, State
from content.moves import hold, move
from content.off_site.withdrawing import withdraw
from content.review import APPROVAL_KIND, approve, reject, submit, take_back
from core.errors import Conflict, Invalid
from core.i18n import mark
from institution import approvals, audit
from institution.powers import WHOLE
from tracking import dimensions

__all__ = [
    "APPROVAL_KIND", "Draft", "PublishedPiece", "approve", "reject", "submit", "take_back", "withdraw",
]  # fmt: skip

audit.declare(
    {
        "piece.save": mark("保存内容新版本"),
        "piece.place": mark("调整内容归属"),
        "piece.publish": mark("发布内容"),
        "piece.import": mark("导入内容"),
    }
)


@dataclass(frozen=True)
class Draft:
    """A checked text with its front matter, its pictures and the hash of all: what a revision is made of.

    `drawn`: the panels of its strip, which whoever keeps or shows the draft stores (`media.write_all`).
    """

    key: str
    kind: str
    text: str
    meta: dict[str, Any]
    media: dict[str, Any]
    hash: str
    drawn: tuple[Prepared, ...] = field(default=(), compare=False, repr=False)


def save(
    session: Session,
    draft: Draft,
    *,
    by: int,
    now: datetime,
    base: int | None = None,
    outlet_code: str = WHOLE,
) -> Revision | None:
    """A new revision with this content; None when the newest one already says exactly this.

    `base` is the number of the revision the writer began with (0: none); Conflict when a newer one exists.
    `outlet_code` is the node that a new piece belongs to; one that exists stays where it is.
    """
    revision = add_revision(session, draft, by=by, now=now, base=base, outlet_code=outlet_code)
    if revision is not None:
        place = get_piece(session, draft.key).outlet_code
        after = {"number": revision.number, "title": revision.title, "hash": revision.hash}
        audit.record(session, "piece.save", "piece", draft.key, after=after, outlet_code=place)
    return revision


def add_revision(
    session: Session,
    draft: Draft,
    *,
    by: int,
    now: datetime,
    base: int | None = None,
    outlet_code: str = WHOLE,
) -> Revision | None:
    """`save` for the import of a folder, which leaves one record for all of it."""
    hold(session, draft.key)
    last = newest(session, draft.key)
    number = last.number if last else 0
    if base is not None and base != number:
        raise Conflict(mark("有人在您编辑期间保存了新的版本，请对照后再保存。"), field="base")
    if last is not None and last.hash == draft.hash:
        return None
    _piece_of(session, draft, now, outlet_code)
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


def place(session: Session, key: str, outlet_code: str) -> None:
    """Have a piece belong to another node of the tree; Conflict while a decision made for the old one counts."""
    hold(session, key)
    piece = get_piece(session, key)
    if piece.outlet_code == outlet_code:
        return
    last = newest(session, key)
    if last is not None and last.state in (State.submitted, State.approved):
        raise Conflict(
            mark("这篇内容正在审批或等待发布，请先发布或撤回申请，再调整归属。"), field="outlet_code"
        )
    before, piece.outlet_code = piece.outlet_code, outlet_code
    session.add(piece)
    session.flush()
    audit.record(
        session, "piece.place", "piece", key,
        before={"outlet_code": before}, after={"outlet_code": outlet_code}, outlet_code=outlet_code,
    )  # fmt: skip


def publish(session: Session, revision_id: int, *, by: int, now: datetime) -> Revision:
    """Put an approved revision on the site; the one before it is superseded."""
    revision = get(session, revision_id)
    key = revision.piece_key
    if not approvals.granted(session, kind=APPROVAL_KIND, subject=key, subject_hash=revision.hash):
        raise Invalid(mark("这一版还没有经过另一位同事审查，不能发布。"))
    hold(session, key)
    before = published_revision(session, key)
    if before is not None:
        move(session, before, State.published, State.superseded, "superseded", by=by, now=now)
    piece = get_piece(session, key)
    piece.first_published_at = piece.first_published_at or now
    revision.published_at = now
    session.add(piece)
    session.add(revision)
    move(session, revision, State.approved, State.published, "published", by=by, now=now)
    title_en = str(revision.meta.get("title_en") or "")
    dimensions.describe(session, "piece", key, revision.title, name_en=title_en)
    pages.bump(session)
    _record(session, "piece.publish", revision, before)
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


def _record(session: Session, action: str, revision: Revision, before: Revision | None) -> None:
    audit.record(
        session, action, "piece", revision.piece_key,
        before={"number": before.number if before else None},
        after={"number": revision.number, "title": revision.title, "hash": revision.hash},
        outlet_code=get_piece(session, revision.piece_key).outlet_code,
    )  # fmt: skip


def _piece_of(session: Session, draft: Draft, now: datetime, outlet_code: str) -> Piece:
    piece = session.get(Piece, draft.key)
    if piece is None:
        piece = Piece(key=draft.key, kind=draft.kind, outlet_code=outlet_code, created_at=now)
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
