"""Batches through `kill -9` of a real server: sent again under the same key they are kept once."""

import json
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from core import clock
from core.database import Database
from core.settings import Settings
from institution import api_tokens
from institution.api_tokens import COLLECT
from tests import servers
from tracking.drain import Drain
from tracking.spool import Spool
from tracking.store import ReachStore
from webapp import migrate

ROOT = Path(__file__).resolve().parent.parent.parent
EACH = 3  # events of a batch


@dataclass
class Sender:
    """A program that sends batches, each of events of its own, and sends again what it had no answer for."""

    home: Path
    address: str
    token: str
    at: str
    sent: int = 0

    def body(self, number: int) -> bytes:
        """The batch of a number, always the same."""
        lines = [{"kind": "visited", "at": self.at, "id": f"{number}-{n}"} for n in range(EACH)]
        return "\n".join(map(json.dumps, lines)).encode()

    def post(self, number: int, key: str) -> int | None:
        """Send a batch; the status, None when there was no answer."""
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key}
        ask = urllib.request.Request(f"{self.address}/r/batch", self.body(number), headers)
        try:
            with urllib.request.urlopen(ask, timeout=20) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return None

    def until_killed(self) -> list[int]:
        """Send one batch after the other until one has no answer; the numbers that were sent."""
        numbers = []
        while True:
            self.sent += 1
            numbers.append(self.sent)
            status = self.post(self.sent, f"key-{self.sent}")
            if status is None:
                return numbers
            assert status == 200, status


@contextmanager
def serving(home: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """`signpost serve` as it is; killed at the end whatever happened."""
    command = [sys.executable, "-c", "from webapp.cli import main; main()", "serve"]
    own = {name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")}
    own |= {"SIGNPOST_HOME": str(home), "SIGNPOST_PORT": str(port), "SIGNPOST_RATE_STORAGE": ""}
    log = (home / "serve.log").open("ab")
    process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=log, stderr=log, start_new_session=True)
    try:
        for _ in range(300):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/robots.txt", timeout=5).close()
                break
            except OSError:
                assert process.poll() is None, (home / "serve.log").read_text()
                time.sleep(0.1)
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(20)
        log.close()
        _wait_until_free(home)


def _wait_until_free(home: Path) -> None:
    """Until the worker of the killed server has let go of the store."""
    for _ in range(200):
        try:
            ReachStore.check_free(Settings(_env_file=None, home=home))
            return
        except Exception:
            time.sleep(0.05)
    raise AssertionError("the store is still held")


@pytest.fixture
def sender(tmp_path: Path) -> Sender:
    home = tmp_path / "home"
    home.mkdir()
    database = Database(Settings(_env_file=None, home=home).relational_url)
    migrate.upgrade(database)
    with database.transaction() as session:
        _row, token = api_tokens.make(
            session, name="App", purposes=[COLLECT], outlet_code="", days=9, by=None, now=clock.now()
        )
    database.close()
    return Sender(home, f"http://127.0.0.1:{servers.free_port()}", token, clock.now().isoformat())


def stored(home: Path) -> Counter[str]:
    """Drain what is left; how often the store holds each event of the batches."""
    settings = Settings(_env_file=None, home=home)
    store = ReachStore.open(settings)
    Drain(Spool(settings.spool_dir), store).run_once()
    rows = store.query("SELECT id, count() FROM reach_event WHERE source = 'batch' GROUP BY id")
    store.close()
    return Counter({str(event): int(number) for event, number in rows})


def again(number: int) -> str:
    """The key under which a batch is sent again: odd ones as they should be, even ones carelessly, as the control."""
    return f"key-{number}" if number % 2 else f"another-{number}"


def kill_and_send_again(sender: Sender, seed: int, kills: int) -> None:
    """Kills while batches come in, each followed by sending them again, before and after the drain shipped some."""
    chance, port = random.Random(seed), int(sender.address.rpartition(":")[2])
    numbers: list[int] = []
    for turn in range(kills + 1):
        with serving(sender.home, port) as process:
            for _ in range(2):
                for number in numbers:
                    assert sender.post(number, again(number)) == 200, f"seed {seed}"
                time.sleep(1.2 if numbers else 0)
            if turn < kills:
                kill = f"sleep {chance.uniform(0.2, 0.9):.3f}; kill -9 -{process.pid}"
                with subprocess.Popen(["sh", "-c", kill]) as killer:
                    numbers = sender.until_killed()
                    killer.wait(20)


@pytest.mark.parametrize("kills", [1, pytest.param(12, marks=pytest.mark.slow)])
def test_a_batch_sent_again_under_its_key_is_kept_once_and_under_another_twice(
    sender: Sender, kills: int
) -> None:
    seed = time.time_ns()
    kill_and_send_again(sender, seed, kills)
    rows = stored(sender.home)
    ids = {number: [f"t1:{number}-{n}" for n in range(EACH)] for number in range(1, sender.sent + 1)}
    assert rows.keys() == {one for number in ids for one in ids[number]}, f"seed {seed}"
    assert {rows[one] for number in ids if number % 2 for one in ids[number]} == {1}, f"seed {seed}"
    assert 2 in {rows[one] for number in ids if number % 2 == 0 for one in ids[number]}, "the control"
