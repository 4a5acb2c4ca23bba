"""What only one process of the whole installation may do at a time: the lock is let go when its holder dies."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import func, select

from core.database import Database


@contextmanager
def alone(database: Database, name: str) -> Iterator[bool]:
    """Whether this process is the one that does `name` now; False while another is at it, without waiting.

    On PostgreSQL an advisory lock of a connection of its own, for all machines; beside SQLite, which is of one
    machine, a lock on a file next to the database.
    """
    if not database.is_sqlite:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
        with database.engine.connect() as connection:
            held = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
            try:
                yield held
            finally:
                if held:
                    connection.scalar(select(func.pg_advisory_unlock(number)))
        return
    handle = os.open(
        f"{database.engine.url.database}.{name}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
    )
    try:
        yield _take(handle)
    finally:
        os.close(handle)


def _take(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
