"""Slows down guessing from one address: a bucket of failures that refills with time. Kept in memory."""

import threading
from datetime import datetime

CAPACITY = 20
REFILL_SECONDS = 3.0
_MOST_ADDRESSES = 10_000


class Throttle:
    """CAPACITY wrong tries at once, then one every REFILL_SECONDS; right ones cost nothing.

    It slows down rather than locks out, because a whole branch may share one address.
    """

    def __init__(self) -> None:
        self._failures: dict[str, tuple[float, datetime]] = {}
        self._lock = threading.Lock()

    def is_free(self, address: str, now: datetime) -> bool:
        """Whether this address may try now."""
        with self._lock:
            return self._level(address, now) <= CAPACITY - 1

    def failed(self, address: str, now: datetime) -> None:
        """Note a wrong try."""
        with self._lock:
            if len(self._failures) >= _MOST_ADDRESSES:
                self._failures = {
                    each: kept for each, kept in self._failures.items() if self._level(each, now) > 0
                }
            if len(self._failures) >= _MOST_ADDRESSES:
                self._failures.clear()
            self._failures[address] = (self._level(address, now) + 1, now)

    def _level(self, address: str, now: datetime) -> float:
        count, since = self._failures.get(address, (0.0, now))
        return max(0.0, count - (now - since).total_seconds() / REFILL_SECONDS)
