"""Makes archives of plaques and posters: part by part, each on disk before the next; a kill loses at most the part in hand.

A worker holds an archive by a lease that it renews with every part; when the worker dies the lease runs out and
whoever looks next goes on behind the parts that are there. A part is written under another name and then renamed,
so a half one is never taken for a whole one. The finished file is kept for `plaque_days`, under home.
"""

import csv
import io
import os
import secrets
import shutil
import threading
import zipfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from sqlalchemy import bindparam, delete, update
from sqlmodel import col, or_, select

from campaign.base.models import CANCELLED, DONE, FAILED, PLAQUES, POSTERS, QUEUED, RUNNING, PlaqueArchive
from campaign.base.plaque_making import Plaques
from core.cells import to_csv
from core.database import Database, Prepared, UtcDateTime
from core.errors import DomainError
from core.settings import Settings
from tracking.attribution import Attributions
from tracking.printing import Printer

PART = 50  # outlets: pages of one PDF, so that fonts are embedded once for all of them
LEASE = timedelta(seconds=90)
log = structlog.get_logger()

_FREE = or_(
    col(PlaqueArchive.state) == QUEUED,
    (col(PlaqueArchive.state) == RUNNING)
    & (
        col(PlaqueArchive.leased_until).is_(None)
        | (col(PlaqueArchive.leased_until) < bindparam("now", type_=UtcDateTime))
    ),
)
_NEXT = Prepared(select(col(PlaqueArchive.id)).where(_FREE).order_by(col(PlaqueArchive.id)).limit(1))
_OVER = Prepared(
    select(col(PlaqueArchive.id)).where(col(PlaqueArchive.ended_at) < bindparam("late", type_=UtcDateTime))
)


def folder_of(settings: Settings, number: int) -> Path:
    """Where the parts and the file of an archive lie."""
    return settings.home / "plaques" / str(number)


def file_of(settings: Settings, number: int) -> Path:
    """The finished file."""
    return folder_of(settings, number) / "plaques.zip"


class Maker(Protocol):
    """Makes what archives of one kind hold."""

    headings: Sequence[str]

    def part(self, one: PlaqueArchive, codes: Sequence[str], printer: Printer | None) -> bytes:
        """Some outlets' files as a ZIP; in its entry `index` their lines, in the order of `headings`."""

    def readme(self, one: PlaqueArchive, count: int) -> str:
        """What lies in the archive, in a few lines."""


class Archives:
    """Carries archives out, one at a time in a process; several processes share the rows."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        attributions: Attributions,
        clock: Callable[[], datetime],
        lease: timedelta = LEASE,
        *,
        posters: Maker | None = None,
    ) -> None:
        self._settings, self._database = settings, database
        self.plaques = Plaques(settings, database, attributions)
        self._makers: dict[str, Maker] = {PLAQUES: self.plaques} | ({POSTERS: posters} if posters else {})
        self._clock, self._lease = clock, lease
        self._me = secrets.token_hex(8)
        self._stopping = threading.Event()

    def run_once(self) -> int:
        """Make all that waits; returns how many archives came to an end. Clears what is over its time."""
        self.tidy()
        ended = 0
        while not self._stopping.is_set() and (number := self._claim()):
            ended += self._carry(number)
        return ended

    def stop(self) -> None:
        """Have a run end behind the part in hand."""
        self._stopping.set()

    def tidy(self) -> int:
        """Take away cancelled work and what was kept long enough, rows too; returns how many folders went."""
        late = self._clock() - timedelta(days=self._settings.plaque_days)
        over = [number for (number,) in self._database.ask(_OVER, {"late": late})]
        if over:
            with self._database.transaction() as session:
                session.execute(delete(PlaqueArchive).where(col(PlaqueArchive.id).in_(over)))
        root, gone = self._settings.home / "plaques", 0
        folders = sorted(root.iterdir()) if root.is_dir() else []
        with self._database.reading() as session:
            for folder in folders:
                one = session.get(PlaqueArchive, int(folder.name)) if folder.name.isdigit() else None
                if one is None or one.state == CANCELLED:
                    shutil.rmtree(folder, ignore_errors=True)
                    gone += 1
        return gone

    def _claim(self) -> int:
        """Take one that waits, or whose worker is gone; its number, 0 for none."""
        now = self._clock()
        found = self._database.ask(_NEXT, {"now": now})
        if not found:
            return 0
        number = int(found[0][0])
        values = {"state": RUNNING, "worker": self._me, "leased_until": now + self._lease}
        mine = update(PlaqueArchive).where(col(PlaqueArchive.id) == number, _FREE)
        with self._database.transaction() as session:
            if session.connection().execute(mine.values(**values), {"now": now}).rowcount != 1:
                return 0
            one = session.get_one(PlaqueArchive, number)
            one.begun_at = one.begun_at or now
        return number

    def _carry(self, number: int) -> bool:
        """Make one to its end, or until it is cancelled, taken over, or this process stops."""
        try:
            with self._database.reading() as session:
                one = session.get_one(PlaqueArchive, number)
            if not self._parts(one):
                return False
            size = self._join(one)
        except (DomainError, OSError, zipfile.BadZipFile) as error:
            log.warning("plaques_failed", number=number, error=type(error).__name__)
            fault = error.message if isinstance(error, DomainError) else type(error).__name__
            return self._settle(number, state=FAILED, fault=fault, ended_at=self._clock(), leased_until=None)
        values = {
            "state": DONE,
            "bytes": size,
            "made": one.total,
            "ended_at": self._clock(),
            "leased_until": None,
        }
        return self._settle(number, **values)

    def _parts(self, one: PlaqueArchive) -> bool:
        """Every part that is not there yet; False when the work is no longer ours."""
        folder = folder_of(self._settings, one.id or 0)
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with ExitStack() as stack:
            printer: Printer | None = None
            for place, first in enumerate(range(0, one.total, PART)):
                part = folder / _part_name(place)
                if not zipfile.is_zipfile(part):
                    printer = printer or (stack.enter_context(Printer(folder)) if one.pdf else None)
                    _write(part, self._made(one, one.outlets[first : first + PART], printer))
                made = min(one.total, first + PART)
                if not self._settle(one.id or 0, made=made, leased_until=self._clock() + self._lease):
                    return False
                if self._stopping.is_set():
                    self._settle(one.id or 0, leased_until=None)
                    return False
        return True

    def _settle(self, number: int, **values: object) -> bool:
        """Write to the row while it is ours and running; whether it still was."""
        mine = update(PlaqueArchive).where(
            col(PlaqueArchive.id) == number,
            col(PlaqueArchive.state) == RUNNING,
            col(PlaqueArchive.worker) == self._me,
        )
        with self._database.transaction() as session:
            return session.connection().execute(mine.values(**values)).rowcount == 1

    def _made(self, one: PlaqueArchive, codes: Sequence[str], printer: Printer | None) -> bytes:
        """A part: the files of some outlets, and their lines of the index."""
        return self._makers[one.kind].part(one, codes, printer)

    def _join(self, one: PlaqueArchive) -> int:
        """All parts as the one file; its size in bytes."""
        number = one.id or 0
        folder, target = folder_of(self._settings, number), file_of(self._settings, number)
        fresh = target.with_suffix(f".{self._me}")
        rows: list[list[str]] = []
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED) as whole:
            for place in range(-(-one.total // PART)):
                with zipfile.ZipFile(folder / _part_name(place)) as part:
                    rows += csv.reader(io.StringIO(part.read("index").decode(), newline=""))
                    for entry in part.infolist():
                        if entry.filename != "index":
                            whole.writestr(entry.filename, part.read(entry), entry.compress_type)
            maker = self._makers[one.kind]
            whole.writestr("index.csv", to_csv(maker.headings, rows))
            whole.writestr("README.txt", maker.readme(one, len(rows)))
        fresh.rename(target)
        for place in range(-(-one.total // PART)):
            (folder / _part_name(place)).unlink(missing_ok=True)
        return target.stat().st_size


def _part_name(place: int) -> str:
    return f"part-{place:04}.zip"


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all, also when the power goes."""
    fresh = path.with_suffix(f".{secrets.token_hex(4)}")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.rename(path)
