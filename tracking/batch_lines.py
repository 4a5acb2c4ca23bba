"""The lines of a batch: JSON objects of programs, each checked field by field; a fault names line, field and rule.

Reads only: what comes out is what was said, not yet events. Nothing here knows tokens or the tree of outlets.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from core.i18n import mark
from tracking.events import KINDS

MOST_LINES = 500
MOST_BYTES = 512 * 1024
OLDEST, NEWEST = timedelta(hours=48), timedelta(minutes=5)  # before and after the server's clock
MOST_QUANTITY = 100_000  # of one line: a screen that counted a hall for a day is far below
_CODE = re.compile(r"[\w.-]{1,60}", re.ASCII)
_SHORT = re.compile(r"[a-z0-9_-]{1,32}", re.ASCII)
_ID = re.compile(r"[!-~]{1,64}", re.ASCII)
_VISITOR = 200  # characters of a client's own id
_TOKEN = 300

RULES = {
    "json": mark("这一行不是一个 JSON 对象"),
    "unknown": mark("没有这个字段"),
    "missing": mark("缺少这个字段"),
    "kind": mark("没有这种触达类型"),
    "time": mark("要写成带时区的 ISO 时间，如 2026-09-15T14:30:00+08:00"),
    "too_old": mark("早于 48 小时之前，请改用导入"),
    "in_future": mark("晚于服务器时间 5 分钟以上，请校准时钟"),
    "quantity": mark("要写成 1 到 100000 的整数"),
    "not_one": mark("写了访客就只能是 1"),
    "text": mark("只能用字母、数字、点、横线和下划线，长度有限"),
    "visitor": mark("要写成 1 到 200 个字符的文本"),
    "both": mark("写了签名的来源标识，就不要再写活动期、网点和渠道"),
    "twice": mark("这一批里已经有这个编号"),
    "no_outlet": mark("没有这个网点"),
    "outside": mark("这个网点不在令牌的范围内"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a line: its number from 1, the field ("" for the whole line), a key of RULES."""

    line: int
    field: str
    rule: str


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says. `attribution` is a signed token, not yet read."""

    number: int
    kind: str
    at: datetime
    id: str = ""
    quantity: int = 1
    visitor: str = ""
    campaign: str = ""
    piece: str = ""
    outlet: str = ""
    channel: str = ""
    audience: str = ""
    place: str = ""
    attribution: str = ""


class TooMany(ValueError):
    """More lines than a batch may have."""


def read(body: bytes, now: datetime, oldest: timedelta = OLDEST) -> tuple[list[Line], list[Fault]]:
    """The lines of a body, and what is wrong with any of them. TooMany; empty lines are passed over."""
    texts = [(number, text) for number, text in enumerate(body.split(b"\n"), 1) if text.strip()]
    if len(texts) > MOST_LINES:
        raise TooMany
    lines: list[Line] = []
    faults: list[Fault] = []
    known: set[str] = set()
    for number, text in texts:
        said = _object(text)
        found = [Fault(number, "", "json")] if said is None else list(_faults(number, said, now, oldest))
        if said is not None and not found:
            line = _line(number, said)
            if line.id and line.id in known:
                found = [Fault(number, "id", "twice")]
            known.add(line.id)
            lines.append(line)
        faults += found
    return lines, faults


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        said = json.loads(text.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _refuse(_constant: str) -> None:
    raise ValueError("NaN and Infinity are not JSON")


def _line(number: int, said: Mapping[str, Any]) -> Line:
    rest = {name: value for name, value in said.items() if name != "at"}
    return Line(number=number, at=datetime.fromisoformat(said["at"]), **rest)


def _faults(number: int, said: Mapping[str, Any], now: datetime, oldest: timedelta) -> list[Fault]:
    """Every rule that the object breaks, field by field."""
    found = [(name, "unknown") for name in said if name not in _FIELDS]
    found += [(name, "missing") for name in ("kind", "at") if name not in said]
    found += [(name, rule) for name, value in said.items() if (rule := _broken(name, value))]
    if not found:
        found = [*_late(said, now, oldest), *_clashes(said)]
    return [Fault(number, name[:60], rule) for name, rule in found]


def _broken(name: str, value: Any) -> str:
    """The rule that the value of a field breaks, or ""."""
    rule, fits = _FIELDS.get(name, ("", lambda _value: True))
    return "" if fits(value) else rule


def _late(said: Mapping[str, Any], now: datetime, oldest: timedelta) -> list[tuple[str, str]]:
    age = now - datetime.fromisoformat(said["at"])
    if age > oldest:
        return [("at", "too_old")]
    return [("at", "in_future")] if age < -NEWEST else []


def _clashes(said: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    if "visitor" in said and said.get("quantity", 1) != 1:
        found.append(("quantity", "not_one"))
    if "attribution" in said and not said.keys().isdisjoint(("campaign", "outlet", "channel")):
        found.append(("attribution", "both"))
    return found


def _is_time(value: Any) -> bool:
    if not isinstance(value, str) or len(value) > 40 or "T" not in value:
        return False
    try:
        at = datetime.fromisoformat(value)
        return at.utcoffset() is not None and 2020 <= at.year <= 2098
    except ValueError:
        return False


def _is_count(value: Any) -> bool:
    return type(value) is int and 1 <= value <= MOST_QUANTITY


def _is_visitor(value: Any) -> bool:
    return isinstance(value, str) and 1 <= len(value) <= _VISITOR


def _matches(shape: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and shape.fullmatch(value) is not None


_FIELDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "kind": ("kind", lambda value: isinstance(value, str) and value in KINDS),
    "at": ("time", _is_time),
    "id": ("text", _matches(_ID)),
    "quantity": ("quantity", _is_count),
    "visitor": ("visitor", _is_visitor),
    "campaign": ("text", _matches(_CODE)),
    "piece": ("text", _matches(_CODE)),
    "outlet": ("text", _matches(re.compile(r"[\w.-]{1,32}", re.ASCII))),
    "channel": ("text", _matches(_SHORT)),
    "audience": ("text", _matches(_SHORT)),
    "place": ("text", _matches(_SHORT)),
    "attribution": ("text", _matches(re.compile(rf"[\w-]{{1,{_TOKEN}}}", re.ASCII))),
}
