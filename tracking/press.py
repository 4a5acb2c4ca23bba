"""One browser kept warm between uses: whoever needs it waits for a turn, and it goes when nobody came for a while."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import Conflict
from core.i18n import mark
from tracking import printing
from tracking.printing import Printer

_TURN = 60.0
MISSING = mark(
    "这台机器没有安装 Chromium，不能生成图片和海报。请管理员安装 chromium 与中文字体（如 fonts-noto-cjk），再试一次。"
)


class Press:
    """One of a process. A browser that failed is never used again."""

    def __init__(self, within: Path | None = None, idle: float = 60.0) -> None:
        self._within, self._idle = within, idle
        self._lock = threading.Lock()
        self._printer: Printer | None = None
        self._leaving: threading.Timer | None = None

    @contextmanager
    def printer(self) -> Iterator[Printer]:
        """The browser, for one thread at a time; Conflict where there is none, or others have it for too long."""
        if not printing.installed():
            raise Conflict(MISSING)
        if not self._lock.acquire(timeout=_TURN):
            raise Conflict(mark("正在生成别的图片，请稍后再试。"))
        try:
            if self._leaving is not None:
                self._leaving.cancel()
            if self._printer is None:
                self._printer = Printer(self._within).__enter__()
            try:
                yield self._printer
            except BaseException:
                self._drop()
                raise
            self._leaving = threading.Timer(self._idle, self.close)
            self._leaving.daemon = True
            self._leaving.start()
        finally:
            self._lock.release()

    def close(self) -> None:
        """Let the browser go; the next use starts another."""
        with self._lock:
            if self._leaving is not None:
                self._leaving.cancel()
                self._leaving = None
            self._drop()

    def _drop(self) -> None:
        if self._printer is not None:
            self._printer.close()
            self._printer = None
