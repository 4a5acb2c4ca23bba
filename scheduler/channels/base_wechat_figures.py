"""Reading figures of an official account: the endpoints that live, as plain rows.

`getarticletotal`, `getarticlesummary` and `getuserread` have stopped (developers.weixin.qq.com/doc/service/api/wedata/news).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from core.clock import day_of
from core.i18n import mark
from scheduler.channels.base import DeliveryError
from scheduler.channels.base_wechat import Api

KINDS = ("getarticleread", "getarticleshare", "getbizsummary", "getarticletotaldetail")
_BEIJING = ZoneInfo("Asia/Shanghai")
Row = dict[str, str | int | float]


@dataclass(frozen=True, slots=True)
class Figures:
    """The rows of one day; `delayed`: the platform is not done counting, ask again later."""

    kind: str
    day: date
    rows: list[Row]
    delayed: bool


def figures(api: Api, kind: str, day: date) -> Figures:
    """What the platform counted on a day, yesterday at the latest: a row each article (or each source of readers in it).

    Nested objects become columns such as `detail.read_user`; each element of a nested list becomes a row of its own
    that repeats what stands above it, so the sums of different lists are never mixed: `list` names the one it is of.
    """
    if kind not in KINDS:
        raise ValueError(f"no such figures: {kind}")
    if day >= day_of(api.clock(), _BEIJING):
        raise DeliveryError(mark("公众号的统计只到昨天为止。"), permanent=True)
    text = day.isoformat()
    answer = api.done(f"/datacube/{kind}", {"begin_date": text, "end_date": text})
    found = answer.get("list")
    rows = (
        [row for one in found if isinstance(one, dict) for row in _rows(one)]
        if isinstance(found, list)
        else []
    )
    return Figures(kind, day, rows, bool(answer.get("is_delay", False)))


def yesterday(api: Api) -> date:
    """The last day there are figures of, in the platform's time zone."""
    return day_of(api.clock(), _BEIJING) - timedelta(days=1)


def _rows(one: dict[str, Any]) -> Iterator[Row]:
    plain, lists = _flat(one, "")
    yield {**plain, "list": ""}
    for name, elements in lists:
        for element in elements:
            inner = _flat(element, f"{name}.")[0] if isinstance(element, dict) else {name: element}
            yield {**plain, **inner, "list": name}


def _flat(one: dict[str, Any], before: str) -> tuple[Row, list[tuple[str, list[Any]]]]:
    """The plain values of an object with their path, and its lists."""
    plain: Row = {}
    lists: list[tuple[str, list[Any]]] = []
    for name, value in one.items():
        path = f"{before}{name}"
        if isinstance(value, dict):
            inner, more = _flat(value, f"{path}.")
            plain |= inner
            lists += more
        elif isinstance(value, list):
            lists.append((path, value))
        elif isinstance(value, str | int | float):
            plain[path] = value
    return plain, lists
