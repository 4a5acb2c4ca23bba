"""The quota planner: what is to go out, held against what platforms take; which of it should go when, or which way. Pure.

WeChat service accounts: four messages per follower and calendar month, so that of five Tuesdays one goes another
way; subscription accounts: one a day (mass send, developers.weixin.qq.com). Robots: twenty a minute.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo


class Span(StrEnum):
    """What a quota counts in: a month of the calendar, a day, a minute, or so many days in a row."""

    month = "month"
    day = "day"
    minute = "minute"
    rolling = "rolling"


@dataclass(frozen=True, slots=True)
class Quota:
    """So many in a span. `each`: for every audience on its own, since it counts per follower or number."""

    times: int
    span: Span
    each: bool = False
    days: int = 1


@dataclass(frozen=True, slots=True)
class Going:
    """Something that is to go out: `line` names the quotas that hold (a channel, or a kind of account at it),
    `account` and `audience` (a list or a segment; None a group) whose quota it uses."""

    at: datetime
    line: str
    account: int | None
    audience: str | int | None
    plan_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """One too many. `others` use the quota up before it. `better` is the next moment that is free, None where
    waiting does not help within the month: then it goes another way."""

    going: Going
    quota: Quota
    others: Sequence[Going]
    better: datetime | None


QUOTAS: Mapping[str, tuple[Quota, ...]] = {
    "wechat:service": (Quota(4, Span.month, each=True),),
    "wechat:subscription": (Quota(1, Span.day),),
    "wecom_robot": (Quota(20, Span.minute),),
    "dingtalk_robot": (Quota(20, Span.minute),),
    "feishu_robot": (Quota(100, Span.minute),),
}


_WEEKS = 5
_WEEKLY = re.compile(r"FREQ=WEEKLY;BYDAY=(?P<day>MO|TU|WE|TH|FR|SA|SU)(?P<end>;UNTIL=[0-9TZ]+)?")


def conflicts(
    goings: Iterable[Going], quotas: Mapping[str, Sequence[Quota]], zone: ZoneInfo
) -> list[Conflict]:
    """All that is one too many, in the order of time. What comes first keeps its place."""
    every = sorted(goings, key=lambda one: (one.at, one.plan_id))
    found = [
        conflict
        for line, rules in quotas.items()
        for quota in rules
        for group in _groups([one for one in every if one.line == line], quota)
        for conflict in _over(group, quota, zone)
    ]
    return sorted(found, key=lambda one: (one.going.at, one.going.plan_id))


def _groups(goings: Iterable[Going], quota: Quota) -> Iterator[list[Going]]:
    """Those that share a quota: of an account, and where it counts per person of an audience."""
    found: dict[tuple[int | None, str | int | None], list[Going]] = defaultdict(list)
    for one in goings:
        found[one.account, one.audience if quota.each else None].append(one)
    yield from found.values()


def _over(goings: Sequence[Going], quota: Quota, zone: ZoneInfo) -> Iterator[Conflict]:
    kept: list[Going] = []
    for one in goings:
        before = [other for other in kept if _together(other.at, one.at, quota, zone)]
        if len(before) < quota.times:
            kept.append(one)
        else:
            yield Conflict(one, quota, tuple(before), _better(one.at, goings, quota, zone))


def _together(first: datetime, later: datetime, quota: Quota, zone: ZoneInfo) -> bool:
    """Whether two moments fall into one span."""
    if quota.span == Span.rolling:
        return later - first < timedelta(days=quota.days)
    return _key(first, quota.span, zone) == _key(later, quota.span, zone)


def _key(at: datetime, span: Span, zone: ZoneInfo) -> str:
    local = at.astimezone(zone)
    return local.strftime({Span.month: "%Y-%m", Span.day: "%Y-%m-%d"}.get(span, "%Y-%m-%d %H:%M"))


def _better(at: datetime, goings: Sequence[Going], quota: Quota, zone: ZoneInfo) -> datetime | None:
    """The next free moment, of the same hour where it waits for days; a full month is not waited for."""
    if quota.span == Span.month:
        return None
    for number in range(1, 61):
        moved = at + timedelta(minutes=number) if quota.span == Span.minute else _same_hour(at, zone, number)
        near = [one for one in goings if one.at != at and _near(one.at, moved, quota, zone)]
        if len(near) < quota.times:
            return moved
    return None


def _near(one: datetime, moved: datetime, quota: Quota, zone: ZoneInfo) -> bool:
    early, late = min(one, moved), max(one, moved)
    return _together(early, late, quota, zone)


def _same_hour(at: datetime, zone: ZoneInfo, days: int) -> datetime:
    local = at.astimezone(zone)
    day: date = local.date() + timedelta(days=days)
    return datetime.combine(day, local.timetz().replace(tzinfo=None), zone).astimezone(at.tzinfo)


def split(rule: str, quota: Quota) -> tuple[str, str] | None:
    """A weekly rule that a monthly quota is too small for, as two: so many of the month that fit, and those that are
    one too many (the fifth Tuesday), for another channel. None where it cannot be said so simply.

    RFC 5545: BYDAY=5TU of a monthly rule is the fifth Tuesday of the months that have one.
    """
    found = _WEEKLY.fullmatch(rule)
    if found is None or quota.span != Span.month or not 1 <= quota.times <= _WEEKS - 1:
        return None
    day, end = found["day"], found["end"] or ""
    kept = ",".join(f"{week}{day}" for week in range(1, quota.times + 1))
    rest = ",".join(f"{week}{day}" for week in range(quota.times + 1, _WEEKS + 1))
    return f"FREQ=MONTHLY;BYDAY={kept}{end}", f"FREQ=MONTHLY;BYDAY={rest}{end}"
