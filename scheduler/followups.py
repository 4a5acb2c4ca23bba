"""Plans that follow another plan: so many days after each of its pushes, to those who did or did not do something.

A follow-up is a plan like any other, approved and started by people. It fires once for each push of the plan that it
follows (the database refuses a second time), when that push is over; each person gets it once, because a push has each
person once. What was pushed before it began is not made up.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, or_, update
from sqlalchemy import select as columns
from sqlmodel import Session, col, select

from campaign.recipients import alias
from campaign.recurrence import parse_local
from core.database import Database, Prepared
from scheduler import rules, windows
from scheduler.models import Plan, PlanState, Push, PushState

MOST_DAYS = 180
_OVER = (PushState.done, PushState.cancelled)
_COMING = (PushState.overtaken, PushState.cutting, PushState.running, PushState.paused)


def _unanswered() -> tuple[ColumnElement[bool], ...]:
    answer = alias(Push)
    return (
        col(Push.plan_id) == col(Plan.follows_id),
        col(Plan.state) == PlanState.active,
        col(Push.due_at) >= col(Plan.next_due_at),
        ~exists().where(answer.plan_id == Plan.id, answer.after_id == Push.id),
    )


_READY = Prepared(
    columns(col(Plan.id), col(Push.id), col(Plan.first_at), col(Plan.follows_days), col(Push.due_at))
    .where(*_unanswered(), or_(*(col(Push.state) == one for one in _OVER)))
    .order_by(col(Push.due_at), col(Plan.id))
)


def due(first_at: str, days: int, pushed_at: datetime, zone: ZoneInfo) -> datetime:
    """When a follow-up answers a push (UTC): so many days later, at the hour of the clock of its beginning."""
    day = pushed_at.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, parse_local(first_at).time(), zone).astimezone(UTC)


def since(plan: Plan, zone: ZoneInfo, now: datetime) -> datetime:
    """From which push on a plan follows, when it is started now: from its first day, and nothing that would be late."""
    begins = datetime.combine(parse_local(plan.first_at).date(), time(), zone).astimezone(UTC)
    return max(begins, now - timedelta(days=plan.follows_days))


def ready(database: Database, *, zone: ZoneInfo, country: str, now: datetime) -> list[tuple[int, int]]:
    """The plans that must answer a push now, with the push: due, and at an hour that the rules allow."""
    found = [
        (plan_id, push_id, at)
        for plan_id, push_id, first_at, days, pushed_at in database.ask(_READY, {})
        if (at := due(first_at, days, pushed_at, zone)) <= now
    ]
    if not found:
        return []
    with database.reading() as session:
        return [
            (plan_id, push_id)
            for plan_id, push_id, at in found
            if not _held(session, session.get_one(Plan, plan_id), at, zone=zone, country=country, now=now)
        ]


def free_moment(session: Session, plan_id: int, at: datetime) -> datetime:
    """The moment, or the first second after it at which the plan has no push yet: two pushes of one day are two."""
    taken = set(session.exec(select(Push.due_at).where(Push.plan_id == plan_id, col(Push.due_at) >= at)))
    while at in taken:
        at += timedelta(seconds=1)
    return at


def answered(session: Session, plan_id: int, push_id: int) -> bool:
    """Whether a plan has answered a push."""
    query = select(Push.id).where(Push.plan_id == plan_id, Push.after_id == push_id)
    return session.exec(query).first() is not None


def end_if_over(session: Session, plan: Plan, now: datetime) -> None:
    """End a follow-up when what it follows has ended and every push of it is answered."""
    source = session.get(Plan, plan.follows_id)
    if source is not None and source.state != PlanState.ended:
        return
    left = select(col(Push.id)).where(
        Plan.id == plan.id, *_unanswered(), col(Push.state).in_((*_OVER, *_COMING))
    )
    if session.exec(left).first() is None:
        over = update(Plan).where(col(Plan.id) == plan.id, col(Plan.state) == PlanState.active)
        session.execute(over.values(state=PlanState.ended, next_due_at=None, updated_at=now))


def moments(
    session: Session, plan: Plan, coming: Iterable[datetime], zone: ZoneInfo, now: datetime
) -> Iterator[datetime]:
    """When a follow-up goes out, rising: for the pushes that wait for an answer, then for the moments of the plan that
    it follows (`coming`)."""
    begins = plan.next_due_at or since(plan, zone, now)
    query = select(Push.due_at).where(
        Push.plan_id == plan.follows_id,
        col(Push.due_at) >= begins,
        col(Push.state).in_((*_OVER, *_COMING)),
        ~_answer(plan),
    )
    pushed = list(session.exec(query.order_by(col(Push.due_at))))
    for at in pushed:
        yield due(plan.first_at, plan.follows_days, at, zone)
    for at in coming:
        if at >= begins and at not in pushed:
            yield due(plan.first_at, plan.follows_days, at, zone)


def chain(session: Session, plan_id: int | None) -> Iterator[int]:
    """A plan, what it follows, what that follows: to see that nothing follows itself."""
    seen = set[int]()
    while plan_id is not None and plan_id not in seen:
        seen.add(plan_id)
        yield plan_id
        found = session.get(Plan, plan_id)
        plan_id = found.follows_id if found else None


def _answer(plan: Plan) -> ColumnElement[bool]:
    one = alias(Push)
    return exists().where(one.plan_id == plan.id, one.after_id == Push.id)


def _held(session: Session, plan: Plan, at: datetime, *, zone: ZoneInfo, country: str, now: datetime) -> bool:
    """Whether it waits for an hour that is allowed; what is dropped or overtaken is decided at once."""
    allowed = rules.of(session, plan, country)
    if windows.dropped(at, allowed, zone) or now - at > timedelta(hours=plan.stale_hours):
        return False
    return windows.next_allowed(max(at, now), allowed, zone) > now
