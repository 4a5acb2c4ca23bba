"""How the reach store comes by its engine: in this process, or on a server or a cluster. Alone imports its client."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import clickhouse_connect
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, OperationalError

from tracking import address
from tracking.address import Address
from tracking.layout import DDL_SECONDS

__all__ = ["QUERY", "Client", "embedded", "make_database", "remote", "sentences", "step_back"]

QUERY = {
    "max_query_size": 64_000_000,
    "max_ast_elements": 10_000_000,
    "max_expanded_ast_elements": 10_000_000,
}
_NICE = 10
# What the embedded engine names the threads that it starts, when it needs them.
_OWN = (
    "BgSchPool", "BgStrmSchPool", "Common", "Fetch", "MergeMutate", "Move", "PoolDelayExec", "QueryPipelineEx",
    "QueryPullPipeEx", "ThreadPool",
)  # fmt: skip
_TASKS = Path("/proc/self/task")


def embedded(path: str) -> tuple[Client, Client]:
    """Two clients of the engine in a folder, with all the threads that a question may need."""
    first, second = _embedded(path), _embedded(path)
    first.command(
        "SELECT max(number) FROM numbers_mt(1000000) SETTINGS max_threads = 16, use_concurrency_control = 0"
    )
    return first, second


def step_back() -> None:
    """Have the threads of the embedded engine come after the others of this process: pages come first.

    Not those that ask it: who asks holds the interpreter now and then, and every page would wait for a thread that
    waits for its turn (the engine's own setting does that). Priorities are of threads on Linux alone; elsewhere nothing
    happens.
    """
    for task in _TASKS.iterdir() if _TASKS.is_dir() else ():
        try:
            own = (task / "comm").read_text(encoding="ascii").rstrip() in _OWN
            if own and os.getpriority(os.PRIO_PROCESS, int(task.name)) < _NICE:
                os.setpriority(os.PRIO_PROCESS, int(task.name), _NICE)
        except OSError:
            continue  # it ended meanwhile, or somebody else set it


def _embedded(path: str) -> Client:
    """A client of the engine in a folder, with its settings: given with each question they would be ten more."""
    client = clickhouse_connect.get_client(interface="chdb", path=path)
    for name, value in QUERY.items():
        client.command(f"SET {name} = {value}")
    return client


def remote(where: Address, database: str | None = None) -> Client:
    """A client of a server, in its database or another."""
    return clickhouse_connect.get_client(
        host=where.host,
        port=where.port,
        username=where.user,
        password=where.password,
        secure=where.secure,
        database=database or where.database,
        settings=where.settings,
        # a statement to all servers of a cluster waits for the slowest
        send_receive_timeout=DDL_SECONDS + 60,
        # a session would let only one query at a time through
        autogenerate_session_id=False,
        show_clickhouse_errors="scrub",
    )


def make_database(where: Address) -> None:
    """Make the database where it is not there yet."""
    for statement in where.layout.database_statements():
        first = remote(where, "default")
        try:
            first.command(statement)
        finally:
            first.close()


@contextmanager
def sentences(where: Address | None) -> Iterator[None]:
    """Say in a sentence that a server is away or refuses us; errors of the embedded engine stay as they are."""
    try:
        yield
    except DatabaseError as error:
        away = where and address.away(where, error.code)
        if not away or (error.code is None and not isinstance(error, OperationalError)):
            raise
        raise away from None
