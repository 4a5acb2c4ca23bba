"""A process that does all the work of collecting at once, and kills itself at a moment that a seed chooses.

`python -m tests.tracking.dying HOME SEED [careless]`: writes events of the last days from three threads, seals
every few milliseconds, drains, closes days, deposits; each kept id goes to stdout. Its moments are before every
rename, unlink and truncation in the spool (the interpreter tells of them), before and after every shipment and
every statement to the store. `careless` ships without the segment's name, which is what the token is for, and dies after its third shipment.
"""

import os
import random
import signal
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from core import clock
from core.settings import Settings
from tracking import rollups
from tracking.drain import Drain
from tracking.events import new_event, new_id, to_line
from tracking.spool import Spool
from tracking.store import ReachStore

MOMENTS = 90  # a seed's moment is one of the first so many
_FILES = ("os.rename", "os.remove", "os.truncate")


class Moments:
    """Counts the moments and ends the process, as a power cut does, at the chosen one."""

    def __init__(self, spool: Path, last: int, only: str = "") -> None:
        self._spool, self._left, self._lock = str(spool), last, threading.Lock()
        self._only = only

    def pass_by(self, name: str) -> None:
        with self._lock:
            self._left -= self._only in ("", name)
            if self._left <= 0:
                os.write(2, f"{name}\n".encode())
                os.kill(os.getpid(), signal.SIGKILL)
                time.sleep(10)

    def heard(self, event: str, arguments: tuple[Any, ...]) -> None:
        """An audit hook: called before the call is made."""
        if event in _FILES and str(arguments[0]).startswith(self._spool):
            self.pass_by(f"{event} {Path(str(arguments[0])).suffix}")


class Watched:
    """The store, with a moment before and after all that it does."""

    def __init__(self, store: ReachStore, moments: Moments, *, careless: bool) -> None:
        self._store, self._moments, self._careless = store, moments, careless

    def ship(self, segment: str, lines: bytes | Path) -> None:
        self._moments.pass_by("ship")
        self._store.ship(f"seg-{new_id()}" if self._careless else segment, lines)
        self._moments.pass_by("shipped")

    def watch_statements(self) -> None:
        """Also the statements by which days are closed."""
        for name in ("_run", "insert"):
            real = getattr(self._store, name)

            def told(*given: Any, _name: str = name, _real: Any = real, **named: Any) -> None:
                self._moments.pass_by(_name)
                _real(*given, **named)
                self._moments.pass_by(f"{_name} done")

            setattr(self._store, name, told)


def write(spool: Spool, settings: Settings, told: threading.Lock, chance: random.Random) -> None:
    while True:
        at = clock.now() - timedelta(days=chance.randrange(3))
        event = new_event("visited", at=at, zone=settings.zone, visitor=chance.randrange(1, 50), outlet="1")
        spool.append(to_line(event))
        with told:
            os.write(1, f"{event.id}\n".encode())
        time.sleep(0.0005)


def main(home: Path, seed: int, *, careless: bool) -> None:
    chance = random.Random(seed)
    settings = Settings(home=home)
    spool = Spool(settings.spool_dir, seal_seconds=0.01, seal_bytes=4000)
    store = ReachStore.open(settings)
    last = chance.randrange(1, MOMENTS)
    moments = Moments(settings.spool_dir, 3, "shipped") if careless else Moments(settings.spool_dir, last)
    watched = Watched(store, moments, careless=careless)
    watched.watch_statements()
    sys.addaudithook(moments.heard)
    told = threading.Lock()
    for number in range(3):
        own = random.Random(seed * 10 + number)
        threading.Thread(target=write, args=(spool, settings, told, own), daemon=True).start()
    drain, today = Drain(spool, watched), clock.today(settings.zone)
    for turn in range(10_000):
        event = new_event("delivered", at=clock.now(), zone=settings.zone, outlet="1")
        spool.deposit(f"push-{seed}-{turn}", [to_line(event)])
        with told:
            os.write(1, f"{event.id}\n".encode())
        drain.run_once()
        if turn % 3 == 2:
            rollups.close_days(store, today)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), careless="careless" in sys.argv)
