"""The lines of an import: what counts per day and keys, and their one form on the disk and in the hash."""

import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tracking.events import ReachEvent, escape, unescape

SOURCE = "import"
MOST = 999_999_999  # what a line of the spool can carry


class Keys(NamedTuple):
    """What a quantity is counted under."""

    day: date
    kind: str
    outlet: str = ""
    channel: str = ""
    campaign: str = ""
    piece: str = ""
    audience: str = ""
    place: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Line:
    """A quantity under its keys; negative in a correction."""

    keys: Keys
    quantity: int


def packed(lines: Iterable[Line]) -> bytes:
    """The lines as bytes, always the same for the same lines: sorted, TabSeparated, compressed."""
    texts = sorted("\t".join((*_texts(one.keys), str(one.quantity))) for one in lines)
    return zlib.compress("".join(f"{text}\n" for text in texts).encode(), 6)


def _texts(keys: Keys) -> tuple[str, ...]:
    return (
        keys.day.isoformat(),
        *map(escape, (keys.kind, keys.outlet, keys.channel, keys.campaign, keys.piece, keys.audience, keys.place)),
    )  # fmt: skip


def unpacked(content: bytes) -> Iterator[Line]:
    """The lines in these bytes, in their order."""
    for text in zlib.decompress(content).decode().splitlines():
        day, *keys, quantity = text.split("\t")
        yield Line(Keys(date.fromisoformat(day), *map(unescape, keys)), int(quantity))


def turned(lines: Iterable[Line]) -> Iterator[Line]:
    """The same lines with their signs turned: what takes them back."""
    return (replace(one, quantity=-one.quantity) for one in lines)


def digest(content: bytes, lines: bytes, mapping: str, place: str) -> str:
    """SHA-256 (hex) over exactly what is approved: the file's bytes, its mapping, its lines, where it belongs."""
    parts = (content, zlib.decompress(lines), mapping.encode(), place.encode())
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()


def totals(lines: Iterable[Line]) -> dict[str, dict[str, int]]:
    """The quantities by kind, day, outlet, channel, campaign and piece; each adds up to the same."""
    found: dict[str, dict[str, int]] = {name: {} for name in TOTALS}
    for one in lines:
        for name, sums in found.items():
            key = str(getattr(one.keys, name))
            sums[key] = sums.get(key, 0) + one.quantity
    return found


TOTALS = ("kind", "day", "outlet", "channel", "campaign", "piece")


def events(name: str, lines: Iterable[Line], zone: ZoneInfo, *, first: int = 1) -> Iterator[ReachEvent]:
    """The lines as events of the import `name`, at noon of their day, numbered from `first`."""
    noons: dict[date, datetime] = {}
    for number, one in enumerate(lines, first):
        keys = one.keys
        at = noons.get(keys.day)
        if at is None:
            at = noons[keys.day] = datetime.combine(keys.day, time(12), zone).astimezone(UTC)
        yield ReachEvent(
            id=f"{name}-{number}", at=at, day=keys.day, kind=keys.kind, quantity=one.quantity, visitor=0,
            campaign=keys.campaign, piece=keys.piece, outlet=keys.outlet, channel=keys.channel, source=SOURCE,
            batch=name, audience=keys.audience, place=keys.place,
        )  # fmt: skip


def as_sums(quantities: Mapping[Keys, int]) -> list[Line]:
    """Lines of these sums, in order; what adds up to nothing is no line."""
    return [Line(keys, quantity) for keys, quantity in sorted(quantities.items()) if quantity]
