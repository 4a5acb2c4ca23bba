"""A kind of request for tests: it notes what was settled, and its thing can change underneath."""

from datetime import datetime

from sqlmodel import Session

from core.i18n import mark
from institution import approval_kinds
from institution.approval_kinds import Kind
from institution.approval_models import Approval

KIND = "test.thing"
SETTLED: list[tuple[int, str, int, str]] = []
CURRENT: dict[str, str] = {}


def _settled(
    _session: Session, approval: Approval, outcome: str, by: int, _now: datetime, opinion: str
) -> None:
    SETTLED.append((approval.id or 0, outcome, by, opinion))


def declare() -> None:
    """Make the kind known; its things have the hash in CURRENT, or the one asked for."""
    SETTLED.clear()
    CURRENT.clear()
    approval_kinds.declare(
        Kind(
            KIND,
            mark("发布内容"),
            "content.approve",
            settled=_settled,
            preview=lambda _session, _approval: "<!doctype html><title>预览</title><p>预览</p>",
            facts=lambda _session, _approval: [("事实", "一项事实")],
            href=lambda approval: f"/desk/pieces/{approval.subject}",
            current=lambda _session, approval: CURRENT.get(approval.subject, approval.subject_hash),
        )
    )


def undeclare() -> None:
    """Forget the kind."""
    approval_kinds.KINDS.pop(KIND, None)
