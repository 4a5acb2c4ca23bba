"""When something is due: one moment, or an RRULE (RFC 5545) on the institution's clock.

The rule is worked out in local time without zone and only then placed on the time line, so that 09:00
stays 09:00 when a zone changes its offset. A local time that is skipped (spring) falls on the moment an
hour later by the clock; one that comes twice (autumn) fires the first time only.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from core.errors import Invalid
from core.i18n import gettext, mark

_PARTS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
_FREQUENCIES = {"DAILY", "WEEKLY", "MONTHLY", "YEARLY"}
LOCAL = "%Y-%m-%dT%H:%M"
# What the form offers; anything else is written as a rule.
PRESETS = {
    "": mark("只发一次"),
    "FREQ=DAILY": mark("每天"),
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": mark("每个工作日（周一至周五）"),
    "FREQ=WEEKLY": mark("每周同一天"),
    "FREQ=MONTHLY": mark("每月同一天"),
    "FREQ=YEARLY": mark("每年同一天"),
}


_DAYS = {
    "MO": mark("周一"), "TU": mark("周二"), "WE": mark("周三"), "TH": mark("周四"), "FR": mark("周五"),
    "SA": mark("周六"), "SU": mark("周日"),
}  # fmt: skip
_WEEKDAY = re.compile(r"FREQ=WEEKLY;BYDAY=((?:MO|TU|WE|TH|FR|SA|SU)(?:,(?:MO|TU|WE|TH|FR|SA|SU))*)")
_NTH_WEEKDAY = re.compile(r"FREQ=MONTHLY;BYDAY=([1-5])(MO|TU|WE|TH|FR|SA|SU)((?:,[1-5]\2)*)")
_MONTH_DAY = re.compile(r"FREQ=MONTHLY;BYMONTHDAY=(\d{1,2})")


def in_words(rule: str) -> str:
    """How often a rule fires, as people say it; a rule without simple words stays as it is."""
    if rule in PRESETS:
        return gettext(PRESETS[rule])
    if found := _WEEKDAY.fullmatch(rule):
        days = gettext("、").join(gettext(_DAYS[day]) for day in found[1].split(","))
        return gettext("每%(days)s") % {"days": days}
    if found := _NTH_WEEKDAY.fullmatch(rule):
        numbers = gettext("、").join([found[1], *(one[0] for one in found[3].split(",") if one)])
        return gettext("每月第 %(number)s 个%(day)s") % {"number": numbers, "day": gettext(_DAYS[found[2]])}
    if found := _MONTH_DAY.fullmatch(rule):
        return gettext("每月 %(number)s 日") % {"number": found[1]}
    return rule


def parse_local(text: str) -> datetime:
    """A local time without zone, as a form sends it (2026-09-15T09:00); Invalid otherwise."""
    try:
        at = datetime.fromisoformat(text.strip().replace(" ", "T"))
    except ValueError as error:
        raise Invalid(mark("请填写开始的日期和时间，例如 2026-09-15 09:00。"), field="first_at") from error
    if at.tzinfo is not None:
        raise Invalid(mark("请填写开始的日期和时间，例如 2026-09-15 09:00。"), field="first_at")
    return at.replace(second=0, microsecond=0)


def check_rule(text: str) -> str:
    """The rule in its normal spelling; Invalid when it is no RRULE or fires more often than daily."""
    rule = re.sub(r"\s+", "", text).upper().removeprefix("RRULE:").rstrip(";")
    if not rule:
        return ""
    parts = dict(part.partition("=")[::2] for part in rule.split(";"))
    if set(parts) - _PARTS or parts.get("FREQ") not in _FREQUENCIES or len(rule) > 200:
        raise Invalid(mark("重复规则须是 RRULE，最密每天一次，例如 FREQ=WEEKLY;BYDAY=TU。"), field="rule")
    try:
        _rule(rule, datetime.fromisoformat("2026-01-01T09:00"))
    except (ValueError, TypeError, KeyError) as error:
        raise Invalid(
            mark("重复规则须是 RRULE，最密每天一次，例如 FREQ=WEEKLY;BYDAY=TU。"), field="rule"
        ) from error
    return rule


def next_due(first_at: str, rule: str, zone: ZoneInfo, after: datetime) -> datetime | None:
    """The first moment (UTC) later than `after` at which a plan is due; None when there is none."""
    return next(moments(first_at, rule, zone, after), None)


def upcoming(first_at: str, rule: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """The next `count` moments, for the form's preview."""
    return list(islice(moments(first_at, rule, zone, after), count))


def moments(first_at: str, rule: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """All moments (UTC) later than `after`, rising."""
    first = parse_local(first_at)
    local_after = after.astimezone(zone).replace(tzinfo=None)
    # A day earlier than asked: the offset at `after` and at the moment may differ.
    since = local_after - timedelta(days=1)
    locals_: Iterator[datetime] = _rule(rule, first).xafter(since) if rule else iter([first])
    for local in locals_:
        at = local.replace(tzinfo=zone).astimezone(UTC)
        if at > after:
            yield at


def days(first: date, rule: str, since: date, until: date) -> list[date]:
    """The local days from `since` to `until` that a rule means which begins on `first`; rising."""
    if not rule:
        return [first] if since <= first <= until else []
    begin, end = (datetime.combine(day, time()) for day in (since, until))
    return [one.date() for one in _rule(rule, datetime.combine(first, time())).between(begin, end, inc=True)]


def _rule(rule: str, first: datetime) -> rrule:
    made = rrulestr(f"RRULE:{_local_until(rule)}", dtstart=first)
    if not isinstance(made, rrule):
        raise ValueError("a set of rules")
    return made


def _local_until(rule: str) -> str:
    """UNTIL as local time: with a date alone the whole last day counts, a trailing Z is dropped."""
    found = re.search(r"UNTIL=(\d{8})(T\d{6})?Z?", rule)
    if found is None:
        return rule
    return rule.replace(found[0], f"UNTIL={found[1]}{found[2] or 'T235959'}")
