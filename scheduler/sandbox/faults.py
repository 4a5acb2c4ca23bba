"""Faults that a person asks for on the sandbox's page: which kinds there are, and what may be typed."""

from collections.abc import Mapping

from core.errors import Invalid
from core.i18n import mark
from scheduler.sandbox.core import Fault

KINDS = {
    "refused": mark("连接被切断"),
    "silent": mark("没有送达，也不回答（秒）"),
    "after": mark("已经送达，却不回答"),
    "slow": mark("已经送达，过很久才回答（秒）"),
    "broken": mark("回答断在半路"),
    "dribble": mark("回答一点一点地来（秒）"),
    "status": mark("HTTP 状态码"),
    "code": mark("平台的错误码"),
}
TIMES = {1: mark("一次"), 3: mark("三次"), 10: mark("十次"), -1: mark("一直")}
_SECONDS = ("silent", "slow", "dribble")
_LONGEST = 60


def asked(form: Mapping[str, str]) -> list[Fault]:
    """The fault that a form asks for; none when it asks for none any more. Invalid says what is wrong."""
    kind, text = form.get("kind", ""), form.get("value", "").strip()
    if not kind:
        return []
    if kind not in KINDS:
        raise Invalid(mark("请选择一种故障。"), field="kind")
    times = form.get("times", "1")
    if times not in map(str, TIMES):
        raise Invalid(mark("请选择次数。"), field="times")
    return [Fault(kind, _value(kind, text), int(times))]


def _value(kind: str, text: str) -> float | int | str | None:
    if kind in _SECONDS:
        if not (text.isdecimal() and 0 < int(text) <= _LONGEST):
            raise Invalid(mark("请写秒数，1 到 60。"), field="value")
        return float(text)
    if kind == "status":
        if not (text.isdecimal() and 400 <= int(text) <= 599):
            raise Invalid(mark("请写 HTTP 状态码，400 到 599。"), field="value")
        return int(text)
    if kind == "code":
        if not text or len(text) > 80:
            raise Invalid(mark("请写平台的错误码，例如 45009。"), field="value")
        return int(text) if text.lstrip("-").isdecimal() and len(text) < 10 else text
    return None
