"""Where requests are counted in memory, without a thread of its own for forgetting."""

import threading
import time
from collections.abc import Callable

from limits.storage import MemoryStorage

_SECONDS = 1.0


class CountingMemory(MemoryStorage):
    """The library's memory, which forgets once a second within a request.

    The library starts a thread for that a hundred times a second, and of two requests in the same moment the second
    starts the one that the first has just started, which fails the request.
    """

    STORAGE_SCHEME = ["counting"]  # noqa: RUF012  (the library's own form; it registers the class by it)

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **more: str) -> None:
        self._due, self._sweeping = 0.0, threading.Lock()
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **more)
        self._forget: Callable[[], None] = getattr(self, "_MemoryStorage__expire_events")  # noqa: B009

    def _MemoryStorage__schedule_expiry(self) -> None:
        now = time.monotonic()
        if now < self._due or not self._sweeping.acquire(blocking=False):
            return
        try:
            self._due = now + _SECONDS
            self._forget()
        finally:
            self._sweeping.release()
