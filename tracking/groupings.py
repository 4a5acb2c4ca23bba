"""What reach can be grouped by: places of the tree, keys of the events, times; and how the store says each.

Times are said of an expression for the day, which a base has shifted to the day it is compared with.
"""

from collections.abc import Iterable
from datetime import timedelta

from core.errors import Invalid
from core.i18n import mark
from tracking.periods import Period

OUTLET, BRANCH, PROVINCE, CITY, COUNTY = "outlet", "branch", "province", "city", "county"
CHANNEL, PIECE, CAMPAIGN, KIND, AUDIENCE, PLACE = (
    "channel", "piece", "campaign", "kind", "audience", "place",
)  # fmt: skip
YEAR, QUARTER, MONTH, WEEK, DAY, HOUR = "year", "quarter", "month", "week", "day", "hour"

LEVELS = (PROVINCE, CITY, COUNTY)
BRANCHES = (BRANCH, *LEVELS)
TREE = (*BRANCHES, OUTLET)
KEYS = (CHANNEL, PIECE, CAMPAIGN, KIND, AUDIENCE, PLACE)
TIMES = (YEAR, QUARTER, MONTH, WEEK, DAY, HOUR)
# Those that a month is not too long for.
MONTHLY = (YEAR, QUARTER, MONTH)
BYS = (*TREE, *KEYS, *TIMES)
BY_NAMES = {
    BRANCH: mark("机构"),
    PROVINCE: mark("省级机构"),
    CITY: mark("市级机构"),
    COUNTY: mark("县级机构"),
    OUTLET: mark("网点"),
    CHANNEL: mark("渠道"),
    PIECE: mark("内容"),
    CAMPAIGN: mark("活动期"),
    KIND: mark("事件类别"),
    AUDIENCE: mark("人群"),
    PLACE: mark("场所"),
    YEAR: mark("年份"),
    QUARTER: mark("季度"),
    MONTH: mark("月份"),
    WEEK: mark("星期"),
    DAY: mark("日期"),
    HOUR: mark("时段"),
}
# Hours are in no roll-up: a day is the smallest thing that is closed.
LONGEST_BY_HOUR = 62
_FORMATS = {YEAR: "%Y", MONTH: "%Y-%m", WEEK: "%G-W%V", DAY: "%Y-%m-%d"}


def checked(by: Iterable[str]) -> tuple[str, ...]:
    """One or two different groupings, at most one of the tree; Invalid names what is wrong."""
    found = tuple(by)
    for one in found:
        if one not in BYS:
            raise Invalid(mark("不能按“%(by)s”分组，请从列出的维度里选。"), field="by", by=one)
    if not 1 <= len(found) <= 2 or len(set(found)) < len(found):
        raise Invalid(mark("请选一个或两个不同的维度来分组。"), field="by")
    if len([one for one in found if one in TREE]) > 1:
        raise Invalid(mark("两个维度里只能有一个是机构或网点。"), field="by")
    return found


def moment(by: str, day: str, zone: str) -> str:
    """The key of a time: of the day expression, or of the column `at` in the institution's zone."""
    if by == HOUR:
        return f"formatDateTime(at, '%H', '{zone}')"
    if by == QUARTER:
        return f"concat(toString(toYear({day})), '-Q', toString(toQuarter({day})))"
    return f"formatDateTime({day}, '{_FORMATS[by]}')"


def moments(by: str, period: Period) -> list[str]:
    """Every key that a time has in a period, in order: one without reach is a row of zeros, not a gap."""
    if by == HOUR:
        return [f"{hour:02d}" for hour in range(24)]
    days = (period.first + timedelta(number) for number in range(period.days))
    if by == QUARTER:
        return list(dict.fromkeys(f"{day.year:04d}-Q{(day.month + 2) // 3}" for day in days))
    if by == WEEK:
        return list(dict.fromkeys(f"{at.year:04d}-W{at.week:02d}" for at in (d.isocalendar() for d in days)))
    return list(dict.fromkeys(day.isoformat()[: {YEAR: 4, MONTH: 7, DAY: 10}[by]] for day in days))
