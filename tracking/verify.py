"""Whether the figures can be trusted: raw rows against counts, roll-ups, people and the spool; first difference named.

Every check is a question that gives no row when all is well, and otherwise the first place that differs with both
numbers. Nothing is mended: `rebuild` makes roll-ups anew, and a difference of raw rows is for a person to look at.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.i18n import gettext as _
from core.i18n import mark
from tracking import measure, rollups, sketches
from tracking.definition import CELLS, Definition
from tracking.dimensions import Tree
from tracking.files import OPEN, SEALED
from tracking.groupings import DAY, KEYS, KIND, MONTH, OUTLET, PROVINCE
from tracking.periods import Period
from tracking.question import Question
from tracking.rollups import between, listed
from tracking.snapshot import Snapshot, take
from tracking.spool import DROPS
from tracking.store import ReachStore

COUNTS, IDS, GROSS, UNIQUE, PEOPLE, SUMS, SPOOL = (
    "counts", "ids", "gross", "unique", "people", "sums", "spool",
)  # fmt: skip
NAMES = {
    COUNTS: mark("每天的事件数与入库时数的一致"),
    IDS: mark("没有一个事件入库两次"),
    GROSS: mark("已汇总各天的触达人次等于原始事件"),
    UNIQUE: mark("已汇总各天的去重人次等于原始事件"),
    PEOPLE: mark("已保存各月的触达人数等于原始事件"),
    SUMS: mark("按任何维度相加都等于同一个总数"),
    SPOOL: mark("待入库的段要么全在库外、要么全在库内"),
}
_GROSS_KEYS = ("day", "outlet", "channel", "campaign", "piece", "kind", "audience", "place")
_UNIQUE_KEYS = tuple(key for key in _GROSS_KEYS if key != "kind")


@dataclass(frozen=True, slots=True)
class Check:
    """One check; `difference` "" when all is well, `looked_at` says how much was compared."""

    name: str
    looked_at: int
    difference: str = ""

    @property
    def title(self) -> str:
        """What is checked."""
        return _(NAMES[self.name])


@dataclass(frozen=True, slots=True)
class _All:
    """What the checks stand on: one definition, one snapshot, the months that have rows."""

    store: ReachStore
    tree: Tree
    definition: Definition
    snapshot: Snapshot
    months: tuple[Period, ...]

    @property
    def closed(self) -> Iterator[tuple[Period, str]]:
        """Each month with the condition for its closed days."""
        for month in self.months:
            days = [
                day for day in self.snapshot.counted
                if month.first <= day <= month.last and day not in self.snapshot.open
            ]  # fmt: skip
            if days:
                yield month, rollups.on_days(sorted(days))


def verify(
    store: ReachStore,
    tree: Tree,
    definition: Definition,
    spool: Path,
    *,
    first: date | None = None,
    last: date | None = None,
    said: Callable[[Check], None] = lambda _check: None,
) -> list[Check]:
    """All checks over the months that `first` and `last` touch (none: all); `said` hears of each when it is done.

    Nothing may be closed meanwhile, so it holds the lock of closing. Memory is bounded by a month's rows.
    """
    with store.closing:
        snapshot = take(store, definition)
        found = _All(store, tree, definition, snapshot, _months(snapshot, first, last))
        checks = []
        for check in (_counts, _ids, _gross, _unique, _people, _sums):
            checks.append(check(found))
            said(checks[-1])
        checks.append(_spool(store, spool))
        said(checks[-1])
    return checks


def _months(snapshot: Snapshot, first: date | None, last: date | None) -> tuple[Period, ...]:
    starts = sorted({day.replace(day=1) for day, rows in snapshot.counted.items() if rows})
    spans = [sketches.Span(start, 1) for start in starts]
    return tuple(
        Period(span.first, span.last)
        for span in spans
        if (first is None or span.last >= first) and (last is None or span.first <= last)
    )


def _counts(of: _All) -> Check:
    looked = 0
    for month in of.months:
        rows = dict(of.store.query(f"SELECT day, count() FROM reach_event WHERE {_in(month)} GROUP BY day"))
        told = {
            day: number for day, number in of.snapshot.counted.items() if month.first <= day <= month.last
        }
        for day in sorted(rows.keys() | told.keys()):
            looked += 1
            if rows.get(day, 0) != told.get(day, 0):
                return Check(COUNTS, looked, _said(str(day), rows.get(day, 0), told.get(day, 0)))
    return Check(COUNTS, looked)


def _ids(of: _All) -> Check:
    looked = 0
    for month in of.months:
        twice = of.store.query(
            f"SELECT id, count() AS n FROM reach_event WHERE {_in(month)} GROUP BY id HAVING n > 1 "
            "ORDER BY id LIMIT 1 SETTINGS max_bytes_before_external_group_by = 1000000000"
        )
        looked += sum(n for day, n in of.snapshot.counted.items() if month.first <= day <= month.last)
        if twice:
            return Check(IDS, looked, _("事件 %(id)s 有 %(n)s 行", id=twice[0][0], n=twice[0][1]))
    return Check(IDS, looked)


def _gross(of: _All) -> Check:
    def raw(days: str) -> str:
        return f"SELECT {', '.join(_GROSS_KEYS)}, quantity AS a, 0 AS b FROM reach_event WHERE {days}"

    return _rolled(of, GROSS, _GROSS_KEYS, "reach_gross", raw)


def _unique(of: _All) -> Check:
    def raw(days: str) -> str:
        fresh = rollups.unique_table(of.definition, days)
        return f"SELECT {', '.join(_UNIQUE_KEYS)}, quantity AS a, 0 AS b FROM {fresh}"

    return _rolled(of, UNIQUE, _UNIQUE_KEYS, "reach_unique", raw)


def _rolled(of: _All, name: str, keys: Sequence[str], table: str, raw: Callable[[str], str]) -> Check:
    """Raw rows and roll-up added up side by side, by every key."""
    looked, named = 0, ", ".join(keys)
    for _month, days in of.closed:
        rolled = f"SELECT {named}, 0 AS a, quantity AS b FROM {table} WHERE {days}"
        both = (
            f"SELECT {named}, sum(a) AS x, sum(b) AS y FROM ({raw(days)} UNION ALL {rolled}) GROUP BY {named}"
        )
        cells, wrong = of.store.query(f"SELECT count(), countIf(x != y) FROM ({both})")[0]
        looked += int(cells)
        if wrong:
            row = of.store.query(f"SELECT * FROM ({both}) WHERE x != y ORDER BY {named} LIMIT 1")[0]
            place = "，".join(f"{key}={value}" for key, value in zip(keys, row, strict=False))
            return Check(name, looked, _said(place, int(row[-2]), int(row[-1])))
    return Check(name, looked)


def _people(of: _All) -> Check:
    looked = 0
    kinds = listed(of.definition.kinds)
    for span in sorted(of.snapshot.kept, key=lambda one: (one.first, one.months)):
        if not any(span.first <= month.last and month.first <= span.last for month in of.months):
            continue
        for dimension in sketches.DIMENSIONS:
            kept = dict(
                of.store.query(
                    f"SELECT toString(key), number FROM reach_people WHERE dimension = '{dimension}' AND {span.sql}"
                )
            )
            fresh = dict(
                of.store.query(
                    f"SELECT toString({dimension or repr('')}) AS k, uniqCombined64({CELLS})(visitor) "
                    f"FROM reach_event WHERE {span.days} AND visitor != 0 AND kind IN {kinds} GROUP BY k"
                )
            )
            looked += len(fresh)
            wrong = next((k for k in sorted(kept.keys() | fresh.keys()) if kept.get(k) != fresh.get(k)), None)
            if wrong is not None:
                place = f"{span.first} +{span.months} {dimension}={wrong}"
                return Check(PEOPLE, looked, _said(place, fresh.get(wrong, 0), kept.get(wrong, 0)))
    return Check(PEOPLE, looked)


def _sums(of: _All) -> Check:
    """Each month by each dimension, from wherever reports answer it: the totals must be one and the same."""
    looked = 0
    for month in of.months:
        totals: dict[str, tuple[int, int | None]] = {}
        for by in (
            *((one,) for one in (OUTLET, PROVINCE, MONTH, DAY, *KEYS) if one != KIND),
            (OUTLET, KEYS[0]),
        ):
            question = Question(by, people=False)
            total = measure.measure(
                of.store, of.tree, question, month, of.definition, snapshot=of.snapshot
            ).total
            totals[" × ".join(by)] = (total.gross, total.deduplicated)
            looked += 1
        least = min(totals, key=lambda by: totals[by])
        most = max(totals, key=lambda by: totals[by])
        if totals[least] != totals[most]:
            return Check(SUMS, looked, f"{month.first}: {least} {totals[least]}, {most} {totals[most]}")
    return Check(SUMS, looked)


def _spool(store: ReachStore, folder: Path) -> Check:
    """A segment that waits is either not in the store or wholly there (shipped, and not deleted yet)."""
    looked = 0
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.suffix not in (OPEN, SEALED) or path.name.startswith((DROPS, ".")):
            continue
        content = _read(path)
        ids = {line.split("\t", 1)[0] for line in content.decode(errors="replace").split("\n")[:-1]}
        if not ids:
            continue
        looked += 1
        there = store.query(f"SELECT uniqExact(id) FROM reach_event WHERE id IN {listed(ids)}")[0][0]
        if 0 < there < len(ids):
            return Check(SPOOL, looked, _said(path.name, len(ids), int(there)))
    return Check(SPOOL, looked)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""  # shipped and deleted meanwhile


def _in(month: Period) -> str:
    return between(month.first, month.last)


def _said(place: str, raw: int, other: int) -> str:
    return _("%(place)s：原始 %(raw)s，另一处 %(other)s", place=place, raw=f"{raw:,}", other=f"{other:,}")
