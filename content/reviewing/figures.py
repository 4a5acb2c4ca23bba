"""The figures of reviews decided in a period: how long, how many sent back, why, by whom.

Time to decide runs from the request to its last decision, by the clock and not by working hours. The 90th percentile is
the nearest rank: nine of ten were decided within it.
"""

import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func
from sqlmodel import Session, col, select

from content.check import rulesets
from content.check.models import Overruling
from content.guard import KIND
from content.models import KIND_NAMES, Kind, Piece
from content.reviewing.models import CheckAnswer
from core.i18n import gettext as _
from institution import approvals, outlets
from institution.approval_models import Approval, ApprovalStep
from institution.models import Outlet, OutletKind, Staff

BACK = (approvals.CHANGES, approvals.REJECTED)
_DECIDED = (approvals.APPROVED, *BACK)
_PART = 400  # numbers in a statement


@dataclass(frozen=True, slots=True)
class Row:
    """One line: how many were decided, the median and the 90th percentile in hours, how many were sent back or late."""

    name: str
    count: int
    median: float
    ninth: float
    back: int
    late: int

    @property
    def share_back(self) -> float:
        """The share that was sent back, 0 to 1."""
        return self.back / self.count if self.count else 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was sent back, or which warning was left: how often, and how often it came back."""

    name: str
    count: int
    back: int


@dataclass(frozen=True, slots=True)
class Load:
    """What one reviewer decided in the period, step by step."""

    name: str
    count: int
    back: int


@dataclass(frozen=True, slots=True)
class Figures:
    """All figures of a period; `waiting` and `overdue` are those of now."""

    total: Row
    kinds: Sequence[Row]
    branches: Sequence[Row]
    items: Sequence[Reason]
    rules: Sequence[Reason]
    reviewers: Sequence[Load]
    waiting: int
    overdue: int


Decided = tuple[Approval, str]


def gather(
    session: Session, begin: datetime, end: datetime, now: datetime, *where: ColumnElement[bool]
) -> Figures:
    """The figures of what was decided from `begin` until before `end`; `where`: conditions on `Approval`."""
    found = _decided(session, begin, end, *where)
    numbers = [one.id or 0 for one, _kind in found]
    back = {one.id for one, _kind in found if one.decision in BACK}
    names = _branches(session, {one.outlet_code for one, _kind in found})
    return Figures(
        total=_row(_("合计"), [one for one, _kind in found]),
        kinds=_rows(found, lambda one: _(KIND_NAMES[Kind(one[1])])),
        branches=_rows(found, lambda one: names[one[0].outlet_code]),
        items=_items(session, numbers),
        rules=_rules(session, {one.subject_hash: one.id in back for one, _kind in found}),
        reviewers=_loads(session, begin, end, *where),
        waiting=_open(session, *where),
        overdue=_open(session, col(Approval.due_at) <= now, *where),
    )


def ninth(values: Sequence[float]) -> float:
    """The 90th percentile by nearest rank; 0 of nothing."""
    if not values:
        return 0.0
    return sorted(values)[math.ceil(0.9 * len(values)) - 1]


def _decided(session: Session, begin: datetime, end: datetime, *where: ColumnElement[bool]) -> list[Decided]:
    query = (
        select(Approval, Piece.kind)
        .join(Piece, col(Piece.key) == col(Approval.subject))
        .where(
            Approval.kind == KIND, col(Approval.decision).in_(_DECIDED),
            col(Approval.decided_at) >= begin, col(Approval.decided_at) < end, *where,
        )
    )  # fmt: skip
    return [(one, kind) for one, kind in session.exec(query)]


def _rows(found: Iterable[Decided], name: Callable[[Decided], str]) -> list[Row]:
    by: dict[str, list[Approval]] = defaultdict(list)
    for one in found:
        by[name(one)].append(one[0])
    return sorted((_row(key, some) for key, some in by.items()), key=lambda row: (-row.count, row.name))


def _row(name: str, found: Sequence[Approval]) -> Row:
    hours = [(one.decided_at - one.requested_at).total_seconds() / 3600 for one in found if one.decided_at]
    return Row(
        name=name,
        count=len(found),
        median=statistics.median(hours) if hours else 0.0,
        ninth=ninth(hours),
        back=sum(one.decision in BACK for one in found),
        late=sum(bool(one.due_at and one.decided_at and one.decided_at > one.due_at) for one in found),
    )


def _branches(session: Session, codes: set[str]) -> dict[str, str]:
    """The province of each node; what belongs to none is the head office's."""
    return {code: _province(session, code) for code in codes}


def _province(session: Session, code: str) -> str:
    line: Sequence[Outlet] = outlets.path(session, code) if code and outlets.find(session, code) else ()
    return next((one.name for one in line if one.kind == OutletKind.province), _("总公司"))


def _items(session: Session, numbers: Sequence[int]) -> list[Reason]:
    """The items of the checklist that were answered as not right."""
    count: Counter[str] = Counter()
    for part in _parts(numbers):
        query = select(CheckAnswer.says).where(
            col(CheckAnswer.approval_id).in_(part), CheckAnswer.answer == "bad"
        )
        count.update(session.exec(query))
    return [Reason(says, much, much) for says, much in count.most_common()]


def _rules(session: Session, hashes: Mapping[str, bool]) -> list[Reason]:
    """The rules whose warnings were left with a reason, and how often what had one was sent back all the same."""
    says = {rule.id: str(rule.says) for each in rulesets.sets() for rule in each.rules}
    count: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for part in _parts(list(hashes)):
        query = select(Overruling.rule, Overruling.revision_hash).where(
            col(Overruling.revision_hash).in_(part)
        )
        for rule, digest in session.exec(query):
            count[rule] += 1
            back[rule] += hashes[digest]
    return [Reason(says.get(rule, rule), much, back[rule]) for rule, much in count.most_common()]


def _loads(session: Session, begin: datetime, end: datetime, *where: ColumnElement[bool]) -> list[Load]:
    query = (
        select(ApprovalStep.decision, Staff.name)
        .join(Approval, col(Approval.id) == col(ApprovalStep.approval_id))
        .join(Staff, col(Staff.id) == col(ApprovalStep.decided_by))
        .where(
            Approval.kind == KIND,
            col(ApprovalStep.decided_at) >= begin,
            col(ApprovalStep.decided_at) < end,
            *where,
        )
    )
    count: Counter[str] = Counter()
    back: Counter[str] = Counter()
    for decision, name in session.exec(query):
        count[name] += 1
        back[name] += decision in BACK
    return [Load(name, much, back[name]) for name, much in count.most_common()]


def _open(session: Session, *where: ColumnElement[bool]) -> int:
    query = (
        select(func.count())
        .select_from(Approval)
        .where(Approval.kind == KIND, col(Approval.decision).is_(None))
    )
    return session.exec(query.where(*where)).one()


def _parts(values: Sequence[object]) -> Iterable[Sequence[object]]:
    return (values[start : start + _PART] for start in range(0, len(values), _PART))
