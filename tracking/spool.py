"""The spool: append-only segment files, durable before anything is answered, in the store's own format.

A writer owns its segment `seg-….open` and holds a file lock on it, so that anyone can tell an orphan from
a living one. Sealing renames it to `.tsv`; only the drain deletes a sealed segment. Names sort by time.
"""

import ctypes
import errno
import os
import secrets
import threading
import time
from collections.abc import Iterable
from ctypes import c_size_t
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings
from tracking import health
from tracking.files import OPEN, SEALED, owned, seal, sync_folder, write_durably
from tracking.group_sync import GroupSync
from tracking.health import Health

SEGMENT, DROPS = "seg-", "drops-"
_TRIES = 1000  # before a writer sleeps on the lock all the same
TORN, REJECTED = "torn", "rejected"


class SpoolError(OSError):
    """A line could not be kept: the disk is full or the folder cannot be written."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What a recovery found: orphan segments sealed, and torn last lines set aside."""

    sealed: int = 0
    torn: int = 0


@dataclass(slots=True)
class _Open:
    """The segment being written: its name, file and size, and who waits for the disk, if anybody does."""

    path: Path
    file: int
    size: int
    since: float
    group: GroupSync | None = None


class Spool:
    """One folder of segments. `append` is safe from many threads; several processes may share the folder.

    With `sync` a line is kept only when an fsync confirmed it; those who write at the same time share one.
    """

    def __init__(
        self, folder: Path, seal_seconds: float = 2.0, seal_bytes: int = 8_388_608, *, sync: bool = False
    ) -> None:
        self.folder = folder
        self.health = Health(folder)
        self._sync = sync
        self._seal_seconds = seal_seconds
        self._seal_bytes = seal_bytes
        self._lock = threading.Lock()
        self._segment: _Open | None = None
        self._full: list[_Open] = []
        try:
            for path in (folder, folder / TORN, folder / REJECTED):
                path.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # pages are served all the same, and `append` says what is the matter
            self.health.note(health.NOT_KEPT, error)

    @classmethod
    def of(cls, settings: Settings) -> "Spool":
        """The spool of these settings."""
        return cls(
            settings.spool_dir,
            settings.spool_seal_seconds,
            settings.spool_seal_bytes,
            sync=settings.spool_sync,
        )

    def append(self, lines: bytes) -> None:
        """Keep whole lines; returns once write(2) took them all (with `sync`: an fsync). SpoolError if not."""
        try:
            if not self._lock.acquire(False):
                self._wait_for_turn()
            try:
                segment = self._segment or self._begin()
                size = len(lines)
                written = _libc_write(segment.file, lines, _SIZES[size] if size < 1024 else c_size_t(size))
                if written != size:
                    written = self._short(segment, lines, written)
                segment.size = place = segment.size + written
                if place >= self._seal_bytes:
                    self._retire()
            finally:
                self._lock.release()
            if segment.group is not None:
                self._confirm(segment, segment.group, place)
        except OSError as error:
            self.health.note(health.NOT_KEPT, error)
            if isinstance(error, SpoolError):
                raise
            raise SpoolError(error.errno, f"the spool cannot be written: {error}") from error

    def _wait_for_turn(self) -> None:
        """Take the lock, asking for it only while running: who sleeps on it is handed it while another thread has the
        interpreter, and beside reports and the drain all views then queue behind one that cannot go on."""
        for _ in range(_TRIES):
            time.sleep(0)
            if self._lock.acquire(False):
                return
        self._lock.acquire()

    def _confirm(self, segment: _Open, group: GroupSync, place: int) -> None:
        """Wait for the disk; after it refused, no further line goes into this segment."""
        try:
            group.wait(place)
        except OSError:
            with self._lock:
                if self._segment is segment:
                    self._retire()
            raise

    def _begin(self) -> _Open:
        """A new segment, locked, whose name no process has used before."""
        while True:
            path = self.folder / f"{_unique(SEGMENT)}{OPEN}"
            file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
            if owned(path, file):
                group = GroupSync(file) if self._sync else None
                if group:
                    sync_folder(self.folder)
                self._segment = _Open(path, file, 0, time.monotonic(), group)
                return self._segment
            os.close(file)  # a recovery elsewhere took the empty file for an orphan, in between

    def _short(self, segment: _Open, lines: bytes, written: int) -> int:
        """A write that did not take all: once more if a signal came between, else what is there is cut off."""
        while written < 0:
            number = ctypes.get_errno()
            if number != errno.EINTR:
                raise OSError(number, os.strerror(number))
            written = _libc_write(segment.file, lines, c_size_t(len(lines)))
        if written != len(lines):
            self._take_back(segment)
            short = f"only {written} of {len(lines)} bytes could be written"
            raise SpoolError(errno.ENOSPC, short)
        return written

    def _take_back(self, segment: _Open) -> None:
        """Cut off a half-written line; if even that fails, no further line may follow it."""
        try:
            os.ftruncate(segment.file, segment.size)
        except OSError:
            self._retire()

    def _retire(self) -> None:
        if self._segment is not None:
            self._full.append(self._segment)
            self._segment = None

    def seal_if_due(self, *, now: bool = False) -> None:
        """Seal what is old or large enough; with `now` whatever has been written so far."""
        with self._lock:
            segment = self._segment
            if segment and (now or time.monotonic() - segment.since >= self._seal_seconds):
                self._retire()
        while self._full:
            try:
                one = self._full.pop()
            except IndexError:
                return  # another thread sealed the last one
            self._finish(one)

    def _finish(self, one: _Open) -> None:
        """Seal a full segment outside the lock; if the disk refuses, the next look tries again."""
        try:
            if one.group:
                one.group.finish()
            seal(one.path, one.file)
        except FileNotFoundError:
            pass  # somebody removed it: there is nothing left to seal
        except OSError:
            self._full.append(one)
            raise
        os.close(one.file)

    def deposit(self, name: str, lines: Iterable[bytes]) -> None:
        """Keep lines as a sealed segment of this name, whole or not at all; again changes nothing."""
        if not name or not set(name) <= _NAME or name.startswith("."):
            raise ValueError(f"not a name for a segment: {name!r}")
        target = self.folder / f"{name}{SEALED}"
        content = b"".join(lines)
        if not content or target.exists():
            return
        temporary = self.folder / f".{name}.{secrets.token_hex(6)}"
        try:
            with temporary.open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(target)
            sync_folder(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise SpoolError(error.errno, f"the spool cannot be written: {error}") from error

    def deposit_drops(self, lines: Iterable[bytes]) -> None:
        """Keep counted drops as a sealed segment of their own table."""
        self.deposit(_unique(DROPS), lines)

    def sealed(self) -> list[Path]:
        """Sealed segments, oldest first."""
        found = [path for path in self.folder.glob(f"*{SEALED}") if not path.name.startswith(".")]
        return sorted(found, key=_age)

    def waiting(self) -> int:
        """Bytes in the folder that the store has not confirmed."""
        files = [*self.folder.glob(f"*{OPEN}"), *self.folder.glob(f"*{SEALED}")]
        return sum(_age_and_size(path)[1] for path in files)

    def recover(self) -> Recovered:
        """Seal the segments of dead processes; a torn last line is set aside and counted, never guessed."""
        sealed = torn = 0
        for path in self.folder.glob(f"*{OPEN}"):
            outcome = self._adopt(path)
            sealed += outcome.sealed
            torn += outcome.torn
        return Recovered(sealed, torn)

    def _adopt(self, path: Path) -> Recovered:
        try:
            file = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return Recovered()  # its owner sealed it meanwhile
        try:
            if not owned(path, file):
                return Recovered()
            torn = self._cut(path, file)
            if os.fstat(file).st_size == 0:
                path.unlink()
                return Recovered(0, torn)
            seal(path, file)
            return Recovered(1, torn)
        finally:
            os.close(file)

    def _cut(self, path: Path, file: int) -> int:
        """Move a last line without its newline to `torn/`, first there, then off here; how many (0 or 1)."""
        content = path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole == len(content):
            return 0
        aside = self.folder / TORN / path.stem
        aside.parent.mkdir(exist_ok=True)
        write_durably(aside, content[whole:])
        os.ftruncate(file, whole)
        return 1

    def close(self) -> None:
        """Seal what is open; the spool can still be appended to and will begin a new segment."""
        self.seal_if_due(now=True)


# write(2) without letting go of the interpreter: it takes 2 µs, and handing the interpreter to another thread
# and back takes ten times that (os.write: 22,000 beacons/s on four threads; so: 32,000).
# Numbers and bytes go as C's int and char *; the size is made a size_t beforehand, because having every argument
# converted by `argtypes` takes a third of the call.
_libc_write = ctypes.PyDLL(None, use_errno=True).write
_libc_write.restype = ctypes.c_ssize_t
_SIZES = tuple(map(c_size_t, range(1024)))


_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.")


def _unique(prefix: str) -> str:
    return f"{prefix}{time.time_ns():019d}-{os.getpid()}-{secrets.token_hex(4)}"


def _age(path: Path) -> tuple[int, str]:
    return _age_and_size(path)[0], path.name


def _age_and_size(path: Path) -> tuple[int, int]:
    try:
        status = path.stat()
    except FileNotFoundError:
        return 0, 0
    return status.st_mtime_ns, status.st_size
