"""A push of so many recipients by calls of a thousand, against a bare loop that makes the same calls and keeps nothing.

The stand-in answers each call after 20 ms, in a process of its own; ours and the bare loop have the same threads, the
same client and the same bytes to send. Then a channel with a message each (64 in flight) and mail (8 connections), each
against its bare sender, and planning alone. Beside seconds stands the processor time of this process for a recipient,
which others on the machine disturb less. `growth_mib`: by how much the pushing process grows while a million are
planned, and from the first ten thousand that are sent to the last. `import_s`: what `bench.contacts` says of a million.
"""

import argparse
import json
import smtplib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sqlmodel import SQLModel

from bench import contacts
from bench.load import folder
from bench.push_people import SENDER, TEXT, fill
from bench.push_stand_ins import mail_server, platform
from campaign.addresses import KINDS
from campaign.audience import Address
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from core.steadying import spare_rounds
from scheduler.channels.base import Account, AnyChannel, DeliveryError, Message, Rate, addresses_of
from scheduler.channels.base_http import Http
from scheduler.channels.email import Email, compose
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import Push, PushState
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp import tables

CALL, THREADS, LATENCY, IN_FLIGHT, LINES = 1000, 2, 0.02, 64, 8
SOMEBODY = Address(1, "王芳", "u1@example.com")
_SMALL, _LOOK = 10_000, 0.1


@dataclass
class Bench:
    """A channel of the bench: by calls, or (call_size 1) a message each; it takes the webhook's place."""

    call_size: int
    batch_size: int = 10 * CALL
    group: int = 320
    in_flight: int = IN_FLIGHT // THREADS
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
        self._http.post(self._address, {"key": message.key, "text": TEXT, "to": message.address})
        return ""

    def send_many(self, key: str, messages: Sequence[Message]) -> Sequence[str | DeliveryError]:
        """One call."""
        self._http.post(self._address, {"key": key, "text": TEXT, "to": addresses_of(messages)})
        return [key] * len(messages)


@dataclass(frozen=True)
class Took:
    """Seconds, and processor seconds of this process."""

    wall: float
    processor: float

    @classmethod
    def of(cls, act: Callable[[], object]) -> "Took":
        """What an act took."""
        begun, spent = time.perf_counter(), time.process_time()
        act()
        return cls(time.perf_counter() - begun, time.process_time() - spent)

    def said(self, count: int) -> str:
        """In words."""
        return f"{self.wall:.2f} s ({self.processor / count * 1e6:.1f} µs of processor each)"


def line_of(settings: Settings, database: Database, channel: AnyChannel, threads: int) -> Outgoing:
    """The whole line over a channel."""
    keys = Keys(load_secret(settings))
    attributions, spool = Attributions(keys), Spool.of(settings)
    return outgoing(
        settings=settings, database=database, keys=keys, vault=Vault(keys), attributions=attributions,
        recorder=Recorder(spool, attributions, settings), clock=clock.now, channels=(channel,), threads=threads,
    )  # fmt: skip


@dataclass
class Scene:
    """People, a push to all of them, and the line that will send it."""

    database: Database
    line: Outgoing
    growth: float = 0.0

    @classmethod
    def of(cls, home: Path, count: int, channel: AnyChannel, target: str, threads: int = THREADS) -> "Scene":
        """A database of its own with so many people."""
        settings = Settings(_env_file=None, home=home, secret_key="of-no-value")
        settings.home.mkdir()
        database = Database(settings.relational_url)
        SQLModel.metadata.create_all(database.engine)
        assert channel.name in KINDS
        fill(database, Vault(Keys(load_secret(settings))), count, channel.name, target)
        return cls(database, line_of(settings, database, channel, threads))

    def plan(self) -> None:
        """Cut the push to its end, however long it takes to send."""
        before = _size()
        replace(self.line.planner, ahead=1 << 60).tick(clock.now())
        self.growth += max(0.0, _size() - before)

    def send(self) -> None:
        """Until the push is done."""
        small = largest = 0.0
        while True:
            self.line.dispatch()
            with self.database.reading() as session:
                push = session.get_one(Push, 1)
            if push.tried >= _SMALL:
                small, largest = small or _size(), max(largest, _size())
            if push.state != PushState.running:
                break
            time.sleep(_LOOK)
        assert push.state == PushState.done, push.reason
        self.growth += largest - small
        self.line.stop()
        self.database.close()


def _size() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / (1 << 20)


def bare(count: int, threads: int, opened: Callable[[], Any], act: Callable[[Any, int], object]) -> None:
    """So many acts by so many threads, each with a line of its own, and nothing else."""
    numbers, lock = iter(range(count)), threading.Lock()

    def work() -> None:
        line = opened()
        while True:
            with lock:
                number = next(numbers, None)
            if number is None:
                break
            act(line, number)
        line.close()

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()


def by_calls(home: Path, url: str, count: int, threads: int) -> dict[str, float]:
    """Planning alone, then the push by calls of a thousand and its bare loop."""
    scene = Scene.of(home / "calls", count, Bench(CALL), url, threads)
    planned, took = Took.of(scene.plan), Took.of(scene.send)
    body = {"key": "k" * 32, "text": TEXT, "to": [f"u{number}" for number in range(CALL)]}
    least = Took.of(lambda: bare(count // CALL, threads, Http, lambda http, _number: http.post(url, body)))
    print(f"{count:,} planned: {planned.said(count)}")
    print(f"{count:,} by calls: ours {took.said(count)}, bare {least.said(count)}")
    return {
        "batch_ratio": least.wall / took.wall,
        "plan_s": planned.wall * 1_000_000 / count,
        "growth_mib": scene.growth,
    }


def singly(home: Path, url: str, count: int) -> dict[str, float]:
    """A message each, 64 in flight."""
    scene = Scene.of(home / "single", count, Bench(1, batch_size=2000), url)
    scene.plan()
    took = Took.of(scene.send)
    body = {"key": "k" * 32, "text": TEXT, "to": "u1"}
    least = Took.of(lambda: bare(count, IN_FLIGHT, Http, lambda http, _number: http.post(url, body)))
    print(f"{count:,} singly: ours {took.said(count)}, bare {least.said(count)}")
    return {"single_ratio": least.wall / took.wall}


def by_mail(home: Path, port: int, count: int) -> dict[str, float]:
    """Letters over eight connections; the bare sender has one letter, written before, and only hands it over."""
    channel = Email(clock.now)
    scene = Scene.of(home / "mail", count, channel, f"127.0.0.1 {port}", LINES // channel.in_flight)
    scene.plan()
    with scene.database.reading() as session:
        letter = scene.line.dispatcher.composer.letter(session, session.get_one(Push, 1))
    said = scene.line.dispatcher.composer.message(
        letter, key="k" * 32, address=SOMEBODY, address_index="00" * 32, outlet=""
    )
    content = compose(said, SENDER, clock.now())
    took = Took.of(scene.send)
    least = Took.of(
        lambda: bare(
            count, LINES, lambda: smtplib.SMTP("127.0.0.1", port),
            lambda server, _number: server.sendmail("edu@example.com", ["u1@example.com"], content),
        )
    )  # fmt: skip
    channel.close()
    print(f"{count:,} by mail: ours {took.said(count)}, bare {least.said(count)}")
    return {"mail_ratio": least.wall / took.wall}


def main() -> None:
    """Measure, print the table and the result."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--recipients", type=int, default=1_000_000)
    arguments.add_argument("--single", type=int, default=20_000)
    arguments.add_argument("--mail", type=int, default=20_000)
    arguments.add_argument("--imported", type=int, default=1_000_000, help="0 leaves the import out")
    arguments.add_argument("--threads", type=int, default=THREADS)
    chosen = arguments.parse_args()
    assert tables.__all__
    spare_rounds()  # as every process that sends does at its start
    result: dict[str, float] = {}
    with folder() as home, platform(LATENCY) as url, mail_server() as port:
        result |= by_calls(home, url, chosen.recipients, chosen.threads)
        result |= singly(home, url, chosen.single)
        result |= by_mail(home, port, chosen.mail)
    if chosen.imported:
        result["import_s"] = contacts.measured(chosen.imported)["import_s"]
    for name, value in result.items():
        print(f"{name:14}{value:10.3f}")
    print("RESULT", json.dumps(result))


if __name__ == "__main__":
    main()
