"""The reach store: one ClickHouse dialect, in this process, on a server or a cluster."""

import fcntl
import os
import re
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from core.errors import Conflict
from core.i18n import mark
from core.settings import Settings
from tracking import engine, intake, upgrades
from tracking.address import Address
from tracking.address import read as read_address
from tracking.engine import Client, sentences
from tracking.events import COLUMNS, DROP_COLUMNS
from tracking.layout import WAITING, Layout
from tracking.spool import DROPS, SEGMENT

T = TypeVar("T")
_INSERT = {
    "async_insert": 0,
    "insert_deduplicate": 1,
    "deduplicate_blocks_in_dependent_materialized_views": 1,
}
# Whatever is not shipped may repeat: a roll-up computed again is not a repetition to be left out. Newer engines
# ask the second setting, older ones know only the first.
_REPEATS = {"insert_deduplicate": 0, "deduplicate_insert": "disable"}
# Which table a statement writes; what arrives in one and is counted in another by a view.
_TABLE = re.compile(r"\s*(?:INSERT INTO|ALTER TABLE|TRUNCATE TABLE) (reach_\w+)")
_ANY = ""  # a statement that names none may have written each
_FED = {"reach_event": ("reach_counted",)}
# Answers kept in memory: a report page asks about ten questions, each of at most a few thousand rows.
_REMEMBERED = 200


class StoreBusy(Conflict):
    """The embedded engine is held by another process; only one may hold its folder."""


class ReachStore:
    """Ships segments and answers queries; safe to share between threads.

    Two client handles, one that writes and one that reads: the client of the embedded engine lets one call
    at a time through a handle, and a long report must not hold up the drain.
    """

    def __init__(
        self,
        writer: Client,
        reader: Client,
        lock: int | None = None,
        *,
        zone: str = "UTC",
        where: Address | None = None,
    ) -> None:
        self.zone = zone  # of the institution: what an hour is
        self._writer = writer
        self._reader = reader
        self._lock = lock
        # the embedded engine has them since it was opened
        self._settings = engine.QUERY if lock is None else {}
        self._where = where
        self.layout = where.layout if where else Layout()
        self._repeats = {name: value for name, value in _REPEATS.items() if name in writer.server_settings}
        self.closing = threading.Lock()  # roll-ups are computed by one thread at a time
        self._memory: dict[Hashable, tuple[Hashable, object]] = {}
        self._remembering = threading.Lock()
        self._states: dict[Hashable, tuple[list[int], Any]] = {}
        self._writes: dict[str, int] = {}
        self._counting = threading.Lock()
        with sentences(where):
            # only one process holds the embedded engine: a claim that stands is of one that died
            upgrades.bring_up(writer, self.layout, upgrades.LEASE if where else 0.0)
        if lock is not None:
            engine.step_back()

    @classmethod
    def open(cls, settings: Settings) -> "ReachStore":
        """The store of these settings, its tables made; StoreBusy when another process holds the folder."""
        if settings.reach_url:
            where = read_address(settings.reach_url)
            with sentences(where):
                engine.make_database(where)
                return cls(engine.remote(where), engine.remote(where), zone=settings.time_zone, where=where)
        lock = _hold(settings.home / "reach.lock")
        path = str(settings.home / "reach")
        try:
            return cls(*engine.embedded(path), lock, zone=settings.time_zone)
        except BaseException:
            os.close(lock)
            raise

    @staticmethod
    def check_free(settings: Settings) -> None:
        """StoreBusy when another process holds the embedded engine's folder; opens nothing."""
        if not settings.reach_url:
            os.close(_hold(settings.home / "reach.lock"))

    def ship(self, segment: str, lines: bytes | Path) -> None:
        """Insert a segment's lines (or a file of them), once however often it is called with the same name.

        The name is the insert's deduplication token, which is remembered for 10,000 inserts; a deposit
        (any name that no writer or drop counter uses) is also entered in a ledger and known for ever.
        """
        if not lines:
            return
        deposit = not segment.startswith((SEGMENT, DROPS))
        if deposit and self.query(
            "SELECT 1 FROM reach_deposit WHERE name = {name:String}", {"name": segment}
        ):
            return
        drops = segment.startswith(DROPS)
        with self._writing("reach_drop" if drops else "reach_event"), sentences(self._where):
            self._insert(segment, lines, drops=drops)
        if self._lock is not None:
            engine.step_back()  # what it started meanwhile, too
        if deposit:
            self.command("INSERT INTO reach_deposit SELECT {name:String}, now()", {"name": segment})

    def _insert(self, segment: str, lines: bytes | Path, *, drops: bool) -> None:
        settings = {**_INSERT, "insert_deduplication_token": segment}
        if isinstance(lines, Path):
            straight = None if drops or self._lock is None else intake.statement(lines)
            if straight:
                self._writer.command(straight, settings={**settings, **intake.SETTINGS})
                return
            lines = lines.read_bytes()
        self._writer.raw_insert(
            "reach_drop" if drops else "reach_event",
            column_names=DROP_COLUMNS if drops else COLUMNS,
            insert_block=lines,
            fmt="TabSeparated",
            settings=settings,
        )

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; `params` fill its {name:Type} places."""
        with sentences(self._where):
            result = self._reader.query(sql, parameters=dict(params or {}), settings=dict(self._settings))
        return [tuple(row) for row in result.result_rows]

    def remembered(self, key: Hashable, state: Hashable, make: Callable[[], T]) -> T:
        """What `make` says, from memory while `state` is what it was when it was made."""
        with self._remembering:
            known = self._memory.pop(key, None)
            if known is not None and known[0] == state:
                self._memory[key] = known  # the one used last goes last
                return cast(T, known[1])
        found = make()
        with self._remembering:
            self._memory[key] = (state, found)
            while len(self._memory) > _REMEMBERED:
                del self._memory[next(iter(self._memory))]
        return found

    def unwritten(self, key: Hashable, make: Callable[[], T], table: str, *more: str) -> T:
        """What `make` says, kept until one of these tables is written, asked anew where other processes write as well."""
        if self._lock is None:
            return make()
        writes = [self._writes.get(one, 0) for one in (_ANY, table, *more)]
        known = self._states.get(key)
        if known is not None and known[0] == writes:
            return cast(T, known[1])
        found = make()
        if len(self._states) >= _REMEMBERED:
            self._states.clear()
        self._states[key] = (writes, found)
        return found

    @contextmanager
    def _writing(self, table: str) -> Iterator[None]:
        """Counted before and after: what is read meanwhile may be of either side, and is not kept."""
        self._written(table)
        try:
            yield
        finally:
            self._written(table)

    def _written(self, table: str) -> None:
        with self._counting:
            for one in (table, *_FED.get(table, ())):
                self._writes[one] = self._writes.get(one, 0) + 1

    def forget_answers(self) -> None:
        """Forget every remembered answer, and what is known of the events, as if some had just been shipped."""
        self._written("reach_event")
        with self._remembering:
            self._memory.clear()

    def command(self, sql: str, params: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Run an INSERT … SELECT with engine settings; `forget`, `empty` and `drop_month` take rows away."""
        self._run(sql, {**self._repeats, **settings}, params)

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any
    ) -> None:
        """Insert a few rows of Python values; not for reach events, which are shipped."""
        if rows:
            with self._writing(table), sentences(self._where):
                self._writer.insert(table, rows, column_names=columns, settings={**self._repeats, **settings})

    def forget(self, table: str, where: str) -> None:
        """Take away the rows of a table for which the condition holds; they are gone when it returns."""
        self._run(f"ALTER TABLE {table} DELETE WHERE {where}", WAITING)

    def empty(self, table: str) -> None:
        """Take away all rows of a table."""
        self._run(f"TRUNCATE TABLE {table}", WAITING)

    def drop_month(self, table: str, month: int) -> None:
        """Take away a month (202309) of a table that is partitioned by month; nothing there: nothing happens."""
        self._run(f"ALTER TABLE {table} DROP PARTITION {month:d}", WAITING)

    def _run(self, sql: str, settings: Mapping[str, Any], params: Mapping[str, Any] | None = None) -> None:
        addressed = self.layout.addressed(sql)
        waiting = WAITING if addressed != sql else {}
        table = _TABLE.match(sql)
        with self._writing(table[1] if table else _ANY), sentences(self._where):
            self._writer.command(
                addressed,
                parameters=dict(params or {}),
                settings={**self._settings, **waiting, **settings},
            )
        if "INSERT" not in sql[:20]:  # answers are known by numbers of rows, which may come to be the same
            self._memory.clear()

    def close(self) -> None:
        """Let go of the engine and its folder."""
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _hold(path: Path) -> int:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(handle)
        raise StoreBusy(mark("触达库正由另一个进程使用。请通过运行中的服务查询，或先停止它。")) from error
    return handle
