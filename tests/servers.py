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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
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


@dataclass
class Template:
    """An empty database with all tables, and how to copy it."""

    kind: str
    source: str

    @contextmanager
    def copy(self, home: Path) -> Iterator[str]:
        """The address of a fresh copy, dropped afterwards."""
        if self.kind == "sqlite":
            target = home / "signpost.db"
            shutil.copyfile(self.source, target)
            yield f"sqlite:///{target}"
            return
        name = f"t{uuid.uuid4().hex}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE signpost_template")
        try:
            yield f"{self.source}/{name}"
        finally:
            self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def _admin(self, statement: str) -> None:
        engine = create_engine(f"{self.source}/postgres", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


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
        template._admin("CREATE DATABASE signpost_template")
        database = Database(f"{address}/signpost_template")
        SQLModel.metadata.create_all(database.engine)
        database.close()
        yield template


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
        "fsync=on" if durable else "fsync=off",
        "-c",
        "max_connections=200",
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
