"""`kill -9` at moments that a seed chooses, while all the work of collecting goes on: each event is stored once."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core import clock
from core.settings import Settings
from tests import forked
from tests.tracking import dying
from tracking import rollups
from tracking.drain import Drain
from tracking.spool import Spool
from tracking.store import ReachStore

ROOT = Path(__file__).resolve().parent.parent.parent
LONGEST = 3.0  # seconds after its first event within which a process that has not died is killed from outside


def live_and_die(home: Path, seed: int, *more: str) -> tuple[list[str], str]:
    """The ids that one process acknowledged before it was killed, and the moment at which that was."""
    command = [sys.executable, "-m", dying.__name__, str(home), str(seed), *more]
    with forked.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stderr is not None
        told = [process.stdout.readline()]
        late = threading.Timer(LONGEST if more else random.Random(seed).uniform(0.5, LONGEST), process.kill)
        late.start()
        told += process.stdout.readlines()
        late.cancel()
        moment = process.stderr.read().decode()
        assert process.wait(20) == -9, moment
    return [line.decode().strip() for line in told if line.endswith(b"\n")], moment.strip() or "from outside"


@contextmanager
def afterwards(home: Path) -> Iterator[ReachStore]:
    """The store after everything left in the spool was shipped and all past days were closed."""
    settings = Settings(_env_file=None, home=home)
    store = ReachStore.open(settings)
    Drain(Spool(settings.spool_dir), store).run_once()
    rollups.close_days(store, clock.today(settings.zone))
    yield store
    store.close()


def check(home: Path, kills: int) -> None:
    first = time.time_ns() % 1_000_000_000
    acknowledged: list[str] = []
    moments: Counter[str] = Counter()
    for seed in range(first, first + kills):
        ids, moment = live_and_die(home, seed)
        acknowledged += ids
        moments[moment] += 1
    said = f"seeds {first} to {first + kills - 1}, died at {dict(moments)}"
    with afterwards(home) as store:
        rows = dict(store.query("SELECT id, count() FROM reach_event GROUP BY id"))
        lost = set(acknowledged) - rows.keys()
        assert not lost, f"lost {len(lost)}: {said}"
        doubled = [one for one, number in rows.items() if number != 1]
        assert not doubled, f"doubled {len(doubled)}: {said}"
        assert len(rows) - len(acknowledged) <= 4 * kills, f"more than unanswered: {said}"
        raw = dict(store.query("SELECT day, count() FROM reach_event GROUP BY day"))
        counted = dict(
            store.query("SELECT day, sum(rows) FROM reach_counted GROUP BY day HAVING sum(rows) != 0")
        )
        assert counted == raw, said
        closed = dict(store.query("SELECT day, sum(quantity) FROM reach_gross GROUP BY day"))
        today = clock.today(Settings(_env_file=None, home=home).zone)
        assert closed == {day: number for day, number in raw.items() if day < today}, said
    assert len(acknowledged) > kills
    assert sum(number for name, number in moments.items() if name != "from outside") >= kills // 4, said
    assert not [path for path in (home / "spool").iterdir() if path.suffix in (".open", ".tsv")]


def test_a_dozen_kills(tmp_path: Path) -> None:
    check(tmp_path / "home", 12)


@pytest.mark.slow
def test_three_hundred_kills(tmp_path: Path) -> None:
    check(tmp_path / "home", 300)


def test_without_the_token_such_a_kill_doubles(tmp_path: Path) -> None:
    """The control: shipped under another name each time, what was confirmed and not deleted is stored twice."""
    home = tmp_path / "home"
    assert live_and_die(home, 1, "careless")[1] == "shipped"
    with afterwards(home) as store:
        assert store.query("SELECT max(n) FROM (SELECT count() AS n FROM reach_event GROUP BY id)") == [(2,)]
