"""The reach event and its line: one fact, in the format that the store ingests (TabSeparated).

The line is public: anything that can write these twelve tab-separated columns into a file may put a sealed
segment into the spool (nginx's `log_format` can), so an edge tier needs no Python.
"""

import itertools
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

KINDS = ("delivered", "visited", "engaged", "completed", "shared", "registered", "attended", "handed_out")
COLUMNS = (
    "id",
    "at",
    "day",
    "kind",
    "quantity",
    "visitor",
    "campaign",
    "piece",
    "outlet",
    "channel",
    "source",
    "batch",
)
DROP_COLUMNS = ("day", "reason", "quantity", "batch")


@dataclass(frozen=True, slots=True)
class ReachEvent:
    """One fact. `quantity`: 1 online, a head count offline, negative in a correction; visitor 0: unknown."""

    id: str
    at: datetime
    day: date
    kind: str
    quantity: int
    visitor: int
    campaign: str = ""
    piece: str = ""
    outlet: str = ""
    channel: str = ""
    source: str = ""
    batch: str = ""


class _Ids:
    """Unique ids without a system call each: 64 random bits of this process and a counter."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin a new run; a forked child must not continue its parent's."""
        self.run = os.urandom(8).hex()
        self.next = itertools.count(1).__next__


_ids = _Ids()
os.register_at_fork(after_in_child=_ids.renew)


def new_id() -> str:
    """An id that no other event has, on any machine."""
    return f"{_ids.run}-{_ids.next():x}"


def new_event(
    kind: str,
    *,
    at: datetime,
    zone: ZoneInfo,
    quantity: int = 1,
    visitor: int = 0,
    campaign: str = "",
    piece: str = "",
    outlet: str = "",
    channel: str = "",
    source: str = "",
    batch: str = "",
    id: str = "",
) -> ReachEvent:
    """An event of the aware time `at`, on the day this is in the institution's zone."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of reach event: {kind}")
    at = at.astimezone(UTC)
    day = at.astimezone(zone).date()
    return ReachEvent(
        id or new_id(), at, day, kind, quantity, visitor, campaign, piece, outlet, channel, source, batch
    )


_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": "\\0", "\b": "\\b", "\f": "\\f"}
_UNESCAPES = {escaped[1]: plain for plain, escaped in _ESCAPES.items()}
_TO_ESCAPE = re.compile("[" + re.escape("".join(_ESCAPES)) + "]")
_TO_UNESCAPE = re.compile(r"\\(.)", re.DOTALL)


def escape(text: str) -> str:
    """A text as a TabSeparated field (ClickHouse's escapes)."""
    return _TO_ESCAPE.sub(lambda found: _ESCAPES[found[0]], text) if _TO_ESCAPE.search(text) else text


def unescape(text: str) -> str:
    """The text of a TabSeparated field."""
    return _TO_UNESCAPE.sub(lambda found: _UNESCAPES.get(found[1], found[1]), text) if "\\" in text else text


def to_line(event: ReachEvent) -> bytes:
    """The event as one line, with its newline."""
    at = event.at.astimezone(UTC)
    texts = (event.campaign, event.piece, event.outlet, event.channel, event.source, event.batch)
    fields = (
        escape(event.id),
        f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}",
        event.day.isoformat(),
        event.kind,
        str(event.quantity),
        str(event.visitor),
        *map(escape, texts),
    )
    return ("\t".join(fields) + "\n").encode()


def drop_line(day: date | str, reason: str, quantity: int, batch: str) -> bytes:
    """A line of the table of drops: how many were dropped on a day for a reason, and who counted them."""
    return f"{day}\t{escape(reason)}\t{quantity}\t{escape(batch)}\n".encode()


_DAY = rb"20\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_TEXT = rb"(?:[^\t\n\r\\\0]|\\[tnr0bf\\'])*"
_LINE = re.compile(
    rb"(?:[^\t\n\r\\\0]|\\[tnr0bf\\'])+\t"
    + _DAY
    + rb" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?\t"
    + _DAY
    + rb"\t(?:"
    + "|".join(KINDS).encode()
    + rb")\t-?\d{1,9}\t\d{1,20}"
    + rb"(?:\t"
    + _TEXT
    + rb"){6}\n?"
)
_DROP_LINE = re.compile(_DAY + rb"\t[^\t\n\r\\\0]+\t\d{1,9}\t" + _TEXT + rb"\n?")


def is_line(line: bytes) -> bool:
    """Whether the store will take this line as an event: twelve columns, each of its type, valid UTF-8."""
    if _LINE.fullmatch(line) is None or not _is_utf8(line):
        return False
    columns = line.split(b"\t")
    return int(columns[5]) < 2**64 and _is_date(columns[1][:10]) and _is_date(columns[2])


def is_drop_line(line: bytes) -> bool:
    """Whether the store will take this line as a count of drops."""
    return _DROP_LINE.fullmatch(line) is not None and _is_utf8(line) and _is_date(line[:10])


@lru_cache(1024)
def _is_date(text: bytes) -> bool:
    try:
        date.fromisoformat(text.decode())
    except ValueError:
        return False
    return True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class Stamps:
    """`at` and `day` of an event as text, made once per second and once per day instead of once per event."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._second: tuple[int, str] = (-1, "")
        self._day: tuple[float, float, str] = (0.0, 0.0, "")

    def day(self, at: float) -> str:
        """The day of a Unix time in the institution's zone, ISO."""
        start, end, text = self._day  # one read: another thread may replace the tuple
        if start <= at < end:
            return text
        day = datetime.fromtimestamp(at, self._zone).date()
        first = datetime(day.year, day.month, day.day, tzinfo=self._zone)
        after = day + timedelta(days=1)
        last = datetime(after.year, after.month, after.day, tzinfo=self._zone)
        self._day = (first.timestamp(), last.timestamp(), day.isoformat())
        return self._day[2]

    def at(self, at: float) -> str:
        """A Unix time as the store writes it: UTC, milliseconds."""
        second = int(at)
        known, text = self._second
        if known != second:
            text = time.strftime("%Y-%m-%d %H:%M:%S.", time.gmtime(second))
            self._second = (second, text)
        return f"{text}{int((at - second) * 1000):03d}"
