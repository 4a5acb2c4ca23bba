"""A process made to be killed: appends events, drains them, and says which ones it has acknowledged.

`python -m tests.tracking.crashing HOME MODE` where MODE is
`write`  append from four threads and drain beside them until killed; each kept id goes to stdout,
`after`  drain what is there, and die between the store's confirmation and the deletion,
`before` drain what is there, and die between taking a segment up and shipping it,
and a careless twin shows what the guards are for:
`careless-after`  ships without the segment's name, `careless-before` deletes before it ships,
`count`  drain, then print what the store holds: id, rows.
"""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from core import clock
from core.settings import Settings
from tracking.drain import Drain, Store
from tracking.events import new_event, new_id, to_line
from tracking.spool import Spool
from tracking.store import ReachStore


def die() -> None:
    """End as a power cut ends a process: nothing is flushed, nothing is cleaned up."""
    os.kill(os.getpid(), signal.SIGKILL)


class Dying:
    """A store around which the process dies."""

    def __init__(self, store: Store, *, before: bool, rename: bool = False) -> None:
        self._store = store
        self._before = before
        self._rename = rename

    def ship(self, segment: str, lines: bytes | Path) -> None:
        if self._before:
            die()
        self._store.ship(f"seg-{new_id()}" if self._rename else segment, lines)
        die()


class DeletingFirst(Drain):
    """A drain that deletes before it ships: the control without the confirmation."""

    def _ship(self, path: Path) -> int:
        lines = path.read_bytes()
        path.unlink()
        self._store.ship(path.stem, lines)
        return lines.count(b"\n")


def write(home: Path, spool: Spool, store: Store) -> None:
    settings = Settings(home=home)
    told = threading.Lock()

    def append() -> None:
        while True:
            event = new_event("visited", at=clock.now(), zone=settings.zone, visitor=1)
            spool.append(to_line(event))
            with told:
                os.write(1, f"{event.id}\n".encode())
            time.sleep(0.0002)

    for _ in range(4):
        threading.Thread(target=append, daemon=True).start()
    drain = Drain(spool, store)
    while True:
        drain.run_once()
        time.sleep(0.01)


def count(spool: Spool, store: ReachStore) -> None:
    spool.close()
    Drain(spool, store).run_once()
    for event, rows in store.query("SELECT id, count() FROM reach_event GROUP BY id"):
        sys.stdout.write(f"{event} {rows}\n")


def main(home: Path, mode: str) -> None:
    settings = Settings(home=home)
    spool = Spool(settings.spool_dir, seal_seconds=0.05)
    store = ReachStore.open(settings)
    drains: dict[str, Callable[[], Drain]] = {
        "after": lambda: Drain(spool, Dying(store, before=False)),
        "before": lambda: Drain(spool, Dying(store, before=True)),
        "careless-after": lambda: Drain(spool, Dying(store, before=False, rename=True)),
        "careless-before": lambda: DeletingFirst(spool, Dying(store, before=True)),
    }
    if mode == "write":
        write(home, spool, store)
    elif mode == "drain":
        sys.stdout.write("draining\n")
        sys.stdout.flush()
        Drain(spool, store).run_once()
    elif mode == "count":
        count(spool, store)
    else:
        drains[mode]().run_once()
    store.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
