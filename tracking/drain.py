"""Ships sealed segments to the store, and deletes one only after the store confirmed it."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import structlog

from tracking import health
from tracking.columns import fitting
from tracking.events import are_drop_lines, are_lines, grown, is_line
from tracking.files import write_durably
from tracking.spool import DROPS, REJECTED, Spool

REJECTED_LINE, TORN_LINE = "rejected_line", "torn_line"

_AT_ONCE = 524_288  # bytes of a segment looked at by column at once

log = structlog.get_logger()


class Store(Protocol):
    """What the drain needs of the reach store."""

    def ship(self, segment: str, lines: bytes | Path) -> None:
        """Insert the lines (of a file) once, however often the segment comes; raises if that is not certain."""


class Drain:
    """Carries the spool into the store, each event exactly once: the segment's name is the insert's token.

    A kill between the store's confirmation and the deletion ships the segment again under the same name,
    which changes nothing. Lines that no store would take are set aside first, so that the content under a
    name never depends on how often it was tried.
    """

    def __init__(
        self,
        spool: Spool,
        store: Store,
        count_drop: Callable[[str, int], None] = lambda _reason, _quantity: None,
    ) -> None:
        self._spool = spool
        self._store = store
        self._count_drop = count_drop

    def run_once(self) -> int:
        """Seal what is due, take over what dead processes left, ship all; the number of lines shipped.

        A segment that the store does not take stays for the next look and does not hold up the others;
        the last such failure is raised at the end.
        """
        self._spool.seal_if_due()
        found = self._spool.recover()
        if found.torn:
            self._count_drop(TORN_LINE, found.torn)
        shipped, failure = 0, None
        for path in self._spool.sealed():
            try:
                shipped += self._ship(path)
            except Exception as error:
                log.warning("reach_segment_not_shipped", segment=path.stem, error=type(error).__name__)
                self._spool.health.note(health.NOT_SHIPPED, _why(error))
                failure = error
        if shipped:
            self._spool.health.note(health.DRAINED, str(shipped))
        if failure is not None:
            raise failure
        return shipped

    def _ship(self, path: Path) -> int:
        """Straight from the file if every line fits, which is what nearly every segment is."""
        try:
            number = 0 if path.name.startswith(DROPS) else _certain(path)
            if number:
                self._store.ship(path.stem, path)
            elif lines := self._sift(path):
                self._store.ship(path.stem, lines)
                number = lines.count(b"\n")
        except Exception:
            if path.exists():
                raise
            return 0  # another drain was faster: it shipped and deleted the segment
        path.unlink(missing_ok=True)
        return number

    def _sift(self, path: Path) -> bytes:
        """The lines a store can take; the others are set aside, under the segment's name, and counted."""
        one, many = (are_drop_lines, are_drop_lines) if path.name.startswith(DROPS) else (is_line, are_lines)
        good: list[bytes] = []
        bad: list[bytes] = []
        for chunk in _chunks(path.read_bytes()):
            if many(chunk):
                good.append(chunk)
            else:
                for line in map(grown, io.BytesIO(chunk)):
                    (good if one(line) else bad).append(line)
        if bad:
            self._set_aside(path, bad)
        return b"".join(good)

    def _set_aside(self, path: Path, bad: list[bytes]) -> None:
        aside = self._spool.folder / REJECTED / path.name
        if aside.exists():
            return  # counted at an earlier try
        aside.parent.mkdir(exist_ok=True)
        write_durably(aside, b"".join(line if line.endswith(b"\n") else line + b"\n" for line in bad))
        self._count_drop(REJECTED_LINE, len(bad))
        log.warning("reach_lines_rejected", segment=path.stem, quantity=len(bad))


def _why(error: Exception) -> str:
    return (
        health.reason(error) if isinstance(error, OSError) else f"{type(error).__name__}: {str(error)[:160]}"
    )


def _certain(path: Path) -> int:
    """How many lines a segment has if all of them are certainly events; 0 if they need a closer look."""
    total = 0
    with path.open("rb", buffering=0) as file:
        while chunk := _whole_lines(file):
            number = fitting(chunk)
            if not number:
                return 0
            total += number
    return total


def _whole_lines(file: io.FileIO) -> bytes:
    """The next lines of a file, about 512 kB, up to the end of the last."""
    chunk = file.read(_AT_ONCE)
    rest = len(chunk) - chunk.rfind(b"\n") - 1
    if len(chunk) == _AT_ONCE and 0 < rest < len(chunk):
        file.seek(-rest, io.SEEK_CUR)
        return chunk[:-rest]
    return chunk


def _chunks(content: bytes, size: int = 65_536) -> Iterator[bytes]:
    """Whole lines in pieces of about `size` bytes, so that checking one never holds the interpreter long."""
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + size) + 1 or len(content)
        yield content[start:end]
        start = end
