"""Rates that no person reaches: events per visitor and per address, within a minute and within an hour.

A visitor is one browser, so their limit is strict. An address may be an outlet hall, a school or a whole town
behind one exit of a mobile network, so theirs is so high that only a flood reaches it. Counted in this
process alone, in fixed windows, in bounded memory; of an address only a keyed hash is held, whose key is made
anew every day and is never written anywhere.
"""

import os
from dataclasses import dataclass

VISITOR, ADDRESS = "visitor_rate", "address_rate"
_DAY = 24 * 60  # minutes
_NEVER = 1 << 62


@dataclass(frozen=True, slots=True)
class Limits:
    """Events that count, per visitor and per address, in a minute and in an hour; 0: no limit."""

    visitor_minute: int
    visitor_hour: int
    address_minute: int
    address_hour: int


class Rates:
    """Counts what comes and says when it comes too fast. Two threads at once may lose a count, never more."""

    def __init__(self, limits: Limits, most: int = 100_000) -> None:
        self._visitors = _Pace(limits.visitor_minute, limits.visitor_hour, most)
        self._addresses = _Pace(limits.address_minute, limits.address_hour, most)
        self._minute = self._day = -1
        self._key = b""

    def beyond(self, visitor: int, address: bytes, at: float) -> str:
        """VISITOR or ADDRESS when one more at the Unix time `at` is too much, else "".

        Visitor 0 and an empty address are nobody in particular and are not counted.
        """
        minute = int(at) // 60
        if minute != self._minute:
            self._turn(minute)
        if visitor and self._visitors.beyond(visitor):
            return VISITOR
        # Python's own hash of bytes is SipHash under a secret of this process; the day's key makes it the day's.
        if address and self._addresses.beyond(hash(self._key + address)):
            return ADDRESS
        return ""

    def held(self) -> int:
        """How many keys are in memory, over all windows."""
        return self._visitors.held() + self._addresses.held()

    def _turn(self, minute: int) -> None:
        """A minute is over, perhaps an hour and a day with it."""
        hour, self._minute = minute // 60 != self._minute // 60, minute
        for pace in (self._visitors, self._addresses):
            pace.turn(hour=hour)
        if minute // _DAY != self._day:
            self._day, self._key = minute // _DAY, os.urandom(32)


class _Pace:
    """How often each key came in this minute and in this hour; with too many keys it begins anew."""

    __slots__ = ("_hour", "_in_hour", "_in_minute", "_minute", "_most")

    def __init__(self, minute: int, hour: int, most: int) -> None:
        self._most = most
        self._minute, self._hour = minute or _NEVER, hour or _NEVER
        self.turn(hour=True)

    def beyond(self, key: int) -> bool:
        """Count one more; whether that is more than may be."""
        minute, hour = self._in_minute, self._in_hour
        minute[key] = now = minute.get(key, 0) + 1
        hour[key] = lately = hour.get(key, 0) + 1
        if len(hour) > self._most:
            self.turn(hour=True)
        return now > self._minute or lately > self._hour

    def turn(self, *, hour: bool) -> None:
        """Begin a new minute, and a new hour."""
        self._in_minute: dict[int, int] = {}
        if hour:
            self._in_hour: dict[int, int] = {}

    def held(self) -> int:
        return len(self._in_minute) + len(self._in_hour)
