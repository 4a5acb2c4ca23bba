"""What takes longer than a page may wait: asked once, in the background, and collected when it is there."""

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")
# The engine answers one question at a time: more threads would only wait in it.
_WORKERS, _MOST, _KNOWN = 2, 24, 200


class Waiting:
    """Work that goes on after the page was answered. Whoever asks for the same meanwhile waits for the same."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="reach-late")
        self._running: dict[Hashable, Future[Any]] = {}
        self._lock = threading.Lock()
        self._known: dict[Hashable, None] = {}

    def known(self, key: Hashable) -> bool:
        """Whether this was answered before: the store remembers it then, as long as nothing changes."""
        return key in self._known

    def ask(self, key: Hashable, work: Callable[[], T], seconds: float) -> T | None:
        """What `work` says, if it says so within `seconds`; None: come back later. Its errors are raised here."""
        future = self._begun(key, work)
        if future is None:
            return None
        try:
            found: T = future.result(timeout=max(0.0, seconds))
        except TimeoutError:
            if not future.done():
                return None
            self._forget(key, future)
            raise
        except BaseException:
            self._forget(key, future)
            raise
        self._forget(key, future)
        return found

    def close(self) -> None:
        """Begin nothing more, and wait for what runs: it reads what is closed next."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _begun(self, key: Hashable, work: Callable[[], T]) -> Future[T] | None:
        with self._lock:
            known = self._running.get(key)
            if known is not None:
                return known
            if len(self._running) >= _MOST:
                # what nobody came back for; the store remembers its answers
                self._running = {name: one for name, one in self._running.items() if not one.done()}
            if len(self._running) >= _MOST:
                return None
            begun = self._running[key] = self._pool.submit(copy_context().run, work)
            return begun

    def _forget(self, key: Hashable, future: Future[Any]) -> None:
        with self._lock:
            self._known[key] = None
            while len(self._known) > _KNOWN:
                del self._known[next(iter(self._known))]
            if self._running.get(key) is future:
                del self._running[key]
