"""The reach event and its line: one fact, in the format that the store ingests (TabSeparated).

The line is public: anything that can write these fourteen tab-separated columns into a file may put a sealed
segment into the spool, so an edge tier needs no Python. The drain takes in only lines of exactly this shape, and
those of twelve columns that a writer before `audience` and `place` left behind.
"""

import itertools
import os
import re
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

# `shown`: a screen showed it, whoever looked. No person is known to have seen it, so no definition of ours names it.
KINDS = (
    "delivered", "visited", "engaged", "completed", "shared", "registered", "attended", "handed_out", "shown",
)  # fmt: skip
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
    "audience",
    "place",
)
DROP_COLUMNS = ("day", "reason", "quantity", "batch")


@dataclass(frozen=True, slots=True)
class ReachEvent:
    """One fact. `quantity`: 1 online, a head count offline, negative in a correction; visitor 0: unknown.

    `audience` is the group that was addressed (elders, new citizens …), `place` where it was (五进入).
    """

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
    audience: str = ""
    place: str = ""


class _Ids:
    """Unique ids without a system call each: 64 random bits of this process and a counter."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Begin a new run; a forked child must not continue its parent's."""
        self.run = os.urandom(8).hex()
        self.next = itertools.count(1).__next__


event_ids = _Ids()
os.register_at_fork(after_in_child=event_ids.renew)


def new_id() -> str:
    """An id that no other event has, on any machine."""
    return f"{event_ids.run}-{event_ids.next():x}"


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
    audience: str = "",
    place: str = "",
    id: str = "",
) -> ReachEvent:
    """An event of the aware time `at`, on the day this is in the institution's zone."""
    if kind not in KINDS:
        raise ValueError(f"unknown kind of reach event: {kind}")
    at = at.astimezone(UTC)
    day = at.astimezone(zone).date()
    return ReachEvent(
        id or new_id(), at, day, kind, quantity, visitor, campaign, piece, outlet, channel, source, batch,
        audience, place,
    )  # fmt: skip


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
    texts = (
        event.campaign, event.piece, event.outlet, event.channel, event.source, event.batch, event.audience,
        event.place,
    )  # fmt: skip
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


_PLAIN = rb"[^\t\n\r\\\0]"
_TEXT = _PLAIN + rb"*+(?:\\[tnr0bf\\']" + _PLAIN + rb"*+)*+"
_DAY = (
    rb"20\d\d-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|"
    rb"02-(?:0[1-9]|[12]\d))"
)
# Up to 18,446,699,999,999,999,999 of 2^64: the few visitors above are looked at one by one.
_VISITOR = rb"(?:\d{1,19}|1(?:[0-7]\d|8[0-3])\d{17}|184(?:[0-3]\d\d|4(?:[0-5]\d|6[0-6]))\d{14})"
_EVENT = b"".join(
    (
        rb"(?=[^\t])" + _TEXT,
        rb"\t" + _DAY + rb" (?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,3})?",
        rb"\t" + _DAY,
        rb"\t(?:" + "|".join(KINDS).encode() + rb")",
        rb"\t-?\d{1,9}\t",
        rb"%b",
        rb"(?:\t" + _TEXT + rb"){%n}\n",
    )
)
_NOW, _OLD = _EVENT.replace(b"%n", b"8"), _EVENT.replace(b"%n", b"6")
_EVENTS = re.compile(rb"(?:" + _NOW.replace(b"%b", _VISITOR) + rb")*+")
_ONE, _ONE_OLD = (re.compile(each.replace(b"%b", rb"(\d{1,20})")) for each in (_NOW, _OLD))
_DROPS = re.compile(rb"(?:" + _DAY + rb"\t(?=[^\t])" + _TEXT + rb"\t\d{1,9}\t" + _TEXT + rb"\n)*+")


def are_lines(lines: bytes) -> bool:
    """Whether all these are lines of events: fourteen columns, each of its type, valid UTF-8.

    May say no to a good line with a very high visitor; `is_line` is exact, and slower.
    """
    return _EVENTS.fullmatch(lines) is not None and _is_utf8(lines)


def is_line(line: bytes) -> bool:
    """Whether this is the line of an event."""
    return _is_one(_ONE, line)


def grown(line: bytes) -> bytes:
    """A line of twelve columns with the two that came later, empty; any other line as it is."""
    return line[:-1] + b"\t\t\n" if _is_one(_ONE_OLD, line) else line


def _is_one(shape: re.Pattern[bytes], line: bytes) -> bool:
    found = shape.fullmatch(line)
    return found is not None and int(found[1]) < 2**64 and _is_utf8(line)


def are_drop_lines(lines: bytes) -> bool:
    """Whether all these are lines of the table of drops."""
    return _DROPS.fullmatch(lines) is not None and _is_utf8(lines)


def _is_utf8(lines: bytes) -> bool:
    try:
        lines.decode()
    except UnicodeDecodeError:
        return False
    return True


class Stamps:
    """`at` and `day` of an event as text, made once per millisecond and once per day, not once per event."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self.last: tuple[int, str] = (-1, "")  # the millisecond of the last answer, and that answer
        self._day: tuple[float, float, str] = (0.0, 0.0, "")

    def day(self, at: float) -> str:
        """The day of a Unix time in the institution's zone, ISO."""
        start, end, text = self._day  # one read: another thread may replace the tuple
        if start <= at < end:
            return text
        day = datetime.fromtimestamp(at, self._zone).date()
        after = day + timedelta(days=1)
        first = datetime(day.year, day.month, day.day, tzinfo=self._zone).timestamp()
        last = datetime(after.year, after.month, after.day, tzinfo=self._zone).timestamp()
        self._day = (first, last, day.isoformat())
        return self._day[2]

    def columns(self, at: float) -> str:
        """The columns `at` (UTC, milliseconds) and `day` of a Unix time, with the tab between them."""
        stamp = int(at * 1000)
        known, text = self.last
        if known != stamp:
            second, thousandth = divmod(stamp, 1000)
            clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
            text = f"{clock}.{thousandth:03d}\t{self.day(at)}"
            self.last = (stamp, text)
        return text
