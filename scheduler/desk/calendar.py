"""The send calendar at the desk: a month as a grid and as a list, and what does not fit with a proposal."""

import calendar
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import request, url_for
from flask.typing import ResponseReturnValue

from campaign.events import days
from campaign.events.month import first_of, next_month
from campaign.recurrence import LOCAL, in_words, parse_local
from core import clock
from core.http import reading, render, service
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import requires, signed_in
from scheduler import accounts, quota_plan
from scheduler import calendar as sending_calendar
from scheduler.calendar import Sending
from scheduler.channels import registry
from scheduler.channels.base import Look
from scheduler.desk.routes import blueprint
from scheduler.models import Plan
from scheduler.quota_plan import Conflict, Quota, Span

IN_A_DAY = 4
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that goes out, as the calendar shows it."""

    time: str
    name: str
    channel: str
    key: str
    url: str
    certain: bool
    conflict: bool


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the grid."""

    day: date
    inside: bool
    entries: Sequence[Entry]
    more: int
    holiday: str
    works: bool


@dataclass(frozen=True, slots=True)
class Trouble:
    """What does not fit: where, why, and what to do about it."""

    time: str
    name: str
    url: str
    why: str
    proposal: str
    way: str
    way_url: str
    keep: str = ""
    keep_url: str = ""


@dataclass(frozen=True, slots=True)
class CalendarPage:
    """A month of what is to go out."""

    first: date
    today: date
    weeks: Sequence[Sequence[Day]]
    before: str
    after: str
    channel: str
    channels: Sequence[tuple[str, str]]
    troubles: Sequence[Trouble]
    total: int

    @property
    def busy(self) -> list[Day]:
        """The days on which something goes out: the list, and what a phone shows."""
        return [one for week in self.weeks for one in week if one.inside and one.entries]


@blueprint.get("/plans/calendar")
@requires("push.view")
def send_calendar() -> ResponseReturnValue:
    """Everything that is to go out in a month, of one's part of the tree."""
    settings, channel = service(Settings), request.args.get("channel", "")
    today = clock.today(settings.zone)
    first = first_of(request.args.get("month", ""), today)
    grid = calendar.Calendar().monthdatescalendar(first.year, first.month)
    scope = signed_in().scope("push.view")
    with reading() as session:
        found = sending_calendar.sendings(
            session, scope.condition(Plan.outlet_code), grid[0][0], grid[-1][-1], zone=settings.zone,
            country=settings.holidays, now=clock.now(),
        )  # fmt: skip
        wrong = sending_calendar.conflicts(session, found, settings.zone)
        others = _ways([one.channel for one in accounts.usable(session, scope)])
        plans = {one.going.plan_id: one.plan for one in found}
        used = dict.fromkeys(one.plan.channel for one in found)
        shown = [one for one in found if channel in ("", one.plan.channel)]
        troubles = [
            _trouble(one, others, plans.get(one.going.plan_id))
            for one in wrong
            if _inside(one, first) and _is(one, channel)
        ]
    return render(
        "scheduler/calendar.html",
        CalendarPage(
            first=first,
            today=today,
            weeks=[[_day(one, first, shown, wrong) for one in week] for week in grid],
            before=f"{next_month(first, -1):%Y-%m}",
            after=f"{next_month(first):%Y-%m}",
            channel=channel,
            channels=[(name, registry.label(name)) for name in used],
            troubles=troubles,
            total=sum(one.going.at.astimezone(settings.zone).month == first.month for one in shown),
        ),
    )


def _ways(channels: Sequence[str]) -> list[str]:
    """The channels that reach people one by one, those that people read themselves before an interface."""
    found = [name for name in dict.fromkeys(channels) if not registry.to_group(name)]
    return sorted(found, key=lambda name: registry.KINDS[name].look == Look.data)


def _inside(one: Conflict, first: date) -> bool:
    return one.going.at.astimezone(service(Settings).zone).date().replace(day=1) == first


def _is(one: Conflict, channel: str) -> bool:
    return channel in ("", one.going.line.partition(":")[0])


def _day(day: date, first: date, found: Sequence[Sending], wrong: Sequence[Conflict]) -> Day:
    settings, inside = service(Settings), day.month == first.month
    mine = [one for one in found if one.going.at.astimezone(settings.zone).date() == day]
    bad = {(one.going.plan_id, one.going.at) for one in wrong}
    return Day(
        day,
        inside,
        [_entry(one, bad) for one in mine],
        max(0, len(mine) - IN_A_DAY),
        days.holiday(settings.holidays, day) if inside else "",
        bool(days.working_weekends(settings.holidays, day, day)),
    )


def _entry(one: Sending, bad: set[tuple[int, datetime]]) -> Entry:
    return Entry(
        time=f"{one.going.at.astimezone(service(Settings).zone):%H:%M}",
        name=one.plan.name,
        channel=registry.label(one.plan.channel),
        key=one.plan.channel,
        url=url_for(".show", plan_id=one.plan.id),
        certain=one.certain,
        conflict=(one.plan.id or 0, one.going.at) in bad,
    )


def _trouble(one: Conflict, others: Sequence[str], plan: Plan | None) -> Trouble:
    zone, channel = service(Settings).zone, one.going.line.partition(":")[0]
    parts = quota_plan.split(_weekly(plan), one.quota) if plan and one.better is None else None
    way = next((name for name in others if name != channel), "")
    proposal = _("这一期换一个渠道发。")
    if one.better is not None:
        proposal = _("改到 %(time)s。") % {"time": f"{one.better.astimezone(zone):%Y-%m-%d %H:%M}"}
    elif way:
        proposal = _("这一期改用%(channel)s发。") % {"channel": registry.label(way)}
    return Trouble(
        time=f"{one.going.at.astimezone(zone):%Y-%m-%d %H:%M}",
        name=one.going.name,
        url=url_for(".show", plan_id=one.going.plan_id),
        why=_("%(channel)s：%(limit)s，前面已有 %(count)s 次。")
        % {"channel": registry.label(channel), "limit": _limit(one.quota), "count": len(one.others)},
        proposal=proposal,
        way=registry.label(way) if way and one.better is None else "",
        way_url=_way(one, way, parts, zone) if way and one.better is None else "",
        keep=in_words(parts[0]) if parts else "",
        keep_url=url_for(".show", plan_id=one.going.plan_id, rule=parts[0]) if parts else "",
    )


def _way(one: Conflict, channel: str, parts: tuple[str, str] | None, zone: ZoneInfo) -> str:
    """The form of the same plan for another channel: for what is one too many by rule, or for this one moment."""
    at = one.going.at.astimezone(zone).strftime(LOCAL)
    return url_for(".new", like=one.going.plan_id, channel=channel, at=at, rule=parts[1] if parts else "")


def _weekly(plan: Plan) -> str:
    """The rule of a plan with its day said: "every week on the same day" means that of its beginning."""
    if plan.rule != "FREQ=WEEKLY":
        return plan.rule
    return f"{plan.rule};BYDAY={_DAYS[parse_local(plan.first_at).weekday()]}"


def _limit(quota: Quota) -> str:
    """A quota in words."""
    count = {"times": quota.times, "days": quota.days}
    return {
        Span.month: _("每人每月最多 %(times)s 次"),
        Span.day: _("每天最多 %(times)s 次"),
        Span.minute: _("每分钟最多 %(times)s 次"),
        Span.rolling: _("每人 %(days)s 天内最多 %(times)s 次"),
    }[quota.span] % count
