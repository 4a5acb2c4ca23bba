"""A push of so many recipients by calls of a thousand, against a bare loop that makes the same calls and keeps nothing.

The stand-in answers each call after 20 ms, in a process of its own; ours and the bare loop have the same threads and
the same client. Then a channel with a message each (64 in flight) and mail (8 connections), each against its bare
sender, and planning alone. `growth_mib`: by how much the pushing process grows from the first ten thousand
recipients to the last.
"""

import argparse
import json
import resource
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, SQLModel

from bench.load import folder, free_port
from campaign.contacts import Consent, Contact, ContactList, ContactMember
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.channels.base import Account, DeliveryError, Message, Rate
from scheduler.channels.base_http import Http
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import ChannelAccount, Plan, PlanState, Push, PushState
from scheduler.planner import Planner
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp import tables

CALL, THREADS, LATENCY = 1000, 2, 0.02
_CHUNK = 10_000
_STAND_IN = """
import json, sys, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    protocol_version, disable_nagle_algorithm, wbufsize = "HTTP/1.1", True, -1
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(float(sys.argv[2]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"taken": 1}')
    def log_message(self, *args):
        pass
server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
server.daemon_threads = True
sys.stdout.write("ready\\n"), sys.stdout.flush()
server.serve_forever()
"""


@dataclass
class Bench:
    """A channel of the bench: by calls, or (call_size 1) a message each; it takes the webhook's place."""

    call_size: int
    batch_size: int = CALL
    group: int = 20
    name: str = "webhook"
    idempotent: bool = True
    rates: tuple[Rate, ...] = ()

    @contextmanager
    def connect(self, account: Account) -> Iterator["Line"]:
        """A kept-alive line."""
        http = Http()
        try:
            yield Line(http, account.address)
        finally:
            http.close()


class Line:
    """Posts addresses."""

    def __init__(self, http: Http, address: str) -> None:
        self._http, self._address = http, address

    def send(self, message: Message) -> str:
        """One message."""
        self._http.post(self._address, {"key": message.key, "text": message.text, "to": message.address})
        return ""

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """One call."""
        body = {"key": key, "text": messages[0].text, "to": [one.address for one in messages]}
        self._http.post(self._address, body)
        return [key] * len(messages)


@contextmanager
def stand_in(latency: float) -> Iterator[str]:
    """The platform, in a process of its own."""
    port = free_port()
    command = [sys.executable, "-c", _STAND_IN, str(port), str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            yield f"http://127.0.0.1:{port}/send"
        finally:
            process.kill()


def fill(database: Database, vault: Vault, count: int, url: str) -> None:
    """So many people who agreed, an account, and a plan that is approved by nobody, since the push is made by hand."""
    now = clock.now()
    with database.transaction() as session:
        session.add(ContactList(id=1, name="all", created_at=now, updated_at=now))
        session.add(
            ChannelAccount(id=1, channel="webhook", name="a", address=url, created_at=now, updated_at=now)
        )
        session.flush()
        session.add(
            Plan(id=1, name="p", list_id=1, channel="webhook", account_id=1, first_at="", subject="退保前先问一问",
                 body="有人劝您“全额退保”，先停一停。", state=PlanState.ended, created_at=now, updated_at=now)
        )  # fmt: skip
    for start in range(0, count, _CHUNK):
        with database.transaction() as session:
            _people(session, vault, range(start + 1, min(count, start + _CHUNK) + 1))


def _people(session: Session, vault: Vault, numbers: range) -> None:
    now = clock.now()
    more = {"created_at": now, "updated_at": now, "name_sealed": vault.encrypt("王芳")}
    rows = [
        {"id": n, "identity": secrets.token_hex(32), "webhook_index": secrets.token_hex(32),
         "webhook_sealed": vault.encrypt(f"u{n}"), **more}
        for n in numbers
    ]  # fmt: skip
    session.execute(insert(Contact), rows)
    session.execute(insert(ContactMember), [{"list_id": 1, "contact_id": n} for n in numbers])
    agreed = {
        "channel": "webhook",
        "purpose": "education",
        "given_at": now,
        "source": "bench",
        "recorded_at": now,
    }
    session.execute(insert(Consent), [{"contact_id": n, **agreed} for n in numbers])


def push_once(database: Database, number: int, url: str) -> None:
    """A push to everybody, due now."""
    now = clock.now() + timedelta(seconds=number)
    with database.transaction() as session:
        session.add(
            Push(id=number, plan_id=1, due_at=now, state=PushState.cutting, list_id=1, channel="webhook",
                 account_id=1, target=url, subject="退保前先问一问", body="有人劝您“全额退保”，先停一停。", created_at=now)
        )  # fmt: skip


def line_of(settings: Settings, database: Database, channel: Bench, threads: int) -> tuple[Outgoing, Spool]:
    """The whole line over a channel."""
    keys = Keys(load_secret(settings))
    attributions, spool = Attributions(keys), Spool.of(settings)
    made = outgoing(
        settings=settings, database=database, keys=keys, vault=Vault(keys), attributions=attributions,
        recorder=Recorder(spool, attributions, settings), clock=clock.now, channels=(channel,), threads=threads,
    )  # fmt: skip
    return made, spool


def ours(line: Outgoing, database: Database, number: int) -> tuple[float, float]:
    """Seconds until a push is done, cutting and counting beside it; MiB by which the process grew after 10,000."""
    begun, small = time.perf_counter(), 0.0
    while True:
        line.plan()
        line.dispatch()
        with database.reading() as session:
            push = session.get_one(Push, number)
            if push.state == PushState.done:
                break
        small = small or _size()
        time.sleep(0.01)
    return time.perf_counter() - begun, _size() - small


def _size() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def bare(count: int, threads: int, act: Callable[[Http, int], Any]) -> float:
    """Seconds for so many acts by so many threads, each with a line of its own, and nothing else."""
    numbers, lock = iter(range(count)), threading.Lock()

    def work() -> None:
        http = Http()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            act(http, number)
        http.close()

    begun = time.perf_counter()
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return time.perf_counter() - begun


def main() -> None:
    """Measure, print the table and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--recipients", type=int, default=50_000)
    arguments.add_argument("--single", type=int, default=5_000)
    arguments.add_argument("--threads", type=int, default=THREADS)
    chosen = arguments.parse_args()
    assert tables.__all__
    result: dict[str, float] = {}
    with folder() as home, stand_in(LATENCY) as url:
        result |= by_calls(home, url, chosen.recipients, chosen.threads)
        result |= singly(home, url, chosen.single)
    for name, value in result.items():
        print(f"{name:14}{value:10.3f}")
    print("RESULT", json.dumps(result))


def _fresh(home: Path, name: str, count: int, url: str) -> tuple[Settings, Database]:
    settings = Settings(_env_file=None, home=home / name, secret_key="of-no-value")
    settings.home.mkdir()
    database = Database(settings.relational_url)
    SQLModel.metadata.create_all(database.engine)
    fill(database, Vault(Keys(load_secret(settings))), count, url)
    return settings, database


def by_calls(home: Path, url: str, count: int, threads: int) -> dict[str, float]:
    """Planning alone, then the push by calls of a thousand and its bare loop."""
    settings, database = _fresh(home, "calls", count, url)
    push_once(database, 1, url)
    begun = time.perf_counter()
    Planner(database, settings.zone, {"webhook": CALL}, ahead=1 << 60).tick(clock.now())
    planned = time.perf_counter() - begun
    line, spool = line_of(settings, database, Bench(CALL), threads)
    took, growth = ours(line, database, 1)
    line.stop()
    spool.close()
    database.close()
    to = [f"u{number}" for number in range(CALL)]
    body = {"key": "k" * 32, "text": "有人劝您“全额退保”，先停一停。", "to": to}
    least = bare(count // CALL, threads, lambda http, _number: http.post(url, body))
    print(f"{count:,} by calls: ours {took:.2f} s, bare {least:.2f} s; planned in {planned:.2f} s")
    return {"batch_ratio": least / took, "plan_s": planned, "growth_mib": growth}


def singly(home: Path, url: str, count: int) -> dict[str, float]:
    """A message each, 64 in flight."""
    settings, database = _fresh(home, "single", count, url)
    push_once(database, 1, url)
    line, spool = line_of(settings, database, Bench(1, batch_size=max(1, count // 128)), 64)
    line.plan()
    took, _growth = ours(line, database, 1)
    line.stop()
    spool.close()
    database.close()
    body = {"key": "k" * 32, "text": "有人劝您“全额退保”，先停一停。", "to": "u1"}
    least = bare(count, 64, lambda http, _number: http.post(url, body))
    print(f"{count:,} singly: ours {took:.2f} s, bare {least:.2f} s")
    return {"single_ratio": least / took}


if __name__ == "__main__":
    main()
