"""What letters about a registration say: which event, when and where, and the one thing to do next."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from campaign.events.models import EventSeries, Occurrence
from campaign.registration import notices
from campaign.registration.models import Registration
from core.i18n import current_locale, gettext, mark
from institution.models import Outlet

# Subject and first sentence of each kind.
_SAID = {
    notices.REGISTERED: (mark("报名成功：%(event)s"), mark("您的位置留好了，一共 %(size)s 人。")),
    notices.WAITLISTED: (
        mark("您在候补：%(event)s"),
        mark("现在满了。有人取消时，按先后顺序给您留位并写信告诉您。"),
    ),
    notices.OFFERED: (
        mark("有位置了，请确认：%(event)s"),
        mark("给您留了 %(size)s 个位置，请在 %(until)s 前打开下面的链接确认，过时会给下一位。"),
    ),
    notices.LAPSED: (
        mark("候补的位置已过期：%(event)s"),
        mark("确认的时间过了，位置给了下一位。还想来，可以重新报名。"),
    ),
    notices.APPROVED: (
        mark("审核通过：%(event)s"),
        mark("您的报名通过了审核，打开下面的链接看看现在的状态。"),
    ),
    notices.REJECTED: (mark("报名没有通过：%(event)s"), mark("很抱歉，这次没有通过：%(reason)s")),
    notices.MOVED: (
        mark("时间或地点有变化：%(event)s"),
        mark("请按下面新的时间和地点来；来不了，请打开链接取消。"),
    ),
    notices.CALLED_OFF: (mark("活动取消：%(event)s"), mark("很抱歉，这场活动取消了：%(cause)s")),
    notices.TAKEN_OUT: (mark("报名已取消：%(event)s"), mark("网点取消了您的报名：%(reason)s")),
    notices.DAY_BEFORE: (
        mark("明天见：%(event)s"),
        mark("明天就到日子了。来不了请打开链接取消，位置能让给别人。"),
    ),
    notices.TWO_HOURS: (mark("两小时后开始：%(event)s"), mark("马上就要开始了，路上慢一点。")),
    notices.THANKS: (mark("谢谢您来：%(event)s"), mark("三个小问题，点一点就好，帮我们把下一场办得更好。")),
    notices.REPLAY: (mark("回放来了：%(event)s"), mark("想再看一遍，打开下面的链接。")),
    notices.MESSAGE: (mark("关于活动：%(event)s"), mark("%(text)s")),
}


PLACES = (
    "event", "when", "where", "code", "size", "until", "reason", "cause", "link", "path", "phone", "institution",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letter:
    """Subject and text of a letter."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Told:
    """All that a letter may speak of."""

    registration: Registration
    occurrence: Occurrence
    series: EventSeries
    outlet: Outlet | None
    link: str
    zone: ZoneInfo
    institution: str
    hotline: str
    text: str = ""


def when(at: datetime, zone: ZoneInfo) -> str:
    """A moment in words: 9月22日（星期二）09:30; Tuesday, 22 September, 09:30."""
    local = at.astimezone(zone)
    if current_locale() == "en":
        return format_datetime(local, "EEEE, d MMMM y, HH:mm", locale="en")
    return format_datetime(local, "y年M月d日（EEEE）HH:mm", locale="zh")


def where(occurrence: Occurrence, outlet: Outlet | None) -> str:
    """The place in words: an outlet with its address and room, or online."""
    if outlet is None:
        return gettext("线上参加")
    return " ".join(part for part in (outlet.name, outlet.address, occurrence.place) if part)


def values(told: Told) -> dict[str, str]:
    """What can be said of a registration, by the names that templates of short messages use (`PLACES`)."""
    one, occurrence = told.registration, told.occurrence
    return {
        "event": told.series.shown("name"),
        "when": when(occurrence.starts_at, told.zone),
        "where": where(occurrence, told.outlet),
        "code": one.code,
        "size": str(one.size),
        "until": when(one.offer_until, told.zone) if one.offer_until else "",
        "reason": one.reason,
        "cause": occurrence.reason,
        "link": told.link,
        "path": told.link.rpartition("/")[2],
        "phone": _phone(told),
        "institution": told.institution,
    }


def letter(kind: str, told: Told) -> Letter:
    """Subject and text of one kind, in the language in force."""
    one, occurrence = told.registration, told.occurrence
    subject, first = _SAID[kind]
    said = {**values(told), "text": told.text}
    lines = [gettext(first) % said, ""]
    topic = occurrence.shown("topic")
    lines.append(" · ".join(part for part in (told.series.shown("name"), topic) if part))
    if kind not in (notices.THANKS, notices.REPLAY):
        lines.append(gettext("时间：%(when)s") % said)
        lines.append(gettext("地点：%(where)s") % said)
        lines.append(gettext("签到码：%(code)s") % {"code": one.code})
    link = told.link + ("/feedback" if kind == notices.THANKS else "")
    lines += ["", occurrence.replay_url if kind == notices.REPLAY else link, ""]
    lines.append(gettext("有事请打电话：%(phone)s") % said)
    lines.append(told.institution)
    return Letter(gettext(subject) % said, "\n".join(lines))


def _phone(told: Told) -> str:
    return (told.outlet.phone if told.outlet else "") or told.hotline
