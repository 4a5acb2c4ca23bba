"""What went wrong while collecting, the latest of each kind, for the command line and the desk.

Kept in memory and, if the folder can be written, in a small file per kind beside the segments, so that other
processes see it too: the drain, the web processes and the command line are not always one.
"""

import errno
import json
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.i18n import gettext, mark

NOT_KEPT, NOT_SHIPPED, CLOCK_BACK, DRAINED = "not-kept", "not-shipped", "clock-back", "drained"
FAILURES = (NOT_KEPT, NOT_SHIPPED, CLOCK_BACK)
_SENTENCES = {
    NOT_KEPT: mark("有触达没有记下：%(detail)s"),
    NOT_SHIPPED: mark("有一段没有入库，会再试：%(detail)s"),
    CLOCK_BACK: mark("时钟倒退了 %(detail)s 秒，期间的触达按倒退后的时间计"),
    DRAINED: mark("入库 %(detail)s 条"),
}
_REASONS = {
    errno.ENOSPC: mark("磁盘已满"),
    errno.EDQUOT: mark("磁盘配额已用完"),
    errno.EFBIG: mark("文件超过了系统允许的大小"),
    errno.EACCES: mark("目录不可写"),
    errno.EPERM: mark("目录不可写"),
    errno.EROFS: mark("磁盘只读"),
    errno.ENOENT: mark("目录不存在"),
    errno.ENOTDIR: mark("目录不存在"),
    errno.EIO: mark("磁盘出错"),
}
_AGAIN = 5.0  # seconds between two writes of the same kind: a full disk is met 10,000 times a second


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened: a Unix time, what kind, and the detail of its sentence."""

    at: float
    kind: str
    detail: str

    @property
    def sentence(self) -> str:
        """In the words of whoever reads it."""
        detail = gettext(self.detail) if self.detail in _REASONS.values() else self.detail
        return gettext(_SENTENCES[self.kind]) % {"detail": detail}


class Health:
    """The notes of one spool folder. `note` never raises: it is called where something went wrong already."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._notes: dict[str, Note] = {}
        self._written: dict[str, float] = {}

    def note(self, kind: str, what: OSError | str) -> None:
        """Remember that it happened now."""
        detail = what if isinstance(what, str) else reason(what)
        note = Note(time.time(), kind, detail)
        with self._lock:
            self._notes[kind] = note
            due = abs(note.at - self._written.get(kind, 0.0)) >= _AGAIN
            if due:
                self._written[kind] = note.at
        if due:
            self._write(note)

    def latest(self) -> dict[str, Note]:
        """The last note of each kind, whichever process made it."""
        with self._lock:
            found = dict(self._notes)
        for kind in _SENTENCES:
            with suppress(OSError, ValueError, KeyError, TypeError):
                said = json.loads(self._path(kind).read_text("utf-8"))
                note = Note(float(said["at"]), kind, str(said["detail"]))
                if kind not in found or note.at > found[kind].at:
                    found[kind] = note
        return found

    def _write(self, note: Note) -> None:
        with suppress(OSError):
            path = self._path(note.kind)
            temporary = path.with_name(f".{path.name}.{threading.get_ident()}")
            temporary.write_text(json.dumps({"at": note.at, "detail": note.detail}), "utf-8")
            temporary.rename(path)

    def _path(self, kind: str) -> Path:
        return self._folder / f"last-{kind}"


def reason(error: OSError) -> str:
    """Why the disk refused, as a sentence to be translated, or the system's own words."""
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


class ClockWatch:
    """Notices that the machine's clock was set back, by comparing it with one that never is."""

    def __init__(self, clock_now: float, steady_now: float) -> None:
        self._ahead = clock_now - steady_now

    def set_back(self, clock_now: float, steady_now: float) -> float:
        """Seconds by which the clock was set back since the last look; 0 when it was not, or by under 1 s."""
        ahead = clock_now - steady_now
        lost, self._ahead = self._ahead - ahead, ahead
        return lost if lost >= 1.0 else 0.0
