"""Takes an edge's log files into the spool: each line once, however often a file is taken and whatever is killed.

A file is known by its first line (the request id there is like no other), so renaming it changes nothing, and a
file may be taken while nginx still writes to it. How far it was taken is kept under home, in two steps: the next
range is written down, then deposited under a name made of the file and the range, then marked as done. A kill in
between leaves a range that the next taking deposits again, the same bytes under the same name.
"""

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from core.errors import Conflict, Invalid
from core.i18n import mark
from tracking.edge import EdgeLines
from tracking.events import drop_line, to_line
from tracking.spool import DROPS, REJECTED, Spool

RANGE = 8_388_608  # bytes of one deposit, at most; as large as a segment
_REJECTED_LINE = "rejected_line"


@dataclass(slots=True)
class Taken:
    """What a taking did: events kept, drops and bad lines counted, bytes of a last line not yet finished."""

    events: int = 0
    dropped: int = 0
    bad: int = 0
    other_days: int = 0
    unfinished: int = 0


class EdgeTaker:
    """Takes files; `folder` is where it keeps how far it got."""

    def __init__(self, spool: Spool, lines: EdgeLines, folder: Path, today: Callable[[], date]) -> None:
        self._spool, self._lines, self._folder, self._today = spool, lines, folder, today

    def take(self, path: Path) -> Taken:
        """Take what is new in a file, whole lines only. Invalid: no file; Conflict: it is shorter than it was."""
        taken = Taken()
        try:
            file = path.open("rb")
        except OSError as error:
            raise Invalid(mark("打不开 %(path)s：%(why)s"), path=path, why=error.strerror) from error
        with file:
            first = file.readline()
            if not first.endswith(b"\n"):
                taken.unfinished = len(first)
                return taken
            name = hashlib.sha256(first).hexdigest()[:32]
            with self._state(name) as state:
                while self._take_range(file.fileno(), name, state, taken):
                    pass
        return taken

    def _take_range(self, file: int, name: str, state: Path, taken: Taken) -> bool:
        """Take the next range of whole lines; False when there is none."""
        begin, end = _read(state)
        size = os.fstat(file).st_size
        if size < max(begin, end):
            raise Conflict(mark("这个日志文件比上次短了，可能被截断过；请换一个文件名再写。"))
        content = os.pread(file, (end - begin if end > begin else RANGE), begin)
        if end <= begin:
            end = begin + content.rfind(b"\n") + 1
            if end == begin and len(content) == RANGE:
                end = size  # a line longer than any: it is no line of ours, and goes to the bad ones
            if end == begin:
                taken.unfinished = len(content)
                return False
            _write(state, begin, end)
        self._deposit(f"{name}-{begin}-{end}", content[: end - begin], taken)
        _write(state, end, end)
        return True

    def _deposit(self, name: str, content: bytes, taken: Taken) -> None:
        batch = f"edge-{name}"
        read = self._lines.read(content if content.endswith(b"\n") else content + b"\n", batch)
        if read.bad:
            _set_aside(self._spool.folder / REJECTED / f"{batch}.tsv", read.bad)
            read.drops[self._today().isoformat(), _REJECTED_LINE] += len(read.bad)
        self._spool.deposit(batch, map(to_line, read.events))
        self._spool.deposit(
            f"{DROPS}{batch}",
            [drop_line(day, reason, count, batch) for (day, reason), count in sorted(read.drops.items())],
        )
        taken.events += len(read.events)
        taken.bad += len(read.bad)
        taken.dropped += sum(read.drops.values()) - len(read.bad)
        taken.other_days += read.other_days

    @contextmanager
    def _state(self, name: str) -> Iterator[Path]:
        """The file that says how far this log was taken, held so that two takings wait for each other."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield self._folder / f"{name}.json"


def _read(state: Path) -> tuple[int, int]:
    """The range that was begun last: up to where it is done when both are the same."""
    if not state.exists():
        return 0, 0
    known = json.loads(state.read_text(encoding="utf-8"))
    return int(known["begin"]), int(known["end"])


def _write(state: Path, begin: int, end: int) -> None:
    _durably(state, json.dumps({"begin": begin, "end": end}).encode())


def _set_aside(path: Path, bad: list[bytes]) -> None:
    if not path.exists():
        _durably(path, b"".join(bad))


def _durably(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    with temporary.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.rename(path)
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
