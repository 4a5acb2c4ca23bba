"""Lines that an edge (nginx) wrote: the fourteen columns of an event, with what only we can read still sealed.

nginx cannot check a signature, nor read a visitor's cookie as a number, and nobody should trust a file that says it
did. So a line of the edge holds, in the columns of an event:

    id        nginx's request id                 campaign  the token of the link, from the beacon
    at, day   UTC; the institution's day         piece     the sealed keys of the page
    kind      from the beacon, or `malformed`    outlet    the token of the cookie, where the beacon has none
    quantity  1                                  channel   `prefetch`, or empty
    visitor   `x` and the cookie's 16 digits     source    `edge`     batch  name of the edge
                                                 audience  the browser's name, for telling robots
                                                 place     empty

The `x` makes such a line unfit for the store: put into the spool by mistake it is set aside, never counted. Here
the signatures are checked, robots and forgeries dropped with their reasons, and events made of the rest. The day is
computed again from `at`: what a day is, the institution's setting says, not an edge's clock.
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from tracking import bots
from tracking.attribution import Attribution, Attributions
from tracking.events import ReachEvent, new_event
from tracking.recorder import (
    BEACON_KINDS,
    DIRECT,
    FORGED_ATTRIBUTION,
    FORGED_KEYS,
    MALFORMED,
)

SOURCE = "edge"
_TOKEN = rb"[\w-]{0,300}"
_LINE = re.compile(
    rb"([0-9a-f]{32})\t(20\d\d-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3})\t(20\d\d-\d\d-\d\d)\t([a-z]{1,16})\t1\t"
    rb"x((?:[0-9a-f]{16})?)\t(" + _TOKEN + rb")\t(" + _TOKEN + rb")\t(" + _TOKEN + rb")\t"
    rb"(prefetch|)\tedge\t([\w.-]{1,40})\t([ -\[\]-~]{0,300})\t\n",
    re.ASCII,
)


@dataclass(slots=True)
class Read:
    """What some lines hold: events, drops by day and reason, lines that are none, and days that were not ours."""

    events: list[ReachEvent] = field(default_factory=list)
    drops: Counter[tuple[str, str]] = field(default_factory=Counter)
    bad: list[bytes] = field(default_factory=list)
    other_days: int = 0


class EdgeLines:
    """Reads lines of an edge; the same lines always give the same events."""

    def __init__(self, attributions: Attributions, zone: ZoneInfo) -> None:
        self._attributions, self._zone = attributions, zone

    def read(self, content: bytes, batch: str) -> Read:
        """Whole lines of an edge's log; `batch` is what their events name as their origin."""
        read = Read()
        for line in _lines(content):
            found = _LINE.fullmatch(line)
            at = _moment(found[2]) if found else None
            if found is None or at is None:
                read.bad.append(line)
                continue
            self._take(read, [group.decode() for group in found.groups()], at, batch)
        return read

    def _take(self, read: Read, said: list[str], at: datetime, batch: str) -> None:
        request, _at, day, kind, visitor, token, sealed, remembered, purpose, edge, agent = said
        own_day = at.astimezone(self._zone).date().isoformat()
        read.other_days += own_day != day
        reason = purpose or bots.reason_of_agent(agent)
        keys = None
        if not reason and kind not in BEACON_KINDS:
            reason = MALFORMED
        if not reason:
            keys = self._attributions.unseal(sealed)
            reason = "" if keys else FORGED_KEYS
        if reason or keys is None:
            read.drops[own_day, reason] += 1
            return
        led = self._attributions.read(token or remembered)
        if led is None and token:
            read.drops[own_day, FORGED_ATTRIBUTION] += 1
        led = led or Attribution()
        read.events.append(
            new_event(
                kind,
                at=at,
                zone=self._zone,
                visitor=int(visitor or "0", 16),
                campaign=led.campaign or keys.campaign,
                piece=keys.piece,
                outlet=led.outlet or keys.outlet,
                channel=led.channel or DIRECT,
                source=SOURCE,
                batch=batch,
                id=f"{edge}-{request}",
            )
        )


def _lines(content: bytes) -> list[bytes]:
    """Lines end with a line feed and nothing else."""
    return [line + b"\n" for line in content.split(b"\n")[:-1]]


def _moment(text: bytes) -> datetime | None:
    try:
        return datetime.strptime(text.decode(), "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=UTC)
    except ValueError:
        return None
