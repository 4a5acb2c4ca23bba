"""What a proposed definition would say of a past period, beside the one in force: from the raw rows, few days at a time."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from core.errors import Invalid
from core.i18n import mark
from tracking import rollups
from tracking.definition import CELLS, Definition
from tracking.periods import Period, growth
from tracking.rollups import listed, on_days
from tracking.store import ReachStore

LONGEST = 31  # days: raw rows of a month are read in a few seconds also at national scale
GROSS, DEDUPLICATED, PEOPLE = mark("触达人次"), mark("去重人次"), mark("触达人数（估）")


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure under both definitions."""

    label: str
    present: int
    proposed: int

    @property
    def growth(self) -> float | None:
        """The change as a fraction, None without a base."""
        return growth(self.proposed, self.present)


@dataclass(frozen=True, slots=True)
class Trial:
    """The three totals, and gross by kind (every kind that one of the two counts) and by channel."""

    period: Period
    totals: tuple[Pair, ...]
    kinds: tuple[Pair, ...]
    channels: tuple[Pair, ...]


def last_month(today: date) -> Period:
    """The month before this one: what is tried unless somebody asks for other days."""
    last = today.replace(day=1) - timedelta(days=1)
    return Period(last.replace(day=1), last)


def compare(store: ReachStore, period: Period, present: Definition, proposed: Definition) -> Trial:
    """Both definitions over the same raw rows; Invalid for more than a month."""
    if period.days > LONGEST:
        raise Invalid(mark("一次最多试算 %(most)s 天，请选短一些。"), field="to", most=LONGEST)
    both = (present, proposed)
    by_kind, by_channel = _gross(store, period, "kind"), _gross(store, period, "channel, kind")
    totals = (
        Pair(GROSS, *(sum(n for kind, n in by_kind.items() if kind[0] in one.kinds) for one in both)),
        Pair(DEDUPLICATED, *(_unique(store, period, one) for one in both)),
        Pair(PEOPLE, *(_people(store, period, one) for one in both)),
    )
    kinds = [
        Pair(kind, *(by_kind.get((kind,), 0) if kind in one.kinds else 0 for one in both))
        for kind in dict.fromkeys((*present.kinds, *proposed.kinds))
    ]
    channels: dict[str, list[int]] = {}
    for (channel, kind), number in by_channel.items():
        for place, one in enumerate(both):
            channels.setdefault(channel, [0, 0])[place] += number if kind in one.kinds else 0
    ranked = sorted(channels.items(), key=lambda item: (-max(item[1]), item[0]))
    return Trial(period, totals, tuple(kinds), tuple(Pair(name, *pair) for name, pair in ranked if any(pair)))


def _gross(store: ReachStore, period: Period, keys: str) -> Mapping[tuple[str, ...], int]:
    rows = store.query(
        f"SELECT {keys}, sum(quantity) FROM reach_event WHERE day BETWEEN {{first:Date}} AND {{last:Date}} GROUP BY ALL",
        {"first": period.first, "last": period.last},
    )
    return {tuple(map(str, row[:-1])): int(row[-1]) for row in rows}


def _unique(store: ReachStore, period: Period, one: Definition) -> int:
    return sum(
        int(store.query(f"SELECT sum(n) FROM ({rollups.unique_rows(one, on_days(days))})")[0][0] or 0)
        for days in _portions(store, period)
    )


def _portions(store: ReachStore, period: Period) -> Iterator[list[date]]:
    counted = rollups.counted(store)
    days = [day for day in counted if period.first <= day <= period.last]
    return rollups.portions(days, counted.__getitem__)


def _people(store: ReachStore, period: Period, one: Definition) -> int:
    sql = (
        f"SELECT uniqCombined64({CELLS})(visitor) FROM reach_event WHERE day BETWEEN {{first:Date}} AND {{last:Date}} "
        f"AND visitor != 0 AND kind IN {listed(one.kinds)}"
    )
    return int(store.query(sql, {"first": period.first, "last": period.last})[0][0])
