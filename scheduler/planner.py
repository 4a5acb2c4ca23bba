"""Fires due plans: each firing becomes one push, cut into batches of rows in the outbox a little ahead of sending."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import bindparam, update
from sqlmodel import Session, col, select

from campaign.recurrence import moments
from core.database import Database, Prepared, UtcDateTime
from core.i18n import mark
from institution import audit
from scheduler import failover, followups, reaching, rules, starting, windows
from scheduler.cutting import AHEAD, PAGE, UNCUT, count, cut
from scheduler.models import Plan, PlanState, Push, PushState
from scheduler.windows import Rules

log = structlog.get_logger()

_MOST_MISSED = 400
_AHEAD = 100_000
_DUE = Prepared(
    select(col(Plan.id)).where(
        Plan.state == PlanState.active,
        col(Plan.follows_id).is_(None),
        col(Plan.next_due_at) <= bindparam("now", type_=UtcDateTime),
    )
)


@dataclass(frozen=True, slots=True)
class Planner:
    """The planner's look at the plans; `batch_sizes` gives recipients per batch by channel, `country` whose public
    holidays are days off, `ahead` how many recipients of a push may stand in batches that are not sent yet, `page` how many are cut in a
    transaction, `call_sizes` how many go in a call of a channel."""

    database: Database
    zone: ZoneInfo
    batch_sizes: dict[str, int]
    country: str = ""
    ahead: int = _AHEAD
    page: int = PAGE
    call_sizes: Mapping[str, int] = field(default_factory=dict)

    def tick(self, now: datetime) -> int:
        """Fire what is due and cut what is not cut yet; returns how many pushes were cut."""
        for (plan_id,) in self.database.ask(_DUE, {"now": now}):
            self._alone(partial(fire, plan_id=plan_id, zone=self.zone, now=now, country=self.country))
        waiting = followups.ready(self.database, zone=self.zone, country=self.country, now=now)
        for plan_id, push_id in waiting:
            follow = partial(fire_after, plan_id=plan_id, push_id=push_id, zone=self.zone, now=now)
            self._alone(partial(follow, country=self.country))
        return sum(self._cut(push_id, now) for (push_id,) in self.database.ask(UNCUT, {}))

    def _cut(self, push_id: int, now: datetime) -> bool:
        """Cut a push until enough of it waits to be sent."""
        with self.database.reading() as session:  # counted outside of any transaction that writes
            counted = count(session, push_id)
        done = False
        while self.database.ask(AHEAD, {"push": push_id})[0][0] < self.ahead and self._alone(
            partial(
                cut,
                push_id=push_id,
                batch_sizes=self.batch_sizes,
                now=now,
                page=self.page,
                figures=counted,
                call_sizes=self.call_sizes,
            )
        ):
            done = True
        return done

    def _alone(self, act: Callable[[Session], object]) -> object:
        """Do one thing in a transaction of its own: a plan that cannot be fired holds up no other."""
        try:
            with self.database.transaction() as session:
                return act(session)
        except Exception:
            log.exception("a plan could not be carried out; it is tried again")
            return None


def fire(session: Session, plan_id: int, *, zone: ZoneInfo, now: datetime, country: str = "") -> list[Push]:
    """Turn the due moments of a plan into pushes; empty when another planner was faster.

    Of several missed moments only the last may still go out, the others are kept as skipped. A last one
    that is overtaken by more than the plan allows waits for a person instead of going out late. A plan that
    nobody approved as it is now is paused with the reason: nothing goes out unseen by a second person.
    """
    plan = session.get(Plan, plan_id, populate_existing=True)
    if plan is None or plan.next_due_at is None or plan.state != PlanState.active:
        return []
    if not starting.approved(session, plan):
        _stop(session, plan, now)
        return []
    first = plan.next_due_at
    allowed = rules.of(session, plan, country)
    if later_on := _held_until(plan, first, allowed, zone, now):
        _advance(session, plan, first, later_on, now)
        return []
    later = islice(moments(plan.first_at, plan.rule, zone, first), _MOST_MISSED) if plan.rule else iter(())
    due, following = [first], None
    for moment in later:
        if moment > now:
            following = moment
            break
        due.append(moment)
    if not _advance(session, plan, first, following, now):
        return []
    pushes = [
        push_of(plan, moment, PushState.skipped, mark("错过了时间，由后一次代替。"), now)
        for moment in due[:-1]
    ]
    pushes.append(_last(plan, due[-1], now, off=windows.dropped(due[-1], allowed, zone)))
    for push in pushes:
        reaching.freeze(session, plan, push).target = starting.line(session, plan)
    session.add_all(pushes)
    session.flush()
    failover.prepare(session, plan, pushes)
    return pushes


def fire_after(
    session: Session, plan_id: int, push_id: int, *, zone: ZoneInfo, now: datetime, country: str = ""
) -> Push | None:
    """Answer a push with a plan that follows it, unless it was answered: of two planners the second waits for the
    plan's row and finds it done."""
    plan = session.get(Plan, plan_id, populate_existing=True, with_for_update=True)
    if plan is None or plan.state != PlanState.active or followups.answered(session, plan_id, push_id):
        return None
    if not starting.approved(session, plan):
        _stop(session, plan, now)
        return None
    at = followups.due(plan.first_at, plan.follows_days, session.get_one(Push, push_id).due_at, zone)
    off = windows.dropped(at, rules.of(session, plan, country), zone)
    push = _last(plan, followups.free_moment(session, plan_id, at), now, off=off)
    push.after_id = push_id
    reaching.freeze(session, plan, push).target = starting.line(session, plan)
    session.add(push)
    session.flush()
    followups.end_if_over(session, plan, now)
    return push


def _held_until(
    plan: Plan, due_at: datetime, allowed: Rules, zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The moment for which a plan waits because it is not the hour yet; what is overtaken is for a person to decide."""
    if windows.dropped(due_at, allowed, zone) or _overtaken(plan, due_at, now):
        return None
    at = windows.next_allowed(max(due_at, now), allowed, zone)
    return at if at > now else None


def _overtaken(plan: Plan, due_at: datetime, now: datetime) -> bool:
    return now - due_at > timedelta(hours=plan.stale_hours)


def _stop(session: Session, plan: Plan, now: datetime) -> None:
    reason = mark("计划或渠道账号在批准之后改过，没有发送。请重新提交审批。")
    if starting.stop(session, plan.id or 0, reason, now):
        audit.record(
            session, "plan.stop", "plan", plan.id, before={"state": PlanState.active},
            after={"state": PlanState.paused}, outlet_code=plan.outlet_code,
        )  # fmt: skip


def _advance(session: Session, plan: Plan, old: datetime, new: datetime | None, now: datetime) -> bool:
    """Move the plan on, if nobody did: the guard against two planners firing one moment."""
    statement = (
        update(Plan)
        .where(col(Plan.id) == plan.id, col(Plan.next_due_at) == old, col(Plan.state) == PlanState.active)
        .values(next_due_at=new, state=PlanState.active if new else PlanState.ended, updated_at=now)
    )
    return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def _last(plan: Plan, due_at: datetime, now: datetime, *, off: bool) -> Push:
    if off:
        return push_of(plan, due_at, PushState.skipped, mark("周末或节假日，按计划不发。"), now)
    if _overtaken(plan, due_at, now):
        return push_of(plan, due_at, PushState.overtaken, mark("超过了允许的延迟，请决定是否仍要发送。"), now)
    return push_of(plan, due_at, PushState.cutting, "", now)


def push_of(plan: Plan, due_at: datetime, state: PushState, reason: str, now: datetime) -> Push:
    """A firing of a plan, with a copy of what it says now; not kept yet."""
    return Push(
        plan_id=plan.id or 0,
        due_at=due_at,
        state=state,
        reason=reason,
        piece_key=plan.piece_key,
        subject=plan.subject,
        body=plan.body,
        summary=plan.summary,
        template=plan.template,
        parameters=plan.parameters,
        list_id=plan.list_id,
        channel=plan.channel,
        outlet_code=plan.outlet_code,
        account_id=plan.account_id,
        campaign=plan.campaign,
        created_at=now,
    )
