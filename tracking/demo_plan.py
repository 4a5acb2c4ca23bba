"""The shape of the demo's two years: seasons, outlets that grow and shrink, channels, repeat visits. Pure.

Everything is decided by hashes of names, so the same tree always gets the same two years.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

# Person-times at scale 1: what the first user published for 2023, and 65 % less a year before.
TOTALS = {2022: 174_545_455, 2023: 288_000_000}
# Share of gross that are head counts of activities; and how many activities are held in an outlet a month.
OFFLINE = 0.07
ACTIVITIES = {2022: 0.45, 2023: 0.507}
# Visits (one visitor, day, outlet, channel, piece) per online person-time, and the pool of visitors that
# they are drawn from, per online visit: chosen so that the ratios are those of a plausible year.
VISITS = {2022: 0.843, 2023: 0.804}
POOL = {2022: 0.356, 2023: 0.28}
SLOTS = 16_384
DAY_SLOTS = 4_096

PUSHED = ("wechat", "wecom", "sms", "email", "app")
CHANNELS = {
    2022: {
        "wechat": 34,
        "wecom": 8,
        "sms": 17,
        "email": 4,
        "app": 13,
        "screen": 9,
        "livestream": 4,
        "web": 11,
    },
    2023: {
        "wechat": 33,
        "wecom": 13,
        "sms": 11,
        "email": 3,
        "app": 16,
        "screen": 7,
        "livestream": 8,
        "web": 9,
    },
}


@dataclass(frozen=True, slots=True)
class DemoOutlet:
    """A node that reaches people: its code, its size among all, and when it was open."""

    code: str
    weight: float = 1.0
    open_on: date | None = None
    closed_on: date | None = None


@dataclass(frozen=True, slots=True)
class DemoCampaign:
    """A campaign that comes every year: its key and its first and last (month, day)."""

    key: str
    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    lift: float

    def covers(self, day: date) -> bool:
        """Whether the campaign runs on that day."""
        return self.first <= (day.month, day.day) <= self.last


CAMPAIGNS = (
    DemoCampaign("demo-315", "3·15 消费者权益保护教育宣传周", (3, 8), (3, 22), 4.6),
    DemoCampaign("demo-june", "普及金融知识万里行", (6, 1), (6, 30), 1.5),
    DemoCampaign("demo-78", "7·8 全国保险公众宣传日", (7, 1), (7, 10), 2.6),
    DemoCampaign("demo-september", "金融消费者权益保护教育宣传月", (9, 1), (9, 30), 4.2),
)


@dataclass(frozen=True, slots=True)
class Month:
    """What is to be made for one month: numbers `first`…`first + visits - 1` of the year's visits."""

    year: int
    month: int
    first: int
    visits: int
    offline: int

    @property
    def days(self) -> list[date]:
        """The days of the month."""
        return days_of(self.year, self.month)


@dataclass(frozen=True, slots=True)
class Year:
    """The exact totals of a year at a scale."""

    year: int
    total: int
    online: int
    visits: int

    @classmethod
    def at(cls, year: int, scale: int) -> "Year":
        """One `scale`-th of the year, rounded to the nearest person-time."""
        total = (2 * TOTALS[year] + scale) // (2 * scale)
        online = total - round(total * OFFLINE)
        return cls(year, total, online, max(1, round(online * VISITS[year])) if online else 0)

    def months(self, campaigns: Sequence[DemoCampaign]) -> Iterator[Month]:
        """The year cut into months by season; the parts add up to the whole."""
        weights = [sum(season(day, campaigns) for day in days_of(self.year, month)) for month in range(1, 13)]
        visits = shared(self.visits, weights)
        offline = shared(self.total - self.online, weights)
        for month in range(12):
            yield Month(self.year, month + 1, sum(visits[:month]), visits[month], offline[month])


def days_of(year: int, month: int) -> list[date]:
    """The days of a month."""
    first = date(year, month, 1)
    return [day for n in range(31) if (day := first + timedelta(n)).month == month]


def chance(*parts: object) -> float:
    """A number in [0, 1) that depends only on the parts."""
    digest = hashlib.blake2b("/".join(map(str, parts)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def season(day: date, campaigns: Sequence[DemoCampaign]) -> float:
    """How much is going on on a day: campaigns lift it, weekends are quieter."""
    lift = 1.0 + sum(one.lift for one in campaigns if one.covers(day))
    return lift * (0.8 if day.weekday() >= 5 else 1.0) * (0.9 + 0.2 * chance("day", day))


def shared(total: int, weights: Sequence[float]) -> list[int]:
    """`total` cut in proportion to the weights, by cumulative rounding: the parts add up exactly."""
    whole = sum(weights)
    parts, seen, given = [], 0.0, 0
    for weight in weights:
        seen += weight
        upto = min(total, round(total * seen / whole)) if whole else 0
        parts.append(upto - given)
        given = upto
    if parts and whole:
        parts[-1] += total - given
    return parts


def size(outlet: DemoOutlet, year: int, month: int) -> float:
    """How much of a month's reach an outlet has, 0 before its first whole month and after its closing."""
    day = date(year, month, 1)
    if (outlet.open_on and outlet.open_on > day) or (outlet.closed_on and outlet.closed_on <= day):
        return 0.0
    own = 0.45 + 1.6 * chance("size", outlet.code) ** 2
    if year == 2023:
        own *= 0.72 + 0.5 * chance("province", outlet.code[:2])  # some provinces do better than others
        own *= 0.45 + 1.15 * chance("growth", outlet.code)
    return outlet.weight * own * (0.9 + 0.2 * chance("month", outlet.code, year, month))


def sizes(outlets: Sequence[DemoOutlet], year: int, month: int) -> list[float]:
    """The sizes of all; equal ones if nothing was open, so that the totals stay true."""
    found = [size(outlet, year, month) for outlet in outlets]
    return found if any(found) else [1.0] * len(outlets)


def slots(weights: Sequence[float], number: int) -> list[int]:
    """`number` places given to the indexes (from 1) in proportion to their weights."""
    return [index for index, places in enumerate(shared(number, weights), 1) for _ in range(places)]
