"""Writing very many rows, transaction after transaction, with as little waiting for the disk as there can be.

SQLite keeps two megabytes of a file in memory, so that the index of a million hashes is read and written anew for nearly
each of them; and every transaction that is large carries the log into the file before it ends. Here a large part of the
file is kept, and a thread carries the log while the writer goes on. PostgreSQL has both by itself.

Nor does SQLite wait here for each transaction to be on the disk: when the power fails, the last ones may be gone, those
behind which no other connection has written. So this is for a writer that goes on from where the database says it is,
and whose last transaction is of the usual kind.
"""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

from core.database import Database

# KiB; pages of the log, should the thread not keep up
_LARGE = ("cache_size=-131072", "wal_autocheckpoint=16384", "synchronous=NORMAL")
_EVERY = 0.05  # seconds


@contextmanager
def long_writing(database: Database) -> Iterator[Database]:
    """The same database for the one who writes so much; others write between its transactions as always."""
    if not database.is_sqlite:
        yield database
        return
    large, ended = Database(database.url, of=database, pragmas=_LARGE), threading.Event()
    carrier = threading.Thread(target=_carry, args=(large, ended), name="log-carrier", daemon=True)
    carrier.start()
    try:
        yield large
    finally:
        ended.set()
        carrier.join()
        large.close()


def _carry(database: Database, ended: threading.Event) -> None:
    with closing(database.engine.raw_connection()) as connection:
        while not ended.wait(_EVERY):
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except database.engine.dialect.loaded_dbapi.Error:
                return  # what is wrong with the disk the writer finds out, and tells
