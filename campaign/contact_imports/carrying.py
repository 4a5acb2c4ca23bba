"""Carries imports out, one at a time in a process; several processes share the rows.

A worker holds an import by a lease that it renews as it goes; when the worker dies the lease runs out and whoever looks
next begins its reading anew (nothing was written by then) or goes on writing at the mark.
"""

import json
import secrets
import shutil
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Generator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import structlog
from sqlalchemy import bindparam, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, or_, select

from campaign import audience_import, audience_rows
from campaign.audience_ready import Ready
from campaign.audience_writing import many_keys
from campaign.contact_imports import applying, pages, register
from campaign.contact_imports.models import (
    APPLYING,
    CANCELLED,
    CHECKED,
    FAILED,
    QUEUED,
    READING,
    ContactImport,
)
from campaign.contact_imports.reading import Reading, pages_of, refused
from campaign.contact_imports.sorting import Rules
from campaign.contact_imports.staged import Staged
from core.beside import Lost, has_room
from core.database import Database, Prepared, UtcDateTime
from core.errors import Conflict, DomainError, Invalid
from core.i18n import mark
from core.long_writing import long_writing
from core.privacy import Vault
from core.settings import Settings

LEASE = timedelta(seconds=90)
KEPT = timedelta(days=7)  # what nobody confirmed, and the bad rows of what is done
BESIDE_FROM = 2 << 20  # bytes of a file that is worth a second process, which takes a second or two to start
PAGE_ROWS = 2_000  # a page is written in a tenth of a second or two, for which others that write wait
_ATTEMPTS = 3
_ORPHAN_SECONDS = 3600
_TELL_SECONDS = 1.0
_BROKEN = (OSError, ValueError, LookupError, SyntaxError, EOFError, zipfile.BadZipFile, zlib.error)
log = structlog.get_logger()

_FREE = or_(
    col(ContactImport.state) == QUEUED,
    or_(col(ContactImport.state) == READING, col(ContactImport.state) == APPLYING)
    & (
        col(ContactImport.leased_until).is_(None)
        | (col(ContactImport.leased_until) < bindparam("now", type_=UtcDateTime))
    ),
)
_NEXT = Prepared(select(col(ContactImport.id)).where(_FREE).order_by(col(ContactImport.id)).limit(1))


class Imports:
    """Reads and applies contact files. `page_rows` is about how many are written at once; files of `beside_from` bytes
    and more have a process beside this one."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        clock: Callable[[], datetime],
        *,
        lease: timedelta = LEASE,
        page_rows: int = PAGE_ROWS,
        beside_from: int | None = BESIDE_FROM,
    ) -> None:
        self._settings, self._database, self._vault = settings, database, vault
        self._clock, self._lease, self._page_rows = clock, lease, page_rows
        self._beside_from = beside_from
        self.me = secrets.token_hex(8)
        self._stopping = threading.Event()

    def staged(self, one: ContactImport) -> Staged:
        """What lies on disk for an import."""
        return Staged(self._root / one.folder, self._vault)

    def save(self, stream: BinaryIO) -> tuple[str, int]:
        """Keep an upload under home; the name of its folder, and its bytes."""
        folder = secrets.token_hex(16)
        return folder, Staged(self._root / folder, self._vault).save(stream)

    def discard(self, folder: str) -> None:
        """Take a folder away."""
        shutil.rmtree(self._root / folder, ignore_errors=True)

    def run_once(self) -> int:
        """Carry on all that waits; returns how many came to an end or to a question. Clears what is over its time."""
        self.tidy()
        ended = 0
        while not self._stopping.is_set() and (number := self._next()):
            ended += self.carry(number)
        return ended

    def stop(self) -> None:
        """Have a run end behind the rows in hand."""
        self._stopping.set()

    def carry(self, number: int) -> bool:
        """Carry one on as far as it goes without a person; False when it is another's, or was interrupted."""
        one = self._claim(number)
        if one is None:
            return False
        try:
            if one.state == READING:
                self._read(one)
            if one.state == APPLYING:
                self._apply(one)
        except Lost as error:
            log.warning("contact_import_alone", number=number, error=str(error))
            self._beside_from = None  # who looks when the lease is over goes on; we do so alone
            return False
        except Conflict:
            return False  # cancelled, taken over, or this process stops
        return True

    def tidy(self) -> None:
        """Take away what nobody needs: uploads that were read, what was given up, what was kept long enough."""
        folders = [one for one in self._root.iterdir() if one.is_dir()] if self._root.is_dir() else []
        now = self._clock()
        for folder in folders:
            with self._database.reading() as session:
                mine = select(ContactImport).where(ContactImport.folder == folder.name)
                one = session.exec(mine).first()
            if one is None:
                if now.timestamp() - folder.stat().st_mtime > _ORPHAN_SECONDS:
                    self.discard(folder.name)
            elif one.state in (CANCELLED, FAILED) or (one.ended_at and one.ended_at < now - KEPT):
                self.discard(folder.name)
            elif one.state == CHECKED and one.stage_at and one.stage_at < now - KEPT:
                with self._database.transaction() as session:
                    register.cancel(session, one.id or 0, now=now)
            elif one.state not in (QUEUED, READING):
                self.staged(one).forget_upload()

    def _next(self) -> int:
        found = self._database.ask(_NEXT, {"now": self._clock()})
        return int(found[0][0]) if found else 0

    def _claim(self, number: int) -> ContactImport | None:
        now = self._clock()
        with self._database.transaction() as session:
            one = session.get_one(ContactImport, number)
            state = READING if one.state == QUEUED else one.state
            values: dict[str, Any] = {"state": state, "worker": self.me, "leased_until": now + self._lease}
            if state == READING:
                values |= {"attempts": one.attempts + 1, "stage_at": now, "share": 0.0}
            mine = update(ContactImport).where(col(ContactImport.id) == number, _FREE)
            if session.connection().execute(mine.values(**values), {"now": now}).rowcount != 1:
                return None
            session.refresh(one)
            return one

    def _read(self, one: ContactImport) -> None:
        """Read and check the file; behind it the import waits for a person, or is to be written."""
        staged = self.staged(one)
        try:
            if one.attempts > _ATTEMPTS:
                raise Invalid(mark("这个文件几次都没有读完，请把它分成几个小一些的文件再试。"))
            with staged.upload.open("rb") as file:
                sheet = audience_rows.read(file)
                one.sha256 = sheet.source.sha256
                one.pages = pages_of(sheet.source.size, self._page_rows, is_book=sheet.source.is_book)
                self._stage(one, staged, sheet)
        except (Conflict, Lost):
            raise
        except (DomainError, *_BROKEN) as error:
            self._fail(one, error)
            return
        waits = one.preview or (one.bad > 0 and not one.skip_bad) or one.bad == one.rows
        if waits:
            self._count(one, staged)
        counts = {name: getattr(one, name) for name in ("added", "changed", "unchanged", "refused")}
        fresh = {"rows": one.rows, "bad": one.bad, "sha256": one.sha256, "pages": one.pages}
        one.state = CHECKED if waits else APPLYING
        values: dict[str, Any] = {"state": one.state, "share": 0.0, "stage_at": self._clock()}
        self._settle(one, READING, **values, **fresh, **(counts if waits else {}))
        staged.forget_upload()

    def _stage(self, one: ContactImport, staged: Staged, sheet: audience_rows.Sheet) -> None:
        with self._database.reading() as session:
            outlets = audience_import.outlets_of(session, one.outlet_code)
        rules = Rules(sheet.columns, outlets, one.pages, self._settings.zone, self._clock())
        reading = Reading(staged, sheet, self._vault, rules, beside=self._has_help(one))
        reading.run(self._telling(one))
        one.rows, one.bad = reading.rows, reading.bad

    def _telling(self, one: ContactImport) -> Callable[[int, int, float], None]:
        """Says how far the reading is, once a second: each time is a transaction."""
        told = time.monotonic()

        def tell(rows: int, bad: int, share: float) -> None:
            nonlocal told
            if time.monotonic() - told >= _TELL_SECONDS or self._stopping.is_set():
                self._settle(one, READING, rows=rows, bad=bad, share=share)
                told = time.monotonic()

        return tell

    def _count(self, one: ContactImport, staged: Staged) -> None:
        """What the good rows would do, for the person who decides."""
        tell = self._telling(one)
        with self._database.reading() as session:
            for page in range(one.pages):
                tell(one.rows, one.bad, page / one.pages)
                applying.count_page(session, one, staged.page(page), self._vault, self._clock())
                session.rollback()

    def _apply(self, one: ContactImport) -> None:
        """Write from the mark on. What goes wrong now is no fault of the file: it is tried again in a while."""
        staged = self.staged(one)
        staged.forget_upload()
        if not one.applied:
            self._settle(one, APPLYING, **dict.fromkeys(("added", "changed", "unchanged", "refused"), 0))
        try:
            with long_writing(self._database) as database, closing(self._pages(one, staged)) as found:
                for page, rows in found:
                    self._write(one, page, rows, database)
            with self._database.transaction() as session:
                applying.finish(session, session.get_one(ContactImport, one.id), self._clock())
        except (Invalid, OSError, DBAPIError) as error:
            log.error("contact_import_stuck", number=one.id, error=type(error).__name__)
            values = {"fault_sealed": self._sealed(error)} if isinstance(error, DomainError) else {}
            self._settle(one, APPLYING, **values)
            raise Conflict(mark("它的状态刚刚变了，请刷新后再看。")) from error
        staged.forget_rows()

    def _pages(self, one: ContactImport, staged: Staged) -> Generator[tuple[int, Ready]]:
        with self._database.reading() as session:
            many = many_keys(session, self._vault)
        given = staged, self._vault, one.outlet_code, many, one.pages > 1
        return pages.each(given, range(one.applied, one.pages), beside=self._has_help(one))

    def _has_help(self, one: ContactImport) -> bool:
        return self._beside_from is not None and one.bytes >= self._beside_from and has_room()

    def _write(self, one: ContactImport, page: int, rows: Ready, database: Database) -> None:
        now = self._clock()
        with database.transaction() as session:
            applying.write_page(session, one, page, rows, vault=self._vault, now=now, lease=now + self._lease)
        if self._stopping.is_set():
            self._settle(one, APPLYING, leased_until=None)
            raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))

    def _fail(self, one: ContactImport, error: Exception) -> None:
        log.warning("contact_import_failed", number=one.id, error=type(error).__name__)
        known = (
            error if isinstance(error, DomainError) else Invalid(mark("读不出这个文件，请另存为 CSV 再试。"))
        )
        ended = {"state": FAILED, "ended_at": self._clock(), "leased_until": None}
        self._settle(one, READING, fault_sealed=self._sealed(known), **ended)
        one.state = FAILED
        self.discard(one.folder)

    def _sealed(self, error: DomainError) -> str:
        kept = refused(error)
        return self._vault.encrypt(json.dumps([kept.message, kept.params], ensure_ascii=False))

    def fault(self, one: ContactImport) -> DomainError | None:
        """Why an import did not happen."""
        if not one.fault_sealed:
            return None
        message, params = json.loads(self._vault.decrypt(one.fault_sealed))
        return Invalid(message, **params)

    def _settle(self, one: ContactImport, during: str, **values: Any) -> None:
        """Write to the row while it is ours and in this state; Conflict when it is not, or this process stops."""
        if self._stopping.is_set():  # an orderly end is no attempt that failed
            values = {"leased_until": None, "attempts": max(0, one.attempts - 1)}
        mine = update(ContactImport).where(
            col(ContactImport.id) == one.id, col(ContactImport.state) == during,
            col(ContactImport.worker) == self.me,
        )  # fmt: skip
        values = {"leased_until": self._clock() + self._lease} | values
        with self._database.transaction() as session:
            ours = session.connection().execute(mine.values(**values)).rowcount == 1
        if not ours or self._stopping.is_set():
            raise Conflict(mark("它的状态刚刚变了，请刷新后再看。"))

    @property
    def _root(self) -> Path:
        return self._settings.home / "contact-imports"
