"""Carries the raw rows of one reach store into another, by day, and compares; roll-ups are computed there again.

Each portion is shipped as a deposit, which the other store knows for ever: after a crash the same command goes on
where it was. The store that is copied must be at rest, as a portion is told by what its day held.
"""

from collections.abc import Callable

from core.errors import Conflict
from core.i18n import mark
from tracking.events import COLUMNS, DROP_COLUMNS
from tracking.spool import DROPS
from tracking.store import ReachStore

# Rows of a portion: bounds the memory of this process, at some 150 bytes each.
PORTION = 200_000
_SAME = "count(), sum(quantity), groupBitXor(cityHash64(day, quantity, batch))"


def copy(old: ReachStore, new: ReachStore, tell: Callable[[str, int], None], portion: int = PORTION) -> int:
    """Copy every month that is not there yet, tell its rows when it was verified; returns the raw rows copied.

    Conflict names the first month that differs: the other store had rows of its own, or this one is being written.
    """
    copied = 0
    for month, rows in old.query(
        "SELECT toYYYYMM(day) AS month, count() FROM reach_event GROUP BY month ORDER BY month"
    ):
        where = f"toYYYYMM(day) = {int(month)}"
        if not _same(old, new, "reach_event", where):
            days = old.query(f"SELECT day, count() FROM reach_event WHERE {where} GROUP BY day ORDER BY day")
            for day, number in days:
                _portions(old, new, str(day), -(-int(number) // portion))
            _verify(old, new, "reach_event", where, str(month))
            copied += int(rows)
        tell(str(month), int(rows))
    for (year,) in old.query("SELECT DISTINCT toYear(day) AS year FROM reach_drop ORDER BY year"):
        where = f"toYear(day) = {int(year)}"
        if not _same(old, new, "reach_drop", where):
            new.ship(f"{DROPS}copy-{year}", _lines(old, "reach_drop", DROP_COLUMNS, where))
            _verify(old, new, "reach_drop", where, str(year))
    return copied


def _portions(old: ReachStore, new: ReachStore, day: str, parts: int) -> None:
    for part in range(parts):
        where = f"day = '{day}' AND cityHash64(id) % {parts} = {part}"
        new.ship(f"copy-{day}-{part}-{parts}", _lines(old, "reach_event", COLUMNS, where))


def _lines(store: ReachStore, table: str, columns: tuple[str, ...], where: str) -> bytes:
    """Rows in the very format that is shipped, always in the same order."""
    rows = store.query(
        f"SELECT formatRow('TabSeparated', {', '.join(columns)}) AS line FROM {table} WHERE {where} ORDER BY line"
    )
    return "".join(str(line) for (line,) in rows).encode()


def _same(old: ReachStore, new: ReachStore, table: str, where: str) -> bool:
    sql = f"SELECT {_SAME} FROM {table} WHERE {where}"
    return old.query(sql) == new.query(sql)


def _verify(old: ReachStore, new: ReachStore, table: str, where: str, period: str) -> None:
    if not _same(old, new, table, where):
        raise Conflict(
            mark("%(period)s 的行数或数量与原库不同（%(table)s）。目标库须为空，复制时原库不可写入。"),
            period=period,
            table=table,
        )
