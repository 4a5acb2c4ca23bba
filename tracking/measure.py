"""The figures of one period, grouped: closed days from their roll-ups, open days from the raw rows.

Gross and deduplicated person-times of the rows add up to the total exactly, in every grouping. Where kinds are
told apart there are no deduplicated ones: a visitor who was sent a message and opened it is one in two kinds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Invalid
from core.i18n import mark
from tracking import groupings, people, rollups
from tracking.definition import Definition
from tracking.dimensions import Tree
from tracking.groupings import BRANCHES, HOUR, TIMES
from tracking.periods import Period
from tracking.placement import Placement, place
from tracking.question import Key, Question, filters
from tracking.rollups import between, listed, on_days
from tracking.snapshot import Snapshot
from tracking.store import ReachStore

# More rows than anybody reads, and more than a page or a file should be made of.
MOST_ROWS = 200_000


@dataclass(frozen=True, slots=True)
class Figures:
    """Person-times gross and deduplicated (exact; None: not told by kind), people (a sketch; None: not asked)."""

    gross: int = 0
    deduplicated: int | None = 0
    people: int | None = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a period by key, one text per grouping. `total` adds up gross and deduplicated of `rows`."""

    rows: Mapping[Key, Figures]
    total: Figures


def measure(
    store: ReachStore,
    tree: Tree,
    question: Question,
    period: Period,
    definition: Definition,
    *,
    snapshot: Snapshot,
    shifted: str = "day",
) -> Measured:
    """The figures of `period`; `shifted` is the expression that days are shown as (for a base: a year on).

    Each event counts for the branch that its outlet belonged to on its day. Invalid for too many rows.
    """
    if HOUR in question.by and period.days > groupings.LONGEST_BY_HOUR:
        raise Invalid(
            mark("按时段统计一次最多 %(days)s 天，请缩短时间范围。"),
            field="to",
            days=groupings.LONGEST_BY_HOUR,
        )
    placed = place(tree, question.within, period, question.level)
    asked = _Sums(store, snapshot, definition, question, placed, period, shifted)
    gross = asked.fold(asked.gross())
    unique = None if question.by_kind else asked.fold(asked.unique())
    counted = total = None
    if question.people:
        counted, total = (
            dict(
                _numbers(
                    people.count(
                        store,
                        snapshot,
                        definition,
                        question=one,
                        placed=placed,
                        period=period,
                        shifted=shifted,
                    )
                )
            )
            for one in (question, replace(question, by=()))
        )
    rows = {
        key: Figures(
            gross.get(key, 0),
            None if unique is None else unique.get(key, 0),
            None if counted is None else counted.get(key, 0),
        )
        for key in gross.keys() | (unique or {}).keys() | (counted or {}).keys()
    }
    return Measured(
        rows,
        Figures(
            sum(gross.values()),
            None if unique is None else sum(unique.values()),
            None if total is None else total.get((), 0),
        ),
    )


@dataclass(frozen=True, slots=True)
class _Sums:
    """Sums by key: closed days from their roll-ups, remembered; open days from raw."""

    store: ReachStore
    snapshot: Snapshot
    definition: Definition
    question: Question
    placed: Placement
    period: Period
    shifted: str

    def gross(self) -> dict[Key, int]:
        """Sums of quantity."""
        kinds = f"kind IN {listed(self.question.kinds(self.definition))}"
        closed, raw = self._days()
        found: dict[Key, int] = {}
        if closed:
            _add(found, self.snapshot.ask(self.store, self._sql("reach_gross", f"{closed} AND {kinds}")))
        if raw:
            sql = self._sql("reach_event", f"{raw} AND {kinds}")
            _add(found, self.snapshot.ask(self.store, sql, self.period))
        return found

    def unique(self) -> dict[Key, int]:
        """Deduplicated person-times."""
        closed, raw = self._days()
        found: dict[Key, int] = {}
        if closed:
            _add(found, self.snapshot.ask(self.store, self._sql("reach_unique", closed)))
        if raw:
            sql = self._sql(rollups.unique_table(self.definition, raw), "1")
            _add(found, self.snapshot.ask(self.store, sql, self.period))
        return found

    def fold(self, sums: dict[Key, int]) -> dict[Key, int]:
        """Sums by outlet made into sums by branch, where branches are asked for."""
        at = next((n for n, one in enumerate(self.question.by) if one in BRANCHES), None)
        if at is None:
            return sums
        found: dict[Key, int] = {}
        for key, number in sums.items():
            branched = (*key[:at], self.placed.branch_of(key[at]), *key[at + 1 :])
            found[branched] = found.get(branched, 0) + number
        return found

    def _days(self) -> tuple[str, str]:
        """The conditions for the days of roll-ups and of raw rows; "" where there are none."""
        raw = self.snapshot.open_days(self.period)
        every = between(self.period.first, self.period.last)
        if raw is None or HOUR in self.question.by:
            return "", every
        if not raw:
            return every, ""
        return f"{every} AND NOT ({on_days(raw)})", on_days(raw)

    def _sql(self, table: str, where: str) -> str:
        keys = [self._key(one) for one in self.question.by]
        conditions = " AND ".join((where, *filters(self.question, self.placed)))
        grouped = f"GROUP BY {', '.join(f'k{n}' for n in range(len(keys)))}" if keys else "HAVING count() > 0"
        return (
            f"SELECT {''.join(f'{key} AS k{n}, ' for n, key in enumerate(keys))}toInt64(sum(quantity)) "
            f"FROM {table} WHERE {conditions} {grouped} LIMIT {MOST_ROWS + 1}"
        )

    def _key(self, by: str) -> str:
        if by in BRANCHES:
            return self.placed.day_key
        return groupings.moment(by, self.shifted, self.store.zone) if by in TIMES else by


def _add(sums: dict[Key, int], rows: Sequence[tuple[Any, ...]]) -> None:
    for key, number in _numbers(rows):
        sums[key] = sums.get(key, 0) + number


def _numbers(rows: Sequence[tuple[Any, ...]]) -> Iterable[tuple[Key, int]]:
    if len(rows) > MOST_ROWS:
        raise Invalid(
            mark("结果超过 %(most)s 行，请缩短时间范围或换一种分组。"), field="by", most=f"{MOST_ROWS:,}"
        )
    return ((tuple(map(str, key)), int(number)) for *key, number in rows)


def dropped(store: ReachStore, period: Period) -> dict[str, int]:
    """How many events of a period were dropped, by reason, most first."""
    sql = """
        SELECT toString(reason) AS why, sum(quantity) AS n FROM reach_drop
        WHERE day BETWEEN {first:Date} AND {last:Date} GROUP BY why HAVING n != 0 ORDER BY n DESC, why
    """
    return {str(why): int(n) for why, n in store.query(sql, {"first": period.first, "last": period.last})}
