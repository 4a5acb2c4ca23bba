"""What the page of a request shows of reviewing: the checklist to answer, the answers given, what is said of passages."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from content.models import Revision
from content.reviewing import answering, checklist, remarks
from content.reviewing.answering import ANSWERS
from content.reviewing.checklist import Item
from content.reviewing.models import CheckAnswer
from content.reviewing.remarks import Placed
from core.http import render
from core.i18n import gettext as _
from institution.approval_models import Approval
from institution.models import Staff

_TONES = {answering.OK: "good", answering.BAD: "bad", answering.NOT: "idle"}


@dataclass(frozen=True, slots=True)
class FormPart:
    """The checklist as it is answered; `count` is how many requests are answered at once."""

    items: Sequence[Item]
    said: Mapping[str, str]
    version: str
    count: int

    @property
    def answers(self) -> list[tuple[str, str]]:
        """The answers with their words."""
        return [(key, _(name)) for key, name in ANSWERS.items()]


@dataclass(frozen=True, slots=True)
class AsidePart:
    """What was answered step by step, and what was said of passages."""

    key: str
    number: int
    steps: Sequence[tuple[int, Sequence[CheckAnswer]]]
    remarks: Sequence[Placed]
    people: Mapping[int, str]

    def status(self, answer: CheckAnswer) -> tuple[str, str]:
        """The answer in a word, and its tone."""
        return _(ANSWERS[answer.answer]), _TONES[answer.answer]

    @property
    def open(self) -> int:
        """How many remarks nobody settled."""
        return sum(one.is_open for one in self.remarks)


def form(session: Session, approvals: Sequence[Approval], said: Mapping[str, str]) -> str:
    """The checklist of one request, or of several at once: whatever is asked of any of them."""
    found: dict[str, Item] = {}
    for approval in approvals:
        found |= {item.id: item for item in answering.asked(session, approval)}
    part = FormPart(list(found.values()), said, checklist.version(session), len(approvals))
    return render("content/review_form.html", part)


def aside(session: Session, approval: Approval, revision: Revision) -> str:
    """What stands beside the request."""
    by_step: dict[int, list[CheckAnswer]] = defaultdict(list)
    for one in answering.given(session, approval):
        by_step[one.step].append(one)
    placed = remarks.placed(session, revision)
    ids = {one.by for answers in by_step.values() for one in answers} | people_in(placed)
    part = AsidePart(
        revision.piece_key, revision.number, sorted(by_step.items()), placed, people(session, ids)
    )
    return render("content/review_aside.html", part)


def people_in(placed: Sequence[Placed]) -> set[int]:
    """Who said, answered or settled something."""
    found = {one.remark.by for one in placed}
    return found | {one.remark.answered_by for one in placed if one.remark.answered_by is not None}


def people(session: Session, ids: set[int]) -> dict[int, str]:
    """The names of staff by number."""
    query = select(Staff.id, Staff.name).where(col(Staff.id).in_(ids))
    return {number or 0: name for number, name in session.exec(query)}
