"""The send calendar: each moment at which a plan of a part of the tree will go out, as the rules move it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import chain, islice, takewhile
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from campaign.recurrence import moments
from scheduler import quota_plan, rules, windows
from scheduler.models import ChannelAccount, Plan, PlanApproval, PlanState
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
    found = [
        Sending(Going(at, lines.get(plan.account_id, plan.channel), plan.account_id, plan.list_id, plan.id or 0, plan.name),
                plan, plan.state == PlanState.active)
        for plan in session.exec(query)
        if plan.state == PlanState.active or plan.approval in (PlanApproval.asked, PlanApproval.approved)
        for at in _moments(plan, rules.of(session, plan, country), since, until, zone)
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


def _moments(plan: Plan, allowed: Rules, since: datetime, until: datetime, zone: ZoneInfo) -> list[datetime]:
    """The moments of a plan, moved to where they are allowed; what is meant for days before may be moved into them."""
    if plan.next_due_at is not None:
        later = moments(plan.first_at, plan.rule, zone, plan.next_due_at) if plan.rule else iter(())
        meant: Iterator[datetime] = chain([plan.next_due_at], later)
    else:
        meant = moments(plan.first_at, plan.rule, zone, since - _EARLIER)
    moved = [
        windows.next_allowed(at, allowed, zone)
        for at in takewhile(lambda at: at < until, islice(meant, _MOST))
        if not windows.dropped(at, allowed, zone)
    ]
    return [at for at in dict.fromkeys(moved) if since < at < until]
