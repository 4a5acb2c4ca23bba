"""Requests as the pages show them: words for kinds, outcomes, steps and due dates."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from core.i18n import gettext as _
from institution import approval_kinds, approval_paths, approval_search, approvals, places
from institution.approval_models import Approval, ApprovalStep
from institution.powers import PERMISSIONS

TONES = {
    approvals.APPROVED: "good",
    approvals.CHANGES: "warn",
    approvals.REJECTED: "bad",
    approvals.WITHDRAWN: "idle",
}


@dataclass(frozen=True, slots=True)
class Line:
    """One request in a list."""

    request: Approval
    kind: str
    by: str
    place: str
    step: str
    outcome: str
    tone: str
    overdue: bool
    decider: str

    @property
    def picked(self) -> str:
        """What a tick sends: the number, and the hash of what was on the page."""
        return f"{self.request.id}.{self.request.subject_hash}"


@dataclass(frozen=True, slots=True)
class StepLine:
    """One step on the page of a request."""

    number: int
    name: str
    by_whom: str
    outcome: str
    tone: str
    decided_by: str
    decided_at: datetime | None
    opinion: str
    current: bool


def kind_name(name: str) -> str:
    """The words of a kind; a kind whose package is gone names itself."""
    kind, _colon, sort = name.partition(":")
    found = approval_kinds.KINDS.get(kind)
    if found is None:
        return name
    if sort in found.sorts:
        return _("%(kind)s：%(sort)s", kind=_(found.label), sort=_(found.sorts[sort]))
    return _(found.label)


def kinds() -> list[tuple[str, str]]:
    """All kinds with their words, for a choice."""
    return sorted((name, _(one.label)) for name, one in approval_kinds.KINDS.items())


def kinds_and_sorts() -> list[tuple[str, str]]:
    """All kinds and, after each, its sorts: what a path may be for."""
    names = [
        approval_paths.of_sort(name, sort)
        for name, _label in kinds()
        for sort in ("", *approval_kinds.KINDS[name].sorts)
    ]
    return [(name, kind_name(name)) for name in names]


def outcome_name(approval: Approval) -> str:
    """Where a request stands."""
    return _(approvals.OUTCOME_NAMES[approval.decision]) if approval.decision else _("待审批")


def lines(session: Session, rows: Sequence[Approval], now: datetime) -> list[Line]:
    """The requests with their words."""
    people = {number for one in rows for number in (one.requested_by, one.decided_by)}
    steps = _steps_of(session, [one.id or 0 for one in rows])
    people |= {
        number for found in steps.values() for each in found for number in (each.decided_by, each.for_staff)
    }
    names = approval_search.names(session, people)
    named = places.names(session, {one.outlet_code for one in rows})
    return [
        Line(
            request=one,
            kind=kind_name(one.kind),
            by=names.get(one.requested_by, ""),
            place=named[one.outlet_code],
            step=_step_words(one, steps.get(one.id or 0, [])),
            outcome=outcome_name(one),
            tone=TONES.get(one.decision or "", "info"),
            overdue=one.decision is None and one.due_at is not None and one.due_at <= now,
            decider=_deciders(steps.get(one.id or 0, []), names),
        )
        for one in rows
    ]


def step_lines(session: Session, approval: Approval, steps: Sequence[ApprovalStep]) -> list[StepLine]:
    """The steps of one request with their words."""
    people = [number for one in steps for number in (one.decided_by, one.for_staff)]
    names = approval_search.names(session, people)
    named = places.names(session, {one.outlet_code for one in steps})
    return [_step_line(approval, one, names, named[one.outlet_code]) for one in steps]


def decider(step: ApprovalStep, names: Mapping[int, str]) -> str:
    """Who decided: in person, for an absent colleague, or a guest on somebody's invitation."""
    name = names.get(step.decided_by or 0, "")
    if step.guest:
        return _("%(guest)s（外部审阅，由%(name)s邀请）") % {"guest": step.guest, "name": name}
    if step.for_staff:
        return _("%(name)s（代 %(absent)s）") % {"name": name, "absent": names.get(step.for_staff, "")}
    return name


def _step_line(approval: Approval, step: ApprovalStep, names: Mapping[int, str], place: str) -> StepLine:
    current = approval.decision is None and step.number == approval.current_step
    waiting = _("等待审批") if current else _("还没轮到") if approval.decision is None else _("未进行")
    return StepLine(
        number=step.number,
        name=step.name,
        by_whom=_("%(place)s有“%(permission)s”权限的同事")
        % {"place": place, "permission": _(PERMISSIONS.get(step.permission, step.permission))},
        outcome=_(approvals.OUTCOME_NAMES[step.decision]) if step.decision else waiting,
        tone=TONES.get(step.decision or "", "info" if current else "idle"),
        decided_by=decider(step, names),
        decided_at=step.decided_at,
        opinion=step.opinion,
        current=current,
    )


def _deciders(steps: Sequence[ApprovalStep], names: Mapping[int, str]) -> str:
    """Who decided the steps of a request, in their order."""
    return _("、").join(decider(one, names) for one in steps if one.decided_by)


def _step_words(approval: Approval, steps: Sequence[ApprovalStep]) -> str:
    current = next((one for one in steps if one.number == approval.current_step), None)
    if current is None:
        return ""
    if len(steps) == 1:
        return current.name
    return _("第 %(number)s/%(count)s 步：%(name)s") % {
        "number": current.number,
        "count": len(steps),
        "name": current.name,
    }


def _steps_of(session: Session, numbers: Iterable[int]) -> dict[int, list[ApprovalStep]]:
    found: dict[int, list[ApprovalStep]] = {}
    wanted = list(numbers)
    for start in range(0, len(wanted), 500):  # an export may hold more than a statement takes
        part = col(ApprovalStep.approval_id).in_(wanted[start : start + 500])
        for one in session.exec(select(ApprovalStep).where(part).order_by(col(ApprovalStep.number))):
            found.setdefault(one.approval_id, []).append(one)
    return found
