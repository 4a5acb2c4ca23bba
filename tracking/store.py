"""The reach store: one ClickHouse dialect, in this process or on a server; alone imports its client."""

import fcntl
import os
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast
from urllib.parse import unquote, urlsplit

import clickhouse_connect
from clickhouse_connect.driver.client import Client

from core.errors import Conflict
from core.i18n import mark
from core.settings import Settings
from tracking import upgrades
from tracking.events import COLUMNS, DROP_COLUMNS
from tracking.spool import DROPS, SEGMENT

T = TypeVar("T")
_INSERT = {"async_insert": 0, "deduplicate_blocks_in_dependent_materialized_views": 1}
_QUERY = {
    "max_query_size": 64_000_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
}
# Answers kept in memory: a report page asks about ten questions, each of at most a few thousand rows.
_REMEMBERED = 200


class StoreBusy(Conflict):
    """The embedded engine is held by another process; only one may hold its folder."""


class ReachStore:
    """Ships segments and answers queries; safe to share between threads.

    Two client handles, one that writes and one that reads: the client of the embedded engine lets one call
    at a time through a handle, and a long report must not hold up the drain.
    """

    def __init__(self, writer: Client, reader: Client, lock: int | None = None, *, zone: str = "UTC") -> None:
        self.zone = zone  # of the institution: what an hour is
        self._writer = writer
        self._reader = reader
        self._lock = lock
        self.closing = threading.Lock()  # roll-ups are computed by one thread at a time
        self._memory: dict[str, tuple[Hashable, list[tuple[Any, ...]]]] = {}
        self._remembering = threading.Lock()
        self._states: dict[Hashable, tuple[int, Any]] = {}
        self._writes = 0
        self._counting = threading.Lock()
        upgrades.bring_up(writer)

    @classmethod
    def open(cls, settings: Settings) -> "ReachStore":
        """The store of these settings, its tables made; StoreBusy when another process holds the folder."""
        if settings.reach_url:
            return cls(_remote(settings.reach_url), _remote(settings.reach_url), zone=settings.time_zone)
        lock = _hold(settings.home / "reach.lock")
        path = str(settings.home / "reach")
        try:
            return cls(_embedded(path), _embedded(path), lock, zone=settings.time_zone)
        except BaseException:
            os.close(lock)
            raise

    @staticmethod
    def check_free(settings: Settings) -> None:
        """StoreBusy when another process holds the embedded engine's folder; opens nothing."""
        if not settings.reach_url:
            os.close(_hold(settings.home / "reach.lock"))

    def ship(self, segment: str, lines: bytes) -> None:
        """Insert a segment's lines, once however often it is called with the same name.

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
        with self._writing():
            self._writer.raw_insert(
                "reach_drop" if drops else "reach_event",
                column_names=DROP_COLUMNS if drops else COLUMNS,
                insert_block=lines,
                fmt="TabSeparated",
                settings={**_INSERT, "insert_deduplication_token": segment},
            )
        if deposit:
            self.command("INSERT INTO reach_deposit SELECT {name:String}, now()", {"name": segment})

    def query(self, sql: str, params: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """The rows of a SELECT; `params` fill its {name:Type} places."""
        result = self._reader.query(sql, parameters=dict(params or {}), settings=_QUERY)
        return [tuple(row) for row in result.result_rows]

    def remembered(self, sql: str, state: Hashable) -> Sequence[tuple[Any, ...]]:
        """The rows of a SELECT, from memory while `state` is what it was when it was asked."""
        with self._remembering:
            known = self._memory.pop(sql, None)
            if known is not None and known[0] == state:
                self._memory[sql] = known  # the one used last goes last
                return known[1]
        rows = self.query(sql)
        with self._remembering:
            self._memory[sql] = (state, rows)
            while len(self._memory) > _REMEMBERED:
                del self._memory[next(iter(self._memory))]
        return rows

    def unwritten(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` says, kept until something is written; asked anew where other processes write as well."""
        if self._lock is None:
            return make()
        writes = self._writes
        known = self._states.get(key)
        if known is not None and known[0] == writes:
            return cast(T, known[1])
        found = make()
        if len(self._states) >= _REMEMBERED:
            self._states.clear()
        self._states[key] = (writes, found)
        return found

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Counted before and after: what is read meanwhile may be of either side, and is not kept."""
        self._written()
        try:
            yield
        finally:
            self._written()

    def _written(self) -> None:
        with self._counting:
            self._writes += 1

    def forget_answers(self) -> None:
        """Forget every remembered answer."""
        self._written()
        with self._remembering:
            self._memory.clear()

    def command(self, sql: str, params: Mapping[str, Any] | None = None, **settings: Any) -> None:
        """Run a statement that gives no rows (INSERT … SELECT, ALTER, DELETE), with engine settings."""
        with self._writing():
            self._writer.command(sql, parameters=dict(params or {}), settings={**_QUERY, **settings})

    def insert(
        self, table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]], **settings: Any
    ) -> None:
        """Insert a few rows of Python values; not for reach events, which are shipped."""
        if rows:
            with self._writing():
                self._writer.insert(table, rows, column_names=columns, settings=settings)

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


def _embedded(path: str) -> Client:
    return clickhouse_connect.get_client(interface="chdb", path=path)


def _remote(url: str) -> Client:
    parts = urlsplit(url)
    secure = parts.scheme in ("clickhouses", "https")
    database = parts.path.strip("/") or "default"
    where: dict[str, Any] = {
        "host": parts.hostname or "127.0.0.1",
        "port": parts.port or (8443 if secure else 8123),
        "username": unquote(parts.username or "default"),
        "password": unquote(parts.password or ""),
        "secure": secure,
        # a session would let only one query at a time through
        "autogenerate_session_id": False,
    }
    if database != "default":
        first = clickhouse_connect.get_client(**where)
        first.command(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        first.close()
    return clickhouse_connect.get_client(**where, database=database)
