"""The relational database: engine, transactions, and the column types that need care."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Engine, SelectBase, UpdateBase, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import DBAPIError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Session

_WRITE, _PSYCOPG = "signpost_write", "psycopg"
_TURN, _BUSY_SECONDS = "signpost_turn", 30
_USED, _IDLE_SECONDS = "signpost_used", 2
# Kept open, and more when every thread that a server may have wants one.
_POOL: dict[str, Any] = {"pool_size": 16, "max_overflow": 64}
_Values = Mapping[str, Any]
_Change = Callable[[Any], Any]
_PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000")
# For a table whose key is all of a row: SQLite keeps such rows by their key, instead of rows and an index of them.
KEY_ALONE = {"sqlite_with_rowid": False}
_INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time: timestamptz on PostgreSQL, naive UTC text on SQLite, always aware UTC in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would mean another hour on another machine."""
        if value is None:
            return None
        value = _in_utc(value)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def bind_processor(self, dialect: Dialect) -> _Change | None:
        """The same for SQLite at a third of the cost: every row that is written has a time or two."""
        return _as_text if dialect.name == "sqlite" else super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("a naive datetime cannot be stored")
    return value.astimezone(UTC)


def _as_text(value: datetime | None) -> str | None:
    """As SQLAlchemy writes a naive time into SQLite: with all places, and without the offset."""
    return None if value is None else _in_utc(value).isoformat(" ", "microseconds")[:-6]


class Database:
    """One engine and its two kinds of session. Who opens a transaction commits it; verbs never do."""

    def __init__(self, url: str, *, of: "Database | None" = None, pragmas: Sequence[str] = ()) -> None:
        """`of`: another one of the same SQLite file, whose writers take turns with ours; `pragmas` for connections."""
        self.url = url
        self.turns: _Turns = of.turns if of else _Turns()
        self.engine: Engine = _make_engine(url, self.turns, pragmas)
        self._reader = self.engine.execution_options(**{_WRITE: False})

    @property
    def is_sqlite(self) -> bool:
        """Whether the embedded engine is used (one writer at a time)."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block and rolls back on any error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that a read inside it cannot be
        overtaken between reading and writing; others wait up to 30 s.
        """
        with Session(self.engine, expire_on_commit=False) as session:
            yield session
            session.commit()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that only reads: it takes no write lock, and nothing it changes is kept.

        It takes a connection only when it is asked something.
        """
        with Session(self._reader, expire_on_commit=False) as session:
            yield session

    def ask(self, question: "Prepared", values: _Values) -> list[tuple[Any, ...]]:
        """The rows of one question asked alone: without a session, and with nothing else in its transaction."""
        with closing(self.engine.raw_connection()) as connection:
            return question.run(self.engine.dialect, connection, values)

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement in one dialect: its text, its values, and what changes each value on its way in and out."""

    text: str
    values: dict[str, Any]
    names: tuple[str, ...]
    positional: bool
    into: tuple[tuple[str, _Change], ...]
    out: tuple[_Change | None, ...]

    def arguments(self, given: _Values) -> Any:
        """What the driver takes: a tuple or a mapping; KeyError for a value that is missing."""
        values = {**self.values, **given}
        for name, change in self.into:
            values[name] = change(values[name])
        if self.positional:
            return tuple([values[name] for name in self.names])
        return {name: values[name] for name in self.names}

    def rows(self, found: list[Any]) -> list[tuple[Any, ...]]:
        """Rows as Python knows them: as they are, where no column changes on its way."""
        return [self.row(one) for one in found] if any(self.out) else found

    def row(self, found: Sequence[Any]) -> tuple[Any, ...]:
        """A row as Python knows it."""
        pairs = zip(found, self.out, strict=True)
        return tuple(value if change is None else change(value) for value, change in pairs)


def inserting(dialect: Dialect) -> Any:
    """The `insert` of an engine, which can say what becomes of rows that are there already (ON CONFLICT)."""
    return _INSERTS[dialect.name]


class Prepared:
    """A statement put together once and then handed to the driver as it is, with the types of its columns; one that
    each engine writes in its own way is made of that engine's `insert`.

    It costs a tenth of executing it anew, and is meant for the few statements that every request runs: who is
    signed in, the audit record. No event and no session sees it. Errors are SQLAlchemy's, as everywhere.
    """

    def __init__(self, statement: SelectBase | UpdateBase | Callable[[Any], UpdateBase]) -> None:
        self._statement = statement
        self._known: dict[tuple[str, str], _Compiled] = {}

    def on(self, connection: Connection, *values: _Values) -> list[tuple[Any, ...]]:
        """The rows of a question within the transaction of a connection; or a write, for each of the values."""
        return self.run(connection.dialect, connection.connection, *values)

    def write(self, connection: Connection, values: _Values) -> int:
        """Write within the transaction of a connection; how many rows that changed."""
        return self._driven(connection.dialect, connection.connection, (values,))[1]

    def run(self, dialect: Dialect, connection: Any, *values: _Values) -> list[tuple[Any, ...]]:
        """The same on a connection of the driver."""
        return self._driven(dialect, connection, values)[0]

    def _driven(
        self, dialect: Dialect, connection: Any, values: Sequence[_Values]
    ) -> tuple[list[tuple[Any, ...]], int]:
        known = self._known.get((dialect.name, dialect.driver)) or self._compile(dialect)
        given = [known.arguments(each) for each in values or ({},)]
        with closing(_cursor(dialect, connection)) as cursor:
            try:
                if len(given) > 1:
                    cursor.executemany(known.text, given)
                else:
                    cursor.execute(known.text, given[0])
                return (known.rows(cursor.fetchall()) if known.out else []), cursor.rowcount
            except dialect.loaded_dbapi.Error as error:
                base = dialect.loaded_dbapi.Error
                raise DBAPIError.instance(known.text, given[0], error, base, dialect=dialect) from error

    def _compile(self, dialect: Dialect) -> _Compiled:
        asked = self._statement
        if not isinstance(asked, SelectBase | UpdateBase):
            asked = asked(inserting(dialect))
        made: Any = asked.compile(dialect=_written_for(dialect))
        binds = {name: bind for bind, name in made.bind_names.items()}
        changes = {name: _impl(bind.type, dialect).bind_processor(dialect) for name, bind in binds.items()}
        columns = asked.selected_columns if isinstance(asked, SelectBase) else asked.exported_columns
        known = self._known[dialect.name, dialect.driver] = _Compiled(
            str(made), {name: bind.value for name, bind in binds.items() if not bind.required},
            tuple(made.positiontup or binds), bool(made.positional),
            tuple((name, change) for name, change in changes.items() if change is not None),
            tuple(_impl(one.type, dialect).result_processor(dialect, None) for one in columns),
        )  # fmt: skip
        return known


def _written_for(dialect: Dialect) -> Dialect:
    """The dialect to write a statement for: that of psycopg with $1, $2, as the server itself reads them.

    Names and %s it must find in the text at every call, for a long statement (an insert of eight rows) longer than
    all the rest takes.
    """
    kind: Any = type(dialect)
    return kind(paramstyle="numeric_dollar") if dialect.driver == _PSYCOPG else dialect


def _cursor(dialect: Dialect, connection: Any) -> Any:
    if dialect.driver == _PSYCOPG:
        return dialect.loaded_dbapi.RawCursor(connection.driver_connection)
    return connection.cursor()


def _impl(kind: TypeEngine[Any], dialect: Dialect) -> TypeEngine[Any]:
    return kind.dialect_impl(dialect)


def _make_engine(url: str, turns: "_Turns", pragmas: Sequence[str]) -> Engine:
    if not url.startswith("sqlite"):
        engine = create_engine(url, pool_use_lifo=True, **_POOL)
        event.listen(engine, "checkin", _note_the_time)
        event.listen(
            engine, "checkout", lambda driver, record, _proxy: _ask_if_idle(engine.dialect, driver, record)
        )
        return engine
    engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS, "check_same_thread": False}, **_POOL)
    event.listen(engine, "connect", lambda driver, _record: _prepare_sqlite(driver, pragmas))
    event.listen(engine, "begin", turns.begin)
    event.listen(engine, "checkin", turns.end)  # "commit" would be told before it reached the disk
    return engine


def _note_the_time(_connection: object, record: ConnectionPoolEntry) -> None:
    record.info[_USED] = time.monotonic()


def _ask_if_idle(dialect: Dialect, connection: Any, record: ConnectionPoolEntry) -> None:
    """Ask a connection that was idle whether it still stands; one used a moment ago is not worth a round trip.

    DisconnectionError has the pool open another one.
    """
    used = record.info.get(_USED)
    if used is None or time.monotonic() - used < _IDLE_SECONDS:
        return
    try:
        dialect.do_ping(connection)
    except dialect.loaded_dbapi.Error as error:
        raise DisconnectionError from error


def _prepare_sqlite(connection: Any, pragmas: Sequence[str]) -> None:
    # The driver's own transaction handling begins too late for a consistent read-then-write.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (*_PRAGMAS, *pragmas):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


class _Turns:
    """Lets the threads of one process write one after the other, each woken when it is its turn.

    SQLite has one writer at a time anyway, but who finds it busy sleeps and looks again, for longer each time: with
    four threads that write all the time half of it went by asleep. Other processes still wait for the file.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def begin(self, connection: Connection) -> None:
        """Wait for the turn where the transaction may write, then begin it."""
        if not connection.get_execution_options().get(_WRITE, True):
            connection.exec_driver_sql("BEGIN")
            return
        info = connection.info
        if not info.get(_TURN):
            info[_TURN] = self._lock.acquire(timeout=_BUSY_SECONDS)
        try:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        except BaseException:
            self._give_up(info)
            raise

    def end(self, _connection: object, record: ConnectionPoolEntry) -> None:
        """The connection goes back to the pool: the next one's turn."""
        self._give_up(record.info)

    def _give_up(self, info: dict[Any, Any]) -> None:
        if info.pop(_TURN, False):
            self._lock.release()
