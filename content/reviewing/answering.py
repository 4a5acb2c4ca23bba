"""The answers to the checklist: kept with the exact hash and the list's version; without them no step is approved."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from content.history import get_piece
from content.reviewing import checklist
from content.reviewing.checklist import Item
from content.reviewing.models import CheckAnswer
from core.errors import Invalid
from core.i18n import mark
from institution.approval_models import Approval, ApprovalStep

OK, BAD, NOT = "ok", "bad", "na"
ANSWERS = {OK: mark("符合"), BAD: mark("不符合"), NOT: mark("不适用")}
LONGEST = 500
Said = Mapping[str, str]


def asked(session: Session, approval: Approval) -> list[Item]:
    """What is asked of this request: by the kind of its piece, and the day on which it was put."""
    kind = get_piece(session, approval.subject).kind
    return checklist.items(session, kind, approval.requested_at.date())


def given(session: Session, approval: Approval, step: int | None = None) -> Sequence[CheckAnswer]:
    """The answers to a request (of one step), in the order in which they were given."""
    query = select(CheckAnswer).where(CheckAnswer.approval_id == approval.id)
    if step is not None:
        query = query.where(CheckAnswer.step == step)
    return session.exec(query.order_by(col(CheckAnswer.step), col(CheckAnswer.id))).all()


def keep(  # noqa: PLR0917  (the shape of approval_kinds.Answered)
    session: Session, approval: Approval, step: ApprovalStep, said: Said, by: int, now: datetime
) -> None:
    """Keep what a form answers: `item-<id>` one of ok, bad, na, with `words-<id>`; what is answered again is replaced.

    Something that is not right says in words what; Invalid names the item.
    """
    version, found = (
        checklist.version(session),
        {one.item: one for one in given(session, approval, step.number)},
    )
    for item in asked(session, approval):
        answer, words = said.get(f"item-{item.id}", ""), said.get(f"words-{item.id}", "").strip()
        if answer not in ANSWERS:
            continue
        if answer == BAD and not words:
            raise Invalid(
                mark("“%(item)s”不符合的，请写明是哪里。"), field=f"item-{item.id}", item=str(item.says)
            )
        values: dict[str, Any] = {
            "answer": answer,
            "words": words[:LONGEST],
            "says": item.says.zh,
            "version": version,
            "by": by,
            "at": now,
        }
        made = found.get(item.id) or CheckAnswer(
            approval_id=approval.id or 0,
            step=step.number,
            revision_hash=approval.subject_hash,
            item=item.id,
            **values,
        )
        for name, value in values.items():
            setattr(made, name, value)
        session.add(made)
    session.flush()


def require(session: Session, approval: Approval, step: ApprovalStep) -> None:
    """Invalid unless every item was answered in this step, and none as not right."""
    found = {one.item: one.answer for one in given(session, approval, step.number)}
    for item in asked(session, approval):
        answer = found.get(item.id)
        if answer is None:
            raise Invalid(
                mark("审查清单还有没答的：“%(item)s”。逐项看过再通过。"),
                field=f"item-{item.id}",
                item=str(item.says),
            )
        if answer == BAD:
            raise Invalid(
                mark("“%(item)s”不符合，不能通过；请退回修改。"), field=f"item-{item.id}", item=str(item.says)
            )


def all_right(session: Session, approval: Approval) -> dict[str, str]:
    """The form of somebody who vouches for every item."""
    return {f"item-{item.id}": OK for item in asked(session, approval)}
