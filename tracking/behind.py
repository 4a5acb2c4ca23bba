"""The raw rows behind one figure of a report: how many, their sums, their groups, and the rows page by page.

Counts come from the roll-ups of closed days, so that they cost the same however many rows there are; from them
follows in which days and outlets a page of rows lies, and only these are read. Groups that no roll-up knows
(source, batch) and the sum of the rows themselves are asked of the raw rows, up to `MOST_RAW` of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.errors import Invalid, NotFound
from core.i18n import mark
from tracking import groupings
from tracking.definition import CELLS, Definition
from tracking.dimensions import Tree
from tracking.groupings import HOUR, KIND, LONGEST_BY_HOUR, OUTLET, TIMES, TREE
from tracking.periods import Period
from tracking.placement import Placement, place
from tracking.question import filters
from tracking.reports import Ask
from tracking.rollups import between, listed, literal, on_days
from tracking.snapshot import Snapshot
from tracking.store import ReachStore

MOST_RAW, MOST_EXPORTED = 30_000_000, 100_000
PER_PAGE = 50
ROLLED = ("day", KIND, OUTLET, "channel", "campaign", "piece")
RAW = ("source", "batch")
GROUPS = (*ROLLED, *RAW)
_MOST_GROUPS = 1_000
COLUMNS = (
    "at", "day", "kind", "quantity", "outlet", "channel", "campaign", "piece", "audience", "place", "source",
    "batch", "id",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A cell of a report: its question, a key for each grouping (None: summed over), now or of the base."""

    ask: Ask
    keys: tuple[str | None, ...] = ()
    before: bool = False

    @property
    def period(self) -> Period:
        """The days that it counts; Invalid where nothing is compared."""
        compared = self.ask.compared
        if not self.before:
            return compared.period
        if compared.base is None:
            raise Invalid(mark("这份报告没有比较对象，请先选一种比较方式。"), field="base")
        return compared.base

    @property
    def told(self) -> list[tuple[str, str]]:
        """The groupings that have a key."""
        return [(by, key) for by, key in zip(self.ask.by, self.keys, strict=False) if key is not None]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that have something in common: the key, how many rows, their person-times."""

    key: str
    rows: int
    quantity: int


@dataclass(frozen=True, slots=True)
class Sums:
    """What the raw rows add up to: rows, person-times, distinct visitors (a sketch; 0 without ids)."""

    rows: int
    quantity: int
    visitors: int


@dataclass(frozen=True, slots=True)
class Behind:
    """The rows behind a figure, under one snapshot. `where` is the condition without days."""

    store: ReachStore
    snapshot: Snapshot
    figure: Figure
    days: str
    where: str
    kinds: str

    @classmethod
    def of(
        cls, store: ReachStore, tree: Tree, snapshot: Snapshot, definition: Definition, figure: Figure
    ) -> "Behind":
        """The conditions of a figure; NotFound for a branch or outlet that the part asked for has not."""
        question, period = figure.ask.question, figure.period
        if HOUR in question.by and period.days > LONGEST_BY_HOUR:
            raise Invalid(
                mark("按时段统计一次最多 %(days)s 天，请缩短时间范围。"), field="to", days=LONGEST_BY_HOUR
            )
        placed = place(tree, question.within, period, question.level)
        told = [key for by, key in figure.told if by == KIND]
        kinds = [kind for kind in question.kinds(definition) if not told or kind in told]
        conditions = filters(question, placed)
        for by, key in figure.told:
            if by in TREE:
                conditions.append(_place(placed, by, key))
            elif by not in TIMES and by != KIND:
                conditions.append(f"{by} = {literal(key)}")
        days = _days(store, figure)
        return cls(store, snapshot, figure, days, " AND ".join(conditions) or "1", f"kind IN {listed(kinds)}")

    def groups(self, *keys: str) -> list[tuple[Any, ...]]:
        """(keys…, rows, person-times) by columns that the roll-ups know, from these and open days' raw rows."""
        closed, raw = self._parts()
        columns = ", ".join(f"toString({key})" if key != "day" else "day" for key in keys)
        found: dict[tuple[Any, ...], list[int]] = {}
        for table, rows, days in (("reach_gross", "sum(rows)", closed), ("reach_event", "count()", raw)):
            if not days:
                continue
            sql = (
                f"SELECT {columns + ', ' if keys else ''}toInt64({rows}), toInt64(sum(quantity)) FROM {table} "
                f"WHERE {days} AND {self.kinds} AND {self._also(table)} "
                f"{'GROUP BY ' + ', '.join(map(str, range(1, len(keys) + 1))) if keys else 'HAVING count() > 0'}"
            )
            for *key, number, quantity in self.snapshot.ask(self.store, sql, self.figure.period):
                kept = found.setdefault(tuple(key), [0, 0])
                kept[0], kept[1] = kept[0] + int(number), kept[1] + int(quantity)
        return [(*key, *sums) for key, sums in sorted(found.items())]

    def total(self) -> tuple[int, int]:
        """Rows and person-times, as the report counts them."""
        found = self.groups()
        return (found[0][0], found[0][1]) if found else (0, 0)

    def by(self, group: str) -> list[Group]:
        """Groups of the rows, days by date and all else by rows, most first; at most a thousand."""
        if group in ROLLED:
            rows = [Group(str(key), number, quantity) for key, number, quantity in self.groups(group)]
        else:
            sql = (
                f"SELECT toString({group}) AS k, toInt64(count()) AS n, toInt64(sum(quantity)) FROM reach_event "
                f"WHERE {self._raw()} GROUP BY k ORDER BY n DESC, k LIMIT {_MOST_GROUPS}"
            )
            found = self.snapshot.ask(self.store, sql, self.figure.period)
            rows = [Group(str(key), int(number), int(quantity)) for key, number, quantity in found]
        return rows if group == "day" else sorted(rows, key=lambda one: (-one.rows, one.key))[:_MOST_GROUPS]

    def sums(self) -> Sums:
        """What the raw rows add up to, read one by one."""
        sql = (
            f"SELECT toInt64(count()), toInt64(sum(quantity)), uniqCombined64If({CELLS})(visitor, visitor != 0) "
            f"FROM reach_event WHERE {self._raw()}"
        )
        rows, quantity, visitors = self.snapshot.ask(self.store, sql, self.figure.period)[0]
        return Sums(int(rows), int(quantity), int(visitors))

    def page(self, number: int) -> list[dict[str, Any]]:
        """The rows of a page, by day and outlet; only the days and outlets they lie in are read."""
        skip = (number - 1) * PER_PAGE
        skip, days = _reach([(day, rows) for day, rows, _quantity in self.groups("day")], skip)
        if not days:
            return []
        inside = replace(self, days=on_days(days))
        pairs = [((day, outlet), rows) for day, outlet, rows, _q in inside.groups("day", OUTLET)]
        skip, places = _reach(pairs, skip)
        wanted = ", ".join(f"('{day}', {literal(outlet)})" for day, outlet in places)
        where = f"{inside._raw()} AND (day, outlet) IN ({wanted})"
        return self._rows(where, f"LIMIT {PER_PAGE} OFFSET {skip}")

    def everything(self) -> list[dict[str, Any]]:
        """All rows, for a file; Invalid for more than a file should hold."""
        rows, _quantity = self.total()
        if rows > MOST_EXPORTED:
            raise Invalid(
                mark("一次最多导出 %(most)s 行，请先按日期、网点或渠道缩小范围。"), most=f"{MOST_EXPORTED:,}"
            )
        return self._rows(self._raw(), f"LIMIT {MOST_EXPORTED}")

    def _rows(self, where: str, limit: str) -> list[dict[str, Any]]:
        """Without the visitor's id: nobody needs it to check a figure."""
        at = f"formatDateTime(at, '%Y-%m-%d %H:%i:%S', {literal(self.store.zone)}) AS at_text"
        columns = ", ".join((at, "day", *(f"toString({name})" for name in COLUMNS[2:])))
        sql = (
            f"SELECT {columns} FROM reach_event WHERE {where} "
            f"ORDER BY reach_event.day, reach_event.outlet, reach_event.at, reach_event.id {limit}"
        )
        return [dict(zip(COLUMNS, row, strict=True)) for row in self.store.query(sql)]

    def _parts(self) -> tuple[str, str]:
        """The days of roll-ups and of raw rows, "" for none; hours are in no roll-up."""
        raw = self.snapshot.open_days(self.figure.period)
        if raw is None or self._hour():
            return "", self.days
        if not raw:
            return self.days, ""
        return f"{self.days} AND NOT ({on_days(raw)})", f"{self.days} AND ({on_days(raw)})"

    def _raw(self) -> str:
        return f"{self.days} AND {self.kinds} AND {self._also('reach_event')}"

    def _also(self, table: str) -> str:
        hour = self._hour()
        return f"{self.where} AND {hour}" if hour and table == "reach_event" else self.where

    def _hour(self) -> str:
        key = next((key for by, key in self.figure.told if by == HOUR), None)
        return "" if key is None else f"{groupings.moment(HOUR, '', self.store.zone)} = {literal(key)}"


def _place(placed: Placement, by: str, key: str) -> str:
    """The condition for a branch or an outlet as the report placed it; NotFound for one outside of the part."""
    if by == OUTLET:
        if not placed.everything and key not in placed.stable and key not in placed.moving:
            raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))
        return f"outlet = {literal(key)}"
    inside = [outlet for outlet, branch in placed.stable.items() if branch == key]
    stays = [stay for stay in placed.stays if stay.branch == key]
    parts = [f"(outlet = {literal(one.outlet)} AND {between(one.first, one.last)})" for one in stays]
    if inside:
        parts.append(f"outlet IN {listed(inside)}")
    if placed.everything and key not in placed.stable and key not in placed.moving:
        parts.append(f"outlet = {literal(key)}")  # a code that no tree knows stands for itself
    if not parts:
        raise NotFound(mark("没有找到这一项，或者它不在您负责的范围内。"))
    return f"({' OR '.join(parts)})"


def _days(store: ReachStore, figure: Figure) -> str:
    """The condition for the days: those of the period that are shown under the keys of time."""
    period = figure.period
    every = between(period.first, period.last)
    shifted = figure.ask.compared.forward("day") if figure.before else "day"
    keys = [
        f"{groupings.moment(by, shifted, store.zone)} = {literal(key)}"
        for by, key in figure.told
        if by in TIMES and by != HOUR
    ]
    if not keys:
        return every
    sql = f"SELECT DISTINCT day FROM reach_counted WHERE {every} AND {' AND '.join(keys)} ORDER BY day"
    return f"({on_days([row[0] for row in store.query(sql)])})"


def _reach(counted: Sequence[tuple[Any, int]], skip: int) -> tuple[int, list[Any]]:
    """Which of these counted things a page touches that skips so many rows, and how many it skips of them."""
    found, left, first = list[Any](), PER_PAGE, 0
    for thing, rows in counted:
        if skip >= rows:
            skip -= rows
            continue
        if not found:
            first = skip
        found.append(thing)
        left -= rows - skip
        skip = 0
        if left <= 0:
            break
    return first, found
