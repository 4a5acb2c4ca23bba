"""What a person says of a series, checked: every field with its rule, Invalid names the field."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from campaign import recurrence
from campaign.events import questions
from campaign.events.models import FORM_NAMES, LARGEST_PARTY, ONLINE, EventSeries
from campaign.models import THEME_NAMES
from core.errors import Invalid
from core.i18n import mark

CODE = re.compile(r"[a-z0-9][a-z0-9-]{1,59}")
TAKEN = frozenset({"calendar", "new"})
TEXTS = {
    "name": 120, "name_en": 200, "summary": 500, "summary_en": 900, "host": 60, "host_en": 90, "place": 120,
    "campaign_code": 60,
}  # fmt: skip
NUMBERS = {
    "minutes": (15, 720), "capacity": (0, 100_000), "party_most": (1, LARGEST_PARTY), "opens_days": (0, 180),
    "closes_minutes": (0, 10_080), "offer_hours": (1, 240),
}  # fmt: skip
FLAGS = ("on_holidays", "approval", "waiting", "visible")
LABELS = {
    "name": mark("名称"), "name_en": mark("名称（英文）"), "outlet_code": mark("归属"), "summary": mark("一段话"),
    "summary_en": mark("一段话（英文）"), "theme": mark("主题色"), "campaign_code": mark("所属活动期"),
    "form": mark("怎样参加"), "rule": mark("重复"), "first_on": mark("从哪天起"), "last_on": mark("到哪天止"),
    "starts_at": mark("几点开始"), "minutes": mark("时长（分钟）"), "on_holidays": mark("节假日照办"),
    "host": mark("主讲"), "host_en": mark("主讲（英文）"), "place": mark("具体地点"), "live_url": mark("直播链接"),
    "capacity": mark("名额"), "party_most": mark("一次最多几人"), "opens_days": mark("提前几天开放报名"),
    "closes_minutes": mark("开始前几分钟截止"), "approval": mark("报名要审核"), "waiting": mark("满了可候补"),
    "offer_hours": mark("候补确认时限（小时）"), "questions": mark("要问的问题"), "visible": mark("在网站上显示"),
}  # fmt: skip


def checked(values: Mapping[str, str], before: EventSeries | None = None) -> dict[str, Any]:
    """The columns of a series that the form says: texts as typed, flags "1" or empty."""
    found: dict[str, Any] = {name: text(values.get(name, ""), name, most) for name, most in TEXTS.items()}
    if not found["name"]:
        raise Invalid(mark("请填写名称。"), field="name")
    found |= {name: values.get(name, "") == "1" for name in FLAGS}
    found |= {name: number(values.get(name, ""), name, *span) for name, span in NUMBERS.items()}
    found["theme"] = _one_of(values.get("theme", "plain"), THEME_NAMES, "theme")
    found["form"] = _one_of(values.get("form", ""), FORM_NAMES, "form")
    found["live_url"] = web_address(values.get("live_url", ""), "live_url")
    found["starts_minute"] = minute(values.get("starts_at", ""), "starts_at")
    found["first_on"] = day(values.get("first_on", ""), "first_on")
    found["last_on"] = day(values["last_on"], "last_on") if values.get("last_on", "").strip() else None
    found["rule"] = recurrence.check_rule(values.get("rule", ""))
    found["questions"] = questions.read(values.get("questions", ""), before.questions if before else ())
    if found["last_on"] and found["last_on"] < found["first_on"]:
        raise Invalid(mark("结束的日子不能早于开始的日子。"), field="last_on")
    if found["form"] == ONLINE and found["place"]:
        raise Invalid(mark("线上活动没有地点，请把地点留空。"), field="place")
    return found


def shown(series: EventSeries) -> dict[str, Any]:
    """A series as its form shows it, for the form and for telling two versions apart."""
    names = (
        *TEXTS,
        *NUMBERS,
        *FLAGS,
        "outlet_code",
        "theme",
        "form",
        "live_url",
        "rule",
        "first_on",
        "last_on",
    )
    found = {name: getattr(series, name) for name in names}
    found["starts_at"] = clock_time(series.starts_minute)
    found["questions"] = questions.written(series.questions)
    return found


def clock_time(minute_of_day: int) -> str:
    """09:30 for 570."""
    return f"{minute_of_day // 60:02}:{minute_of_day % 60:02}"


def text(value: str, field: str, most: int) -> str:
    """A text of one paragraph or several, trimmed; Invalid when it is too long or holds control characters."""
    plain = value.replace("\r\n", "\n").strip()
    if len(plain) > most:
        raise Invalid(
            mark("这里最多 %(most)s 个字，现在有 %(count)s 个。"), field=field, most=most, count=len(plain)
        )
    if not plain.replace("\n", "").isprintable():
        raise Invalid(mark("含有看不见的控制字符，请删去。"), field=field)
    return plain


def number(value: str, field: str, least: int, most: int) -> int:
    """A whole number in a span."""
    plain = value.strip()
    if not (plain.isascii() and plain.isdecimal()) or not least <= int(plain) <= most:
        raise Invalid(mark("请填 %(least)s 到 %(most)s 之间的整数。"), field=field, least=least, most=most)
    return int(plain)


def minute(value: str, field: str) -> int:
    """The minute of the day that a time such as 09:30 says."""
    found = re.fullmatch(r"(\d{1,2})[:：](\d{2})(?::00)?", value.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise Invalid(mark("请填时间，例如 09:30。"), field=field)
    return int(found[1]) * 60 + int(found[2])


def day(value: str, field: str) -> date:
    """A day such as 2026-12-01."""
    try:
        return date.fromisoformat(value.strip().replace("/", "-"))
    except ValueError as error:
        raise Invalid(mark("请填日期，例如 2026-12-01。"), field=field) from error


def web_address(value: str, field: str) -> str:
    """An https address, or empty."""
    plain = value.strip()
    parts = urlsplit(plain)
    good = parts.scheme in ("https", "http") and parts.hostname and len(plain) <= 300 and plain.isprintable()
    if plain and (not good or " " in plain):
        raise Invalid(mark("请填完整的网址，以 https:// 开头。"), field=field)
    return plain


def _one_of(value: str, known: Mapping[str, str], field: str) -> str:
    if value not in known:
        raise Invalid(mark("请从列表里选一项。"), field=field)
    return value
