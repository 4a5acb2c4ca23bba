"""The figures of one period, grouped: closed days from their roll-ups, open days from the raw rows.

Gross and deduplicated person-times of the rows add up to the total exactly, in every grouping. Where kinds are
told apart there are no deduplicated ones: a visitor who was sent a message and opened it is one in two kinds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from core.errors import Invalid
from core.i18n import mark
from tracking import groupings, people, rollups
from tracking.definition import Definition
from tracking.dimensions import Tree
from tracking.groupings import BRANCHES, HOUR, KIND, MONTHLY, OUTLET, TIMES, TREE
from tracking.periods import Period, Shift, as_it_is, by_days
from tracking.placement import Placement, place
from tracking.question import Key, Question, filters
from tracking.rollups import between, listed, on_days
from tracking.snapshot import Snapshot
from tracking.store import ReachStore

# More rows than anybody reads, and more than a page or a file should be made of.
MOST_ROWS = 200_000


class Figures(NamedTuple):
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
    shifted: Shift = as_it_is,
) -> Measured:
    """The figures of `period`; `shifted` turns a day into the one it is shown as (for a base: a year on).

    Each event counts for the branch that its outlet belonged to on its day. Invalid for too many rows.
    """
    if HOUR in question.by and period.days > groupings.LONGEST_BY_HOUR:
        raise Invalid(
            mark("按时段统计一次最多 %(days)s 天，请缩短时间范围。"),
            field="to",
            days=groupings.LONGEST_BY_HOUR,
        )
    key = (question, period, definition, shifted("day"), tree)
    return snapshot.remembered(
        store,
        key,
        lambda: _measure(store, tree, question, period, definition, snapshot=snapshot, shifted=shifted),
        period,
    )


def _measure(
    store: ReachStore,
    tree: Tree,
    question: Question,
    period: Period,
    definition: Definition,
    *,
    snapshot: Snapshot,
    shifted: Shift,
) -> Measured:
    placed = place(tree, question.within, period, question.level)
    gross, unique = _Sums(store, snapshot, definition, question, placed, period, shifted).sums()
    counted, total = _people(
        store, snapshot, definition, question, placed=placed, period=period, shifted=shifted
    )
    by_kind = question.by_kind
    rows = {
        key: Figures(
            gross.get(key, 0),
            None if by_kind else unique.get(key, 0),
            None if counted is None else counted.get(key, 0),
        )
        for key in gross.keys() | unique.keys() | (counted or {}).keys()
    }
    everybody = None if total is None else total.get((), 0)
    return Measured(
        rows,
        Figures(sum(gross.values()), None if by_kind else sum(unique.values()), everybody),
    )


def _people(
    store: ReachStore,
    snapshot: Snapshot,
    definition: Definition,
    question: Question,
    *,
    placed: Placement,
    period: Period,
    shifted: Shift,
) -> tuple[dict[Key, int] | None, dict[Key, int] | None]:
    """People by key, and everybody; None where nobody asked."""
    if not question.people:
        return None, None
    counted, total = (
        dict(
            _numbers(
                people.count(
                    store, snapshot, definition, question=one, placed=placed, period=period, shifted=shifted
                )
            )
        )
        for one in (question, replace(question, by=()))
    )
    return counted, total


@dataclass(frozen=True, slots=True)
class _Sums:
    """Gross and deduplicated sums by key, in one question for roll-ups and one for raw rows."""

    store: ReachStore
    snapshot: Snapshot
    definition: Definition
    question: Question
    placed: Placement
    period: Period
    shifted: Shift

    def sums(self) -> tuple[dict[Key, int], dict[Key, int]]:
        """Both, by key; without deduplicated ones where kinds are told apart."""
        found: tuple[dict[Key, int], dict[Key, int]] = ({}, {})
        raw = self._raw_days()
        closed = [sql for days in self._closed_days() for sql in self._closed(days)]
        if closed:
            self._add(found, self.store.query(" UNION ALL ".join(closed)))
        if raw:
            self._add(found, self.store.query(" UNION ALL ".join(self._raw(raw))))
        return found

    def _add(self, found: tuple[dict[Key, int], dict[Key, int]], rows: Sequence[tuple[Any, ...]]) -> None:
        at = next((n for n, one in enumerate(self.question.by) if one in BRANCHES), None)
        for row, (key, number) in zip(rows, _numbers(rows, 1), strict=True):
            of = key if at is None else (*key[:at], self.placed.branch_of(key[at]), *key[at + 1 :])
            sums = found[row[0]]
            sums[of] = sums.get(of, 0) + number

    def _raw_days(self) -> str:
        """The condition for the days that only raw rows answer for, "" for none."""
        days = self.snapshot.open_days(self.period)
        if days is None or HOUR in self.question.by:
            return between(self.period.first, self.period.last)
        return on_days(days) if days else ""

    def _closed_days(self) -> list[rollups.Days]:
        """The days that roll-ups answer for; whole months, if the question needs no single days."""
        open_days = self.snapshot.open_days(self.period)
        if open_days is None or HOUR in self.question.by:
            return []
        times = [one for one in self.question.by if one in TIMES]
        monthly = not times or (set(times) <= set(MONTHLY) and not by_days(self.shifted))
        months = [span.first for span in self.snapshot.kept if span.months == 1] if monthly else []
        in_tree = not self.placed.everything or any(one in BRANCHES for one in self.question.by)
        return rollups.spread(
            self.period.first,
            self.period.last,
            open_days,
            months=months if self._outlets() is not None else (),
            moving=self.placed.moving if in_tree else (),
        )

    def _outlets(self) -> int | None:
        """Which part of the added-up roll-ups knows all that is asked: by outlet (1), without (0), or none."""
        named = {OUTLET if one in TREE else one for one in self.question.by if one not in TIMES}
        named |= {name for name, _values in self.question.where}
        named.discard(KIND)
        if not self.placed.everything:
            named.add(OUTLET)
        if OUTLET not in named:
            return 0
        return 1 if named == {OUTLET} else None

    def _closed(self, days: rollups.Days) -> Iterator[str]:
        kinds, outlets = self.question.kinds(self.definition), self._outlets()
        if outlets is not None:
            both = kinds if self.question.by_kind else ("", *kinds)
            where = f"outlets = {outlets} AND {days.where} AND kind IN {listed(both)}"
            yield self._sql("kind = ''", days.table, where)
            return
        yield self._sql("0", "reach_gross", f"{days.where} AND kind IN {listed(kinds)}")
        if not self.question.by_kind:
            yield self._sql("1", "reach_unique", days.where)

    def _raw(self, where: str) -> Iterator[str]:
        kinds = f"kind IN {listed(self.question.kinds(self.definition))}"
        yield self._sql("0", "reach_event", f"{where} AND {kinds}")
        if not self.question.by_kind:
            yield self._sql("1", rollups.unique_table(self.definition, where), "1")

    def _sql(self, which: str, table: str, where: str) -> str:
        keys = [f"toString({self._key(one)}) AS k{n}" for n, one in enumerate(self.question.by)]
        conditions = " AND ".join((where, *filters(self.question, self.placed)))
        grouped = ", ".join(("which", *(f"k{n}" for n in range(len(keys)))))
        return (
            f"SELECT {', '.join((f'{which} AS which', *keys))}, toInt64(sum(quantity)) AS number FROM {table} "
            f"WHERE {conditions} GROUP BY {grouped} LIMIT {2 * MOST_ROWS + 1}"
        )

    def _key(self, by: str) -> str:
        if by in BRANCHES:
            return self.placed.day_key
        return groupings.moment(by, self.shifted("day"), self.store.zone) if by in TIMES else by


def _numbers(rows: Sequence[tuple[Any, ...]], skip: int = 0) -> Iterable[tuple[Key, int]]:
    if len(rows) > 2 * MOST_ROWS:
        raise Invalid(
            mark("结果超过 %(most)s 行，请缩短时间范围或换一种分组。"), field="by", most=f"{MOST_ROWS:,}"
        )
    return ((tuple(map(str, row[skip:-1])), int(row[-1])) for row in rows)


def dropped(store: ReachStore, period: Period) -> dict[str, int]:
    """How many events of a period were dropped, by reason, most first."""
    sql = """
        SELECT toString(reason) AS why, sum(quantity) AS n FROM reach_drop
        WHERE day BETWEEN {first:Date} AND {last:Date} GROUP BY why HAVING n != 0 ORDER BY n DESC, why
    """
    days = {"first": period.first, "last": period.last}
    rows = store.unwritten(("dropped", period), lambda: store.query(sql, days), "reach_drop")
    return {str(why): int(n) for why, n in rows}
