"""What the check says of a revision, what editors answered, and whether it may go to review."""

from collections.abc import Mapping, Sequence
from datetime import date as Day
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session, select

from content import media
from content.check import checking, elsewhere
from content.check.findings import Finding, Severity, errors, open_warnings
from content.check.models import Overruling
from content.faults import Fault, Faulty
from content.history import get_piece
from content.models import Piece, Revision, State
from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit

SHORTEST = 4  # characters of a reason

audit.declare(
    {
        "piece.overrule": mark("保留规则检查的提醒并说明理由"),
        "piece.restore_warning": mark("恢复规则检查的提醒"),
    }
)


def findings(
    session: Session, revision: Revision, on: Day, *, files_dir: Path | None = None
) -> list[Finding]:
    """Everything found in a revision on a day, with the reasons that editors gave for leaving it; in its pictures too
    where `files_dir` says where they are kept."""
    reasons = {one.mark: one.reason for one in given(session, revision)}
    found = of_text(session, revision.text, revision.meta, revision.media, on, files_dir=files_dir)
    return [
        one.because(reasons[one.mark]) if one.severity is Severity.warning and one.mark in reasons else one
        for one in found
    ]


def of_text(
    session: Session,
    text: str,
    meta: Mapping[str, object],
    pictures: Mapping[str, Any],
    on: Day,
    *,
    files_dir: Path | None = None,
) -> list[Finding]:
    """Everything found in a text that is about to become a revision; links may name every piece that there is."""
    known = frozenset(session.exec(select(Piece.key)))
    data = media.kept(files_dir, pictures) if files_dir else {}
    return checking.check(
        "", text, meta, on=on, known=known, names=frozenset(pictures), pictures=data,
        elsewhere=elsewhere.of_database(session, on),
    )  # fmt: skip


def given(session: Session, revision: Revision) -> Sequence[Overruling]:
    """The reasons given for exactly this revision, in the order of time."""
    query = select(Overruling).where(
        Overruling.piece_key == revision.piece_key, Overruling.revision_hash == revision.hash
    )
    return session.exec(query.order_by(Overruling.id)).all()  # type: ignore[arg-type]


def overrule(
    session: Session, revision: Revision, finding_mark: str, *, reason: str, by: int, now: datetime, on: Day
) -> Overruling:
    """Leave a warning as it is, with a reason that the reviewer sees; an error cannot be left (Invalid)."""
    _require_writable(revision)
    finding = next((one for one in findings(session, revision, on) if one.mark == finding_mark), None)
    if finding is None:
        raise NotFound(mark("这一版里没有这条提醒，请刷新页面。"))
    if finding.severity is Severity.error:
        raise Invalid(mark("这是错误，不能保留，请改文字。"), field="reason")
    if not finding.is_open:
        raise Conflict(mark("这条提醒已经有人说明了理由，请刷新页面。"))
    if len(reason.strip()) < SHORTEST:
        raise Invalid(mark("请写明为什么可以保留，审查人会看到。"), field="reason")
    made = Overruling(
        piece_key=revision.piece_key, revision_hash=revision.hash, mark=finding.mark, rule=finding.rule,
        excerpt=finding.excerpt, reason=reason.strip()[:400], by=by, at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    after = {"rule": finding.rule, "excerpt": finding.excerpt, "hash": revision.hash}
    _record(session, "piece.overrule", made, after=after, note=made.reason)
    return made


def restore(session: Session, revision: Revision, finding_mark: str) -> None:
    """Take a reason back: the warning stands again."""
    _require_writable(revision)
    made = next((one for one in given(session, revision) if one.mark == finding_mark), None)
    if made is None:
        raise NotFound(mark("这一版里没有这条提醒，请刷新页面。"))
    session.delete(made)
    session.flush()
    before = {"rule": made.rule, "excerpt": made.excerpt, "reason": made.reason}
    _record(session, "piece.restore_warning", made, before=before)


def require_clean(
    session: Session, revision: Revision, on: Day, *, warnings: bool = True, files_dir: Path | None = None
) -> None:
    """Faulty names every finding for which a revision may not be put before others: errors, and warnings that nobody
    gave a reason for. `warnings` False: they do not stop it."""
    found = findings(session, revision, on, files_dir=files_dir)
    wrong = [*errors(found), *(open_warnings(found) if warnings else ())]
    if wrong:
        raise Faulty([fault(one) for one in wrong])


def fault(finding: Finding) -> Fault:
    """A finding in the form of other faults: where, what, and the way out."""
    where = _("第 %(line)s 行", line=finding.line) if finding.line else ""
    return Fault(finding.file, where, f"“{finding.excerpt}” {finding.says}{finding.way_out}")


def _require_writable(revision: Revision) -> None:
    if revision.state not in (State.draft, State.withdrawn):
        raise Conflict(mark("这一版已提交，不能再改理由；请先撤回申请。"))


def _record(
    session: Session,
    action: str,
    made: Overruling,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
    note: str = "",
) -> None:
    audit.record(
        session, action, "piece", made.piece_key, before=before, after=after,
        outlet_code=get_piece(session, made.piece_key).outlet_code, note=note,
    )  # fmt: skip
