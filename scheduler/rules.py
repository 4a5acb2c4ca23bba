"""What the institution allows on each channel: hours, and how often a person is written to. Defaults as data.

08:00 to 22:00 for SMS is the custom of the carriers for promotion; WeCom and Feishu ask not to send on the full and
the half hour (open platform documents of both).
"""

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from sqlalchemy import bindparam
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from campaign.addresses import WEBPUSH
from campaign.events import days
from core.database import Prepared
from core.errors import Invalid
from core.i18n import mark
from institution import audit
from scheduler.channels import registry
from scheduler.channels.base import Look
from scheduler.models import Plan
from scheduler.rule_models import PushRule
from scheduler.windows import DAY, Rules, weekend

_SPREADING = ("wecom_robot", "wecom_app", "feishu_robot")
_LONGEST, _MOST = 366, 1000

audit.declare({"push.rule": mark("修改推送规则")})


@dataclass(frozen=True, slots=True)
class Allowed:
    """From when until when (minutes of the day), and at most how many messages a person gets in so many days; 0: no
    limit."""

    opens: int = 0
    closes: int = DAY
    most: int = 0
    days: int = 0


_ANY, _SMS, _MAIL = Allowed(), Allowed(8 * 60, 22 * 60, 2, 7), Allowed(0, DAY, 7, 7)
_BROWSER = Allowed(0, DAY, 3, 7)  # what the page says before anybody agrees to it


def default(channel: str) -> Allowed:
    """What holds where the institution decided nothing."""
    kind = registry.KINDS.get(channel)
    if kind is None or kind.to_group:
        return _ANY
    if channel == WEBPUSH:
        return _BROWSER
    return {Look.sms: _SMS, Look.mail: _MAIL}.get(kind.look, _ANY)


def allowed(session: Session, channel: str) -> Allowed:
    """What holds on a channel now."""
    session.flush()
    for opens, closes, most, within in _DECIDED.on(session.connection(), {"on": channel}):
        return Allowed(_minutes(opens), _minutes(closes), most, within)
    return default(channel)


_DECIDED = Prepared(  # asked for every call that goes out
    sa_select(col(PushRule.opens), col(PushRule.closes), col(PushRule.most), col(PushRule.days))
    .where(col(PushRule.channel) == bindparam("on"))
)  # fmt: skip


def every(session: Session) -> dict[str, Allowed]:
    """What holds on each channel."""
    kept = {row.channel for row in session.exec(select(PushRule))}
    return {name: allowed(session, name) if name in kept else default(name) for name in registry.KINDS}


def of(session: Session, plan: Plan, country: str) -> Rules:
    """The rules of time of a plan; `country` names whose public holidays are days off. Who names a single day means
    it, so days off matter to plans that repeat."""
    found = allowed(session, plan.channel)
    return Rules(
        opens=found.opens,
        closes=found.closes,
        spreads=plan.channel in _SPREADING,
        off_days=plan.off_days if plan.rule or plan.follows_id else "",
        seed=plan.id or 0,
        off=partial(off, country),
    )


def off(country: str, day: date) -> bool:
    """Whether people are off: a public holiday, or a weekend that is no working day."""
    if days.working_weekends(country, day, day):
        return False
    return weekend(day) or bool(days.holiday(country, day))


def change(
    session: Session, channel: str, *, opens: str, closes: str, most: int, within: int, now: datetime
) -> None:
    """Decide what is allowed on a channel; Invalid with its field for what cannot be."""
    registry.get(channel)
    begin, end = _clock(opens, "opens"), _clock(closes, "closes")
    if begin >= end:
        raise Invalid(mark("结束时间须晚于开始时间；不限时段请填 00:00 到 24:00。"), field="closes")
    if not 0 <= most <= _MOST or not 0 <= within <= _LONGEST or bool(most) != bool(within):
        raise Invalid(mark("每人最多几条、在几天内，都要填；不限就都填 0。"), field="most")
    before = allowed(session, channel)
    row = session.get(PushRule, channel) or PushRule(channel=channel, opens="", closes="", updated_at=now)
    row.opens, row.closes, row.most, row.days, row.updated_at = said(begin), said(end), most, within, now
    session.add(row)
    session.flush()
    audit.record(
        session,
        "push.rule",
        "channel",
        channel,
        before=_words(before),
        after=_words(allowed(session, channel)),
    )


def said(minute: int) -> str:
    """A minute of the day as a clock shows it: 08:00; the end of the day is 24:00."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _words(found: Allowed) -> dict[str, object]:
    return {"opens": said(found.opens), "closes": said(found.closes), "most": found.most, "days": found.days}


def _minutes(text: str) -> int:
    hours, _colon, rest = text.partition(":")
    return int(hours) * 60 + int(rest)


def _clock(text: str, field: str) -> int:
    hours, _colon, rest = text.strip().partition(":")
    good = hours.isdecimal() and rest.isdecimal() and len(hours) <= 2 and len(rest) == 2 and int(rest) < 60
    if not good or int(hours) * 60 + int(rest) > DAY:
        raise Invalid(mark("时间请写成 08:00 这样。"), field=field)
    return int(hours) * 60 + int(rest)
