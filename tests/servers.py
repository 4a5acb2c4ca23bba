"""Real servers for tests: a PostgreSQL cluster of our own on loopback, template databases, free ports."""

import os
import shutil
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
from sqlmodel import SQLModel
from werkzeug.serving import WSGIRequestHandler, make_server

from core.database import Database
from webapp import tables  # noqa: F401  (all tables register themselves)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Silent(WSGIRequestHandler):
    """Keeps no log."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing: the tests read answers, not a log."""


@contextmanager
def listening(app: Any, port: int) -> Iterator[None]:
    """A WSGI application answered by threads of this process, on a port of loopback."""
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


# Empties all tables with whatever refers to them, and begins all numbers anew; a large table is cut off at once.
_EMPTY = """DO $$ DECLARE one record; BEGIN
  PERFORM set_config('session_replication_role', 'replica', true);
  FOR one IN SELECT oid, oid::regclass AS name FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0 LOOP
    IF pg_relation_size(one.oid) > 262144 THEN EXECUTE format('TRUNCATE %s CASCADE', one.name);
    ELSE EXECUTE format('DELETE FROM %s', one.name); END IF;
  END LOOP;
  PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, 1, false)
    FROM pg_sequences WHERE last_value IS NOT NULL;
END $$"""
_FILLED = """SELECT oid::regclass::text FROM pg_class
  WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"""
_NUMBERED = "SELECT sequencename FROM pg_sequences WHERE last_value IS NOT NULL"
_SEED = "INSERT INTO {0} SELECT * FROM json_populate_recordset(NULL::{0}, %s)"
_OTHERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
# Everything that a test might have made, changed or dropped.
_SHAPE = """SELECT concat(
  (SELECT md5(string_agg(concat(attrelid, attname, atttypid, attnotnull, attnum), ',' ORDER BY attrelid, attnum))
   FROM pg_attribute JOIN pg_class ON attrelid = pg_class.oid WHERE relnamespace = 'public'::regnamespace),
  (SELECT md5(string_agg(oid::text, ',' ORDER BY oid)) FROM pg_constraint),
  (SELECT md5(string_agg(oid::text, ',' ORDER BY oid)) FROM pg_trigger WHERE NOT tgisinternal),
  (SELECT md5(string_agg(nspname, ',' ORDER BY oid)) FROM pg_namespace WHERE nspname !~ '^pg_'))"""


@dataclass
class Template:
    """An empty database with all tables, and how to copy it.

    On PostgreSQL a copy that comes back with its tables as they were made is emptied and handed out again: making and
    dropping one takes longer than most tests do.
    """

    kind: str
    source: str
    free: list[str] = field(default_factory=list)
    shape: str = ""
    seeds: list[tuple[str, str]] = field(default_factory=list)

    @contextmanager
    def copy(self, home: Path) -> Iterator[str]:
        """The address of a fresh copy, taken back afterwards."""
        if self.kind == "sqlite":
            target = home / "signpost.db"
            shutil.copyfile(self.source, target)
            yield f"sqlite:///{target}"
            return
        name = self.free.pop() if self.free else self._made()
        try:
            yield f"{self.source}/{name}"
        finally:
            self._take_back(name)

    def _made(self) -> str:
        name = f"t{uuid.uuid4().hex}"
        self.admin(f"CREATE DATABASE {name} TEMPLATE signpost_template")
        return name

    def _take_back(self, name: str) -> None:
        """Empty it for the next test, or drop it when it is no longer what it was."""
        with self._connected(name) as session:
            session.execute(_OTHERS)
            if same := session.execute(_SHAPE).fetchone() == (self.shape,):
                session.execute(_EMPTY)
                for table, rows in self.seeds:
                    session.execute(_SEED.format(table).encode(), (rows,))
        if same:
            self.free.append(name)
        else:
            self.admin(f"DROP DATABASE {name} WITH (FORCE)")

    def look(self) -> None:
        """Remember the shape of a fresh copy, and the rows that making the tables puts into them."""
        self.free.append(name := self._made())
        with self._connected(name) as session:
            self.shape = str(session.execute(_SHAPE).fetchone()[0])  # type: ignore[index]
            assert not session.execute(_NUMBERED).fetchall(), "a number that is taken from the start"
            for (table,) in session.execute(_FILLED).fetchall():
                found = session.execute(f"SELECT json_agg(one)::text FROM {table} one".encode()).fetchone()
                if found and found[0]:
                    self.seeds.append((table, found[0]))

    def admin(self, statement: str) -> None:
        """Run a statement that stands outside of any transaction and database."""
        with self._connected("postgres") as session:
            session.execute(statement.encode())

    def _connected(self, name: str) -> "psycopg.Connection":
        address = self.source.replace("+psycopg", "")
        return psycopg.connect(f"{address}/{name}", autocommit=True)


@contextmanager
def template(kind: str, folder: Path) -> Iterator[Template]:
    """A template database of the kind; for PostgreSQL a cluster is started and stopped."""
    if kind == "sqlite":
        path = folder / "template.db"
        database = Database(f"sqlite:///{path}")
        SQLModel.metadata.create_all(database.engine)
        database.close()  # the last connection to close folds the write-ahead log into the file
        yield Template(kind, str(path))
        return
    with postgres(folder) as address:
        template = Template(kind, address)
        template.admin("CREATE DATABASE signpost_template")
        database = Database(f"{address}/signpost_template")
        SQLModel.metadata.create_all(database.engine)
        database.close()
        template.look()
        yield template


# A power cut may cost a test cluster everything; `kill -9` of a process costs it nothing.
_CARELESS = (
    "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "wal_level=minimal",
    "-c", "max_wal_senders=0", "-c", "checkpoint_timeout=30min",
)  # fmt: skip


def postgres_binary(name: str) -> str | None:
    """Path of a PostgreSQL program, also where Debian keeps them."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return str(found[-1]) if found else shutil.which(name)


@contextmanager
def postgres(folder: Path, *, durable: bool = False) -> Iterator[str]:
    """A PostgreSQL cluster on a free loopback port; yields its address without a database name.

    `durable`: commits reach the disk, for measurements; tests do without.
    """
    data, port = Path("/tmp") / f"signpost-pg-{uuid.uuid4().hex}", free_port()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    initdb, server = postgres_binary("initdb"), postgres_binary("postgres")
    if initdb is None or server is None:
        raise RuntimeError("PostgreSQL is not installed")
    subprocess.run(
        [
            *as_user,
            initdb,
            "-D",
            data,
            "-U",
            "signpost",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "-N",
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    options = [
        "-c",
        "listen_addresses=127.0.0.1",
        "-p",
        str(port),
        "-k",
        str(data),
        "-c",
        "max_connections=200",
        *(() if durable else _CARELESS),
    ]
    log = (folder / "postgres.log").open("wb")
    process = subprocess.Popen([*as_user, server, "-D", data, *options], stdout=log, stderr=log)
    try:
        _wait_for_port(port, process)
        yield f"postgresql+psycopg://signpost@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)
        log.close()
        shutil.rmtree(data, ignore_errors=True)


def _wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("PostgreSQL did not start; see postgres.log")
        ready = subprocess.run(
            [str(postgres_binary("pg_isready")), "-q", "-h", "127.0.0.1", "-p", str(port)], check=False
        )
        if ready.returncode == 0:
            return
        time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not answer within 30 s")
