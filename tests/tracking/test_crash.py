"""Exactly once through SIGKILL: at random moments, at the two worst moments, and without the guards."""

import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from core import clock
from core.settings import Settings
from tests import forked
from tests.tracking import crashing
from tracking.events import new_event, to_line
from tracking.spool import TORN, Spool

KILLS = 3  # at random; `test_kills` kills a dozen times, at moments that it chooses
ROOT = Path(__file__).resolve().parent.parent.parent


def child(home: Path, mode: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", crashing.__name__, str(home), mode]
    return forked.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)


def run(home: Path, mode: str) -> tuple[int, list[str]]:
    """Let a child do its work; its exit status and what it printed."""
    with child(home, mode) as process:
        out, _ = process.communicate(timeout=60)
    return process.returncode, out.decode().splitlines()


def stored(home: Path) -> dict[str, int]:
    """Drain what is left, and how often the store holds each event."""
    status, lines = run(home, "count")
    assert status == 0
    return {event: int(rows) for event, rows in (line.split(" ") for line in lines)}


def write_until_killed(home: Path, seconds: float) -> list[str]:
    """The ids that a writer acknowledged before it was killed `seconds` after its first."""
    with child(home, "write") as process:
        assert process.stdout is not None
        told = [process.stdout.readline()]
        killer = threading.Timer(seconds, process.send_signal, (signal.SIGKILL,))
        killer.start()
        told += process.stdout.readlines()
        killer.join()
        assert process.wait(20) == -signal.SIGKILL
    return [line.decode().strip() for line in told if line.endswith(b"\n")]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_every_acknowledged_event_is_stored_once_through_random_kills(home: Path) -> None:
    seed = time.time_ns()
    chance = random.Random(seed)
    acknowledged: list[str] = []
    for _ in range(KILLS):
        acknowledged += write_until_killed(home, chance.uniform(0.0, 0.5))
    rows = stored(home)
    assert len(acknowledged) > KILLS
    lost = set(acknowledged) - rows.keys()
    doubled = {event for event, number in rows.items() if number != 1}
    assert not lost, f"seed {seed}: lost {len(lost)}"
    assert not doubled, f"seed {seed}: doubled {len(doubled)}"
    # beyond what was acknowledged: at most the one event per thread whose answer the kill swallowed
    assert len(rows) - len(acknowledged) <= 4 * KILLS
    assert list((home / "spool").glob("*.*")) == []


def three_events(home: Path) -> set[str]:
    """A sealed segment of three events."""
    spool = Spool(home / "spool")
    zone = Settings(home=home).zone
    events = [new_event("visited", at=clock.now(), zone=zone) for _ in range(3)]
    for event in events:
        spool.append(to_line(event))
    spool.close()
    return {event.id for event in events}


@pytest.mark.parametrize("moment", ["after", "before"])
def test_a_kill_beside_the_shipping_neither_loses_nor_doubles(home: Path, moment: str) -> None:
    events = three_events(home)
    status, _ = run(home, moment)
    assert status == -signal.SIGKILL
    assert stored(home) == dict.fromkeys(events, 1)


def test_without_the_token_the_same_kill_doubles(home: Path) -> None:
    events = three_events(home)
    assert run(home, "careless-after")[0] == -signal.SIGKILL
    assert stored(home) == dict.fromkeys(events, 2)


def test_deleting_before_the_confirmation_loses(home: Path) -> None:
    three_events(home)
    assert run(home, "careless-before")[0] == -signal.SIGKILL
    assert stored(home) == {}


def test_a_line_torn_by_the_crash_is_set_aside_and_the_rest_counts(home: Path) -> None:
    events = three_events(home)
    sealed = next((home / "spool").glob("*.tsv"))
    orphan = sealed.with_suffix(".open")
    orphan.write_bytes(sealed.read_bytes() + b"half-a-line\t2026-09-1")
    sealed.unlink()
    assert stored(home) == dict.fromkeys(events, 1)
    assert [path.read_bytes() for path in (home / "spool" / TORN).iterdir()] == [b"half-a-line\t2026-09-1"]
