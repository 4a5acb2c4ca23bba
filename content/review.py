"""Four eyes for what goes on the site: a revision is put before others, and what their decision does to it.

The request is of kind `content.publish`; its subject is the key of the piece, its hash that of one revision.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from sqlmodel import Session, col, select

from content import comparison, reading
from content.check import report
from content.check.overruling import require_clean
from content.guard import KIND
from content.history import get, get_piece, newest, published_revision
from content.models import KIND_NAMES, Kind, Piece, Revision, State
from content.moves import move
from content.off_site import policy
from content.reviewing import answering, remarks, showing
from content.rooms.file import require_proof
from core.errors import Conflict
from core.http import render, service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import approval_kinds, approvals
from institution.approval_models import Approval
from institution.models import Staff
from institution.working_days import WorkingDays

APPROVAL_KIND = KIND


def submit(
    session: Session,
    revision_id: int,
    *,
    by: int,
    now: datetime,
    reason: str = "",
    due_at: datetime | None = None,
    working: WorkingDays | None = None,
    files_dir: Path | None = None,
) -> Approval:
    """Ask others to approve exactly this revision; the submitter's own older request is replaced.

    Without `due_at` the days of the path for its kind count, else those of the policy, as `working` days.
    What was withdrawn may come back as it is, but only by being reviewed again. A room that is not proved, and any
    text in which the check before review finds an error or a warning without a reason, is Faulty; its pictures are
    looked at where `files_dir` says where they are kept. Of the product's own texts warnings do not count: what was
    right when they were written (a figure with its day) must not stop a first start.
    """
    revision = get(session, revision_id)
    _require_ready(session, revision, by, now, files_dir)
    _replace_own_request(session, revision, by=by, now=now)
    piece = get_piece(session, revision.piece_key)
    request = approvals.request(
        session,
        kind=APPROVAL_KIND,
        subject=revision.piece_key,
        subject_hash=revision.hash,
        title=revision.title,
        by=by,
        now=now,
        reason=reason.strip(),
        outlet_code=piece.outlet_code,
        due_at=due_at,
        sort=piece.kind,
        term=_term(piece, working),
    )
    before = State.withdrawn if revision.state == State.withdrawn else State.draft
    move(session, revision, before, State.submitted, "submitted", by=by, now=now, note=reason)
    return request


def _term(piece: Piece, working: WorkingDays | None) -> approvals.Term | None:
    return approvals.Term(working, policy.of_kind(piece.kind).review_days) if working else None


def _require_ready(
    session: Session, revision: Revision, by: int, now: datetime, files_dir: Path | None
) -> None:
    """Whether all is done that must be before others look at it."""
    last = newest(session, revision.piece_key)
    if last is not None and last.number != revision.number:
        raise Conflict(mark("已有更新的版本，请提交最新的一版。"))
    require_proof(revision)
    remarks.require_answered(session, revision.piece_key)
    asker = session.get(Staff, by)
    ours = asker is not None and asker.system
    require_clean(session, revision, now.date(), warnings=not ours, files_dir=files_dir)


def take_back(session: Session, revision_id: int, *, by: int, now: datetime) -> None:
    """The submitter takes the revision back before it is decided."""
    revision = get(session, revision_id)
    # The request first, as in a decision: of two people at once one waits for the other.
    approvals.withdraw(session, _request_of(session, revision), by=by, now=now)
    move(session, revision, State.submitted, State.draft, "taken_back", by=by, now=now)


def approve(
    session: Session,
    revision_id: int,
    *,
    by: int,
    now: datetime,
    opinion: str = "",
    said: Mapping[str, str] | None = None,
) -> None:
    """A second person approves exactly this revision: one step of its way.

    `said` answers the checklist (`answering.keep`); None: who calls this vouches for every item of it.
    """
    number = _request_of(session, get(session, revision_id))
    answers = answering.all_right(session, approvals.get(session, number)) if said is None else said
    approvals.decide(
        session, number, decision=approvals.APPROVED, by=by, now=now, opinion=opinion, said=answers
    )


def reject(session: Session, revision_id: int, *, by: int, now: datetime, opinion: str) -> None:
    """A second person sends the revision back, with the reason."""
    number = _request_of(session, get(session, revision_id))
    approvals.decide(session, number, decision=approvals.REJECTED, by=by, now=now, opinion=opinion)


def submitted(session: Session, approval: Approval) -> Revision | None:
    """The revision that a request is about, while it waits."""
    query = select(Revision).where(
        Revision.piece_key == approval.subject,
        Revision.hash == approval.subject_hash,
        Revision.state == State.submitted.value,
    )
    return session.exec(query.order_by(col(Revision.number).desc())).first()


def _settled(  # noqa: PLR0917  (the shape of approval_kinds.Settled)
    session: Session, approval: Approval, outcome: str, by: int, now: datetime, opinion: str
) -> None:
    """What the last decision does: the revision may be published, or goes back to its writers."""
    revision = submitted(session, approval)
    if revision is None:
        raise Conflict(mark("这一版没有待审的申请，可能已被撤回或已有结论。"))
    passed = outcome == approvals.APPROVED
    after, action = (State.approved, "approved") if passed else (State.draft, outcome)
    move(session, revision, State.submitted, after, action, by=by, now=now, note=opinion)


def _withdrawn(session: Session, approval: Approval, by: int, now: datetime) -> None:
    """The request is withdrawn from the page of approvals: the same verb."""
    revision = submitted(session, approval)
    if revision is None:
        approvals.withdraw(session, approval.id or 0, by=by, now=now)
    else:
        take_back(session, revision.id or 0, by=by, now=now)


def _current(session: Session, approval: Approval) -> str | None:
    revision = submitted(session, approval)
    return revision.hash if revision else None


def _about(session: Session, approval: Approval) -> Revision | None:
    """The revision that a request is or was about: the newest of this hash."""
    query = select(Revision).where(
        Revision.piece_key == approval.subject, Revision.hash == approval.subject_hash
    )
    return session.exec(query.order_by(col(Revision.number).desc())).first()


def _preview(session: Session, approval: Approval) -> str | None:
    """The page as visitors would see it."""
    revision = _about(session, approval)
    if revision is None:
        return None
    hotline = service(Settings).hotline
    page = reading.page_of(revision.text, revision.meta, revision.media, hotline=hotline)
    return render(page.template, replace(page, preview=True))


def _facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    revision = _about(session, approval)
    if revision is None:
        return ()
    piece = get_piece(session, revision.piece_key)
    return (
        (_("类型"), _(KIND_NAMES[Kind(piece.kind)])),
        (_("版本"), _("第 %(number)s 版", number=revision.number)),
        (_("摘要"), str(revision.meta.get("summary", ""))),
        (_("改动"), _changes(published_revision(session, piece.key), revision)),
        *report.lines(session, revision, approval.requested_at.date()),
    )


def _aside(session: Session, approval: Approval) -> str:
    revision = _about(session, approval)
    return "" if revision is None else showing.aside(session, approval, revision)


def _changes(published: Revision | None, revision: Revision) -> str:
    """What is new against the site, in a few words."""
    if published is None:
        return _("首次发布")
    if published.id == revision.id:
        return _("网站上就是这一版")
    made = comparison.compare(published.text, revision.text, published.media, revision.media)
    lines = sum(line.kind != "same" for stretch in made.stretches for line in stretch)
    return _(
        "与网站上的第 %(number)s 版相比改了 %(lines)s 行、%(pictures)s 张图",
        number=published.number,
        lines=lines,
        pictures=len(made.pictures),
    )


def _replace_own_request(session: Session, revision: Revision, *, by: int, now: datetime) -> None:
    """Take back one's own request for an older revision of this piece, if it is still open."""
    waiting = approvals.open_request(session, kind=APPROVAL_KIND, subject=revision.piece_key)
    if waiting is None or waiting.requested_by != by or waiting.subject_hash == revision.hash:
        return
    older = submitted(session, waiting)
    if older is not None and older.id != revision.id:
        take_back(session, older.id or 0, by=by, now=now)


def _request_of(session: Session, revision: Revision) -> int:
    waiting = approvals.open_request(session, kind=APPROVAL_KIND, subject=revision.piece_key)
    if waiting is None or waiting.id is None or waiting.subject_hash != revision.hash:
        raise Conflict(mark("这一版没有待审的申请，可能已被撤回或已有结论。"))
    return waiting.id


approval_kinds.declare(
    approval_kinds.Kind(
        name=APPROVAL_KIND,
        label=mark("发布内容"),
        permission="content.approve",
        settled=_settled,
        preview=_preview,
        facts=_facts,
        href=lambda approval: f"/desk/pieces/{approval.subject}",
        take_back=_withdrawn,
        current=_current,
        form=showing.form,
        answered=answering.keep,
        ready=answering.require,
        aside=_aside,
        sorts={kind.value: name for kind, name in KIND_NAMES.items()},
    )
)
