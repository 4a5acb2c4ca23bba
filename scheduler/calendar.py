"""The send calendar: each moment at which a plan of a part of the tree will go out, as the rules move it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import islice, takewhile
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaign.recurrence import moments
from scheduler import followups, quota_plan, rules, windows
from scheduler.models import ChannelAccount, Plan, PlanApproval, PlanState, Push
from scheduler.quota_plan import Conflict, Going, Quota, Span
from scheduler.windows import Rules

_LIVE = (PlanState.active, PlanState.draft, PlanState.paused)
_MOST = 400
_EARLIER = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Sending:
    """A plan going out at a moment; `certain`: it is running, so that it will."""

    going: Going
    plan: Plan
    certain: bool


@dataclass(frozen=True, slots=True)
class When:
    """Which span of the institution's clock is asked for (open at both ends), and what it says now."""

    zone: ZoneInfo
    now: datetime
    since: datetime
    until: datetime


def sendings(
    session: Session, condition: ColumnElement[bool], first: date, last: date, *, zone: ZoneInfo, country: str,
    now: datetime,
) -> list[Sending]:  # fmt: skip
    """All that is to go out from the first to the last day, in the order of time.

    Plans that run, and those that wait for approval or were approved: what is planned around them must fit them too.
    """
    query = select(Plan).where(condition, col(Plan.state).in_(_LIVE))
    lines = {row.id: _line(row) for row in session.exec(select(ChannelAccount))}
    since = max(datetime.combine(first, time(), zone), now) - timedelta(microseconds=1)
    until = datetime.combine(last + timedelta(days=1), time(), zone)
    when = When(zone, now, since, until)
    found = [
        Sending(Going(at, lines.get(plan.account_id, plan.channel), plan.account_id, _audience(session, plan), plan.id or 0,
                      plan.name), plan, plan.state == PlanState.active)
        for plan in session.exec(query)
        if _counts(plan)
        for at in moments_of(session, plan, rules.of(session, plan, country), when)
    ]  # fmt: skip
    return sorted(found, key=lambda one: (one.going.at, one.plan.id or 0))


def quotas(session: Session) -> dict[str, Sequence[Quota]]:
    """What platforms take, and what the institution allows a person to get."""
    found: dict[str, Sequence[Quota]] = dict(quota_plan.QUOTAS)
    for name, allowed in rules.every(session).items():
        if allowed.most:
            own = Quota(allowed.most, Span.rolling, each=True, days=allowed.days)
            found[name] = (*found.get(name, ()), own)
    return found


def conflicts(session: Session, found: Sequence[Sending], zone: ZoneInfo) -> list[Conflict]:
    """What of it is one too many."""
    return quota_plan.conflicts([one.going for one in found], quotas(session), zone)


def by_day(found: Sequence[Sending], zone: ZoneInfo) -> Mapping[date, list[Sending]]:
    """What goes out on each local day."""
    days: dict[date, list[Sending]] = {}
    for one in found:
        days.setdefault(one.going.at.astimezone(zone).date(), []).append(one)
    return days


def _line(account: ChannelAccount) -> str:
    """The quotas of an account: of WeChat they differ by the kind of account."""
    kind = account.options.get("kind", "")
    return f"{account.channel}:{kind}" if account.channel == "wechat" and kind else account.channel


def _counts(plan: Plan) -> bool:
    """Whether a plan takes a place: it runs, waits for approval, was approved; or it is a booster, whose place is kept
    from the day it is drafted."""
    asked = plan.approval in (PlanApproval.asked, PlanApproval.approved)
    return plan.state == PlanState.active or asked or plan.after_id is not None


def _audience(session: Session, plan: Plan | Push | None) -> str | int | None:
    """Whose quota it uses: of a follow-up that of the people it follows, who had the first message already. Two lists
    may share people; that only the push itself can tell, by the caps."""
    if isinstance(plan, Plan) and plan.follows_id is not None:
        *_between, root = followups.chain(session, plan.id)
        source = session.get(Plan, root)
        return _audience(session, source) if source is not plan else None
    if plan is not None and plan.after_id is not None:
        return _audience(session, session.get(Push, plan.after_id))
    if plan is not None and plan.segment_id is not None:
        return f"segment {plan.segment_id}"
    return plan.list_id if plan is not None else None


def _meant(session: Session, plan: Plan, begin: datetime, when: When) -> Iterator[datetime]:
    """The moments that a plan means, rising, from about `begin` on."""
    if plan.follows_id is not None:
        source = session.get(Plan, plan.follows_id)
        coming = (
            _meant(session, source, begin - timedelta(days=plan.follows_days), when) if source else iter(())
        )
        yield from followups.moments(session, plan, coming, when.zone, when.now)
    elif plan.next_due_at is not None:
        yield plan.next_due_at
        if plan.rule:
            yield from moments(plan.first_at, plan.rule, when.zone, plan.next_due_at)
    elif plan.state != PlanState.ended:
        yield from moments(plan.first_at, plan.rule, when.zone, begin)


def moments_of(session: Session, plan: Plan, allowed: Rules, when: When) -> list[datetime]:
    """The moments of a plan, moved to where they are allowed; what is meant for days before may be moved into them."""
    meant = _meant(session, plan, when.since - _EARLIER, when)
    moved = [
        windows.next_allowed(at, allowed, when.zone)
        for at in takewhile(lambda at: at < when.until, islice(meant, _MOST))
        if not windows.dropped(at, allowed, when.zone)
    ]
    return [at for at in dict.fromkeys(moved) if when.since < at < when.until]
