"""How late the slowest pages come while the same process drains the spool and makes national reports."""

import json
import shutil
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from bench.drain import written
from bench.load import Server, wrk

CONNECTIONS = 64
WAITING = 1_000_000  # events that wait in the spool when the measurement begins
_TURNS = """
local pause = %.3f
function delay() return math.floor(0.5 - math.log(1 - math.random()) * pause) end
"""


@dataclass(frozen=True)
class Busy:
    """Pages a second and their p99 while so many reports were made and events drained."""

    per_second: float
    p99_ms: float
    reports: int
    drained: int


class _Reports(threading.Thread):
    """Asks for the national report, every outlet against last year, one after the other until told to end."""

    def __init__(self, server: Server, home: Path) -> None:
        super().__init__(daemon=True)
        token = json.loads((home / "server.json").read_text(encoding="utf-8"))["token"]
        year = "from=2024-01-01&to=2024-12-31&by=outlet&format=csv"
        self._asked = urllib.request.Request(
            f"{server.url}/internal/reach/report?{year}", headers={"X-Signpost-Token": token}
        )
        self.made = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            with urllib.request.urlopen(self._asked, timeout=60) as answer:
                answer.read()
            self.made += 1


def paced(script: str, per_second: float) -> str:
    """The Lua of wrk that keeps all connections together near a rate, each coming when it likes.

    Between its requests a connection pauses for a random time (exponential, as visitors come). With the same pause
    for all of them, everybody who once waited for the same answer would come again in the same moment, for ever.
    """
    return script + _TURNS % (1000 * CONNECTIONS / per_second)


def prepare(scratch: Path) -> list[Path]:
    """Sealed segments to be drained during the measurement, of visitors that no page has."""
    return written(scratch / "waiting", WAITING)


def measure(
    ours: Server, home: Path, path: str, script: str, *, per_second: float, segments: list[Path]
) -> Busy:
    """Drive pages at a rate for some seconds, with drain and reports beside them."""
    spool = home / "spool"
    reports = _Reports(ours, home)
    for number, segment in enumerate(segments):
        temporary = spool / f".waiting-{number}"
        shutil.copyfile(segment, temporary)
        temporary.rename(spool / segment.name)
    reports.start()
    time.sleep(0.5)
    seen = wrk(ours.url + path, 8, paced(script, per_second), CONNECTIONS)
    left = sum((spool / segment.name).exists() for segment in segments)
    reports.ended.set()
    reports.join()
    if seen.bad:
        raise SystemExit(f"answers that were not 200 in the busy time: {seen.bad}")
    drained = WAITING * (len(segments) - left) // len(segments)
    return Busy(seen.per_second, seen.p99_ms, reports.made, drained)
