"""Requests as people look for them: what waits for whom, what somebody asked for, what they may look up."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, false, func, or_
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from institution import sessions, stand_ins
from institution.approval_models import Approval, ApprovalStep
from institution.models import Staff
from institution.powers import PERMISSIONS, Powers, Scope

WAITING, MINE, OPEN, DONE = "waiting", "mine", "open", "done"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks, with the people for whom they stand in now."""

    staff_id: int
    powers: Powers
    absent: tuple[tuple[int, Powers], ...] = ()


@dataclass(frozen=True, slots=True)
class Filter:
    """What a list is narrowed to: a box (waiting, mine, open, done), a kind, words, a part of the tree."""

    box: str = WAITING
    kind: str = ""
    text: str = ""
    outlet_code: str = ""
    outcome: str = ""
    overdue: datetime | None = None


def viewer(session: Session, staff_id: int, powers: Powers, now: datetime) -> Viewer:
    """The person with those for whom they stand in."""
    absent = stand_ins.absent_for(session, staff_id, now)
    return Viewer(staff_id, powers, tuple((one, sessions.powers_of(session, one)) for one in absent))


def query(who: Viewer, wanted: Filter) -> SelectOfScalar[Approval]:
    """The requests that the filter wants and this person may see, without an order."""
    is_open = col(Approval.decision).is_(None)
    narrowed = select(Approval).where(
        {
            WAITING: waiting(who),
            MINE: col(Approval.requested_by) == who.staff_id,
            OPEN: and_(is_open, visible(who)),
            DONE: and_(~is_open, visible(who)),
        }[wanted.box]
    )
    if wanted.kind:
        narrowed = narrowed.where(Approval.kind == wanted.kind)
    if wanted.outcome:
        narrowed = narrowed.where(Approval.decision == wanted.outcome)
    if wanted.outlet_code:
        narrowed = narrowed.where(Scope(frozenset({wanted.outlet_code})).condition(Approval.outlet_code))
    if wanted.overdue:
        narrowed = narrowed.where(is_open, col(Approval.due_at) <= wanted.overdue)
    for word in wanted.text.split()[:6]:
        narrowed = narrowed.where(_mentions(word))
    return narrowed


def count(session: Session, who: Viewer, wanted: Filter) -> int:
    """How many requests the filter wants."""
    return session.exec(select(func.count()).select_from(query(who, wanted).subquery())).one()


def first(session: Session, who: Viewer, wanted: Filter, most: int) -> list[Approval]:
    """The first requests that the filter wants: what is due soonest, then what waits longest."""
    ordered = query(who, wanted).order_by(
        col(Approval.due_at).asc().nulls_last(), col(Approval.requested_at), col(Approval.id)
    )
    return list(session.exec(ordered.limit(most)))


def sees(session: Session, who: Viewer, approval: Approval) -> bool:
    """Whether this person may look at a request."""
    wanted = select(Approval.id).where(Approval.id == approval.id, visible(who))
    return session.exec(wanted).first() is not None


def waiting(who: Viewer) -> ColumnElement[bool]:
    """The condition that the current step of an open request may be decided by this person."""
    in_person = _now_by(who.powers)
    for_others = [
        and_(col(Approval.requested_by) != number, ~_took_part(number), _now_by(powers))
        for number, powers in who.absent
    ]
    return and_(
        col(Approval.decision).is_(None),
        col(Approval.requested_by) != who.staff_id,
        ~_took_part(who.staff_id),
        or_(in_person, *for_others),
    )


def visible(who: Viewer) -> ColumnElement[bool]:
    """The condition that a request is this person's, waits or waited for such as them, or is theirs to audit."""
    everyone = [who.powers, *(powers for _number, powers in who.absent)]
    return or_(
        col(Approval.requested_by) == who.staff_id,
        _took_part(who.staff_id),
        who.powers.scope("audit.view").condition(Approval.outlet_code),
        exists().where(_of_this(), or_(*(_held(powers) for powers in everyone))),
    )


def names(session: Session, numbers: Iterable[int | None]) -> dict[int, str]:
    """The names of staff by number."""
    wanted = sorted({one for one in numbers if one is not None})
    found: dict[int, str] = {}
    for start in range(0, len(wanted), 500):
        part = col(Staff.id).in_(wanted[start : start + 500])
        found |= {
            number or 0: name for number, name in session.exec(select(Staff.id, Staff.name).where(part))
        }
    return found


def _now_by(powers: Powers) -> ColumnElement[bool]:
    return exists().where(_of_this(), col(ApprovalStep.number) == col(Approval.current_step), _held(powers))


def _of_this() -> ColumnElement[bool]:
    return col(ApprovalStep.approval_id) == col(Approval.id)


def _took_part(number: int) -> ColumnElement[bool]:
    return exists().where(
        _of_this(), or_(col(ApprovalStep.decided_by) == number, col(ApprovalStep.for_staff) == number)
    )


def _held(powers: Powers) -> ColumnElement[bool]:
    """The condition that these powers cover a step's permission over its node."""
    by_part: dict[frozenset[str], list[str]] = {}
    for permission in sorted(powers.permissions & PERMISSIONS.keys()):
        by_part.setdefault(powers.scope(permission).tops, []).append(permission)
    conditions = [
        and_(col(ApprovalStep.permission).in_(held), Scope(tops).condition(ApprovalStep.outlet_code))
        for tops, held in by_part.items()
    ]
    return or_(false(), *conditions)


def _mentions(word: str) -> ColumnElement[bool]:
    number = word.lstrip("#№")
    found = or_(
        col(Approval.title).icontains(word, autoescape=True),
        col(Approval.subject).icontains(word, autoescape=True),
        exists().where(
            col(Staff.id) == col(Approval.requested_by), col(Staff.name).icontains(word, autoescape=True)
        ),
    )
    return or_(found, col(Approval.id) == int(number)) if number.isdigit() and len(number) < 10 else found
