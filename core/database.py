"""The relational database: engine, transactions, and the column types that need care."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Engine, Executable, Row, create_engine, event
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Session

# How a transaction on SQLite begins: with the write lock, without, or (one question alone) not at all.
_BEGIN = "signpost_begin"


class UtcDateTime(TypeDecorator[datetime]):
    """An aware time: timestamptz on PostgreSQL, naive UTC text on SQLite, always aware UTC in Python."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a naive time: it would mean another hour on another machine."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Give the time back aware, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    """One engine and its two kinds of session. Who opens a transaction commits it; verbs never do."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine: Engine = _make_engine(url)
        self._reader = self.engine.execution_options(**{_BEGIN: "BEGIN"})
        alone = {_BEGIN: ""} if self.is_sqlite else {"isolation_level": "AUTOCOMMIT"}
        self._asker = self.engine.execution_options(**alone)

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

    def ask(self, question: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """The rows of one question asked alone: without a session, and without a transaction around it."""
        with self._asker.connect() as connection:
            return connection.execute(question, values).all()

    def close(self) -> None:
        """Close all pooled connections."""
        self.engine.dispose()


def _make_engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver's own transaction handling begins too late for a consistent read-then-write.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    begin = connection.get_execution_options().get(_BEGIN, "BEGIN IMMEDIATE")
    if begin:
        connection.exec_driver_sql(begin)
