"""How a revision moves from state to state: by conditional UPDATE, and written down."""

from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from content.models import STATE_NAMES, Piece, Revision, RevisionStep, State
from core.errors import Conflict
from core.i18n import gettext, mark


def hold(session: Session, key: str) -> None:
    """Whoever else wants to write this piece waits until this transaction ends."""
    session.exec(select(Piece).where(Piece.key == key).with_for_update()).first()


def move(
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
    """Move a revision so that of two people only one succeeds (Conflict for the other); and write it down."""
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
