"""`kill -9` of the process that pushes, at seeded points of a push: nobody is lost, nobody is doubled.

The receiver itself kills the process while a message is in its hands, half of the times after the message
took effect and before the answer, which is the worst moment there is.
"""

import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlmodel import col, select

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler.channels.email import Email
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from tests import forked
from tests.scheduler.audience_cast import people, plan, send_now
from tests.scheduler.receivers import ACCEPT, SILENT_BEFORE, Inbox, MailReceiver, WebhookReceiver

ROOT = Path(__file__).resolve().parents[2]
MESSAGES = 2000
PATIENCE = 300.0
THREADS = 2  # senders per channel, so at most so many groups of mails are in flight


class SwiftMail(MailReceiver):
    """The mail server without looking into the mails, to leave time for the killing."""

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        found = re.search(rb"^Message-ID: <(\w+)@", envelope.content, re.MULTILINE)
        key, address = found[1].decode() if found else "", envelope.rcpt_tos[0]
        if self.inbox.arrive(key, address) == SILENT_BEFORE:
            return "451 not now"
        self.inbox.accept(key, address, None)
        return "250 taken"


@dataclass
class Killer:
    """Starts the pushing process, kills it from within the receiver, starts it again."""

    settings: Settings
    inbox: Inbox
    points: dict[int, str]
    pretend_keys: bool = False
    more: dict[str, object] = field(default_factory=dict)
    kills: int = 0
    process: "subprocess.Popen[bytes] | None" = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def behave(self, number: int, address: str) -> str:
        """At the chosen messages the process dies before or after they take effect."""
        point = self.points.get(number)
        if point is None:
            return ACCEPT
        self.kill()
        return point

    def kill(self) -> None:
        with self.lock:
            if self.process is not None and self.process.poll() is None:
                os.kill(self.process.pid, signal.SIGKILL)
                self.kills += 1

    def start(self) -> None:
        given = {
            name: getattr(self.settings, name)
            for name in ("database_url", "smtp_host", "smtp_port", "smtp_tls", "mail_from")
        }
        given |= {"home": str(self.settings.home), "secret_key": "test-secret-of-no-value"}
        given |= {"pretend_keys": self.pretend_keys, **self.more}
        command = [sys.executable, "-m", "tests.scheduler.pusher", json.dumps(given)]
        with self.lock:
            self.process = forked.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout is not None
        self.process.stdout.readline()

    def run(self, database: Database, early: int) -> None:
        """Until the push is done; the first `early` processes die within half a second, while it is cut."""
        self.inbox.behave = self.behave
        deadline = time.monotonic() + PATIENCE
        while not _done(database):
            assert time.monotonic() < deadline, f"not done in {PATIENCE} s: {_count(database)}"
            if self.process is None or self.process.poll() is not None:
                self._forget()
                self.start()
                if self.kills < early:
                    time.sleep(random.Random(self.kills).random())
                    self.kill()
            time.sleep(0.05)
        self._wait_for_counting(database)
        self._forget()

    def _wait_for_counting(self, database: Database) -> None:
        for _ in range(200):
            with database.reading() as session:
                if not session.exec(select(Batch).where(Batch.counted < Batch.rounds)).first():
                    return
            time.sleep(0.05)

    def _forget(self) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None


def _points(seed: int, count: int, kills: int) -> dict[int, str]:
    """Messages at which the process dies, spread over the push."""
    chance = random.Random(seed)
    step = count // (kills + 1)
    numbers = [step * (turn + 1) + chance.randrange(-step // 3, step // 3) for turn in range(kills)]
    return {number: ACCEPT if turn % 2 == 0 else SILENT_BEFORE for turn, number in enumerate(numbers)}


def _prepare(database: Database, vault: Vault, count: int, **more: str) -> None:
    now = clock.now()
    with database.transaction() as session:
        made = plan(session, people(session, vault, count, now), now, **more)
        send_now(session, made, now)


def _done(database: Database) -> bool:
    with database.reading() as session:
        return session.exec(select(Push.state)).first() == PushState.done


def _count(database: Database) -> Counter[str]:
    with database.reading() as session:
        return Counter(session.exec(select(Delivery.state)))


def _keys_in(database: Database, state: str) -> set[str]:
    with database.reading() as session:
        return set(session.exec(select(Delivery.key).where(Delivery.state == state)))


def _counted(settings: Settings) -> Counter[str]:
    """Ids of the delivered events in the spool."""
    lines = b"".join(path.read_bytes() for path in settings.spool_dir.glob("push-*")).splitlines()
    return Counter(one.split(b"\t")[0].decode().removeprefix("d-") for one in lines)


def _each_once(counted: Counter[str], keys: set[str]) -> bool:
    return set(counted) == keys and set(counted.values()) <= {1}


def test_webhook_each_key_takes_effect_once(settings: Settings, database: Database, vault: Vault) -> None:
    with WebhookReceiver().serve() as receiver:
        _prepare(database, vault, MESSAGES, target=receiver.url)
        killer = Killer(settings, receiver.inbox, _points(7, MESSAGES, 2))
        killer.run(database, early=1)
    assert killer.kills == 3
    assert _count(database) == {DeliveryState.sent: MESSAGES}
    assert _each_once(receiver.inbox.effects, _keys_in(database, DeliveryState.sent))
    assert set(receiver.inbox.recipients.values()) == {1}
    assert len(receiver.inbox.attempts) > MESSAGES, "the kills did hit messages in flight"
    assert _each_once(_counted(settings), _keys_in(database, DeliveryState.sent))


def test_mail_nobody_is_lost_and_nobody_mailed_twice(
    settings: Settings, database: Database, vault: Vault
) -> None:
    with SwiftMail().serve() as receiver:
        _prepare(database, vault, MESSAGES)
        killer = Killer(_mailing(settings, receiver.port), receiver.inbox, _points(11, MESSAGES, 2))
        killer.run(database, early=1)
    assert killer.kills == 3
    counts = _count(database)
    sent, uncertain = _keys_in(database, DeliveryState.sent), _keys_in(database, DeliveryState.uncertain)
    assert set(counts) == {DeliveryState.sent, DeliveryState.uncertain}
    assert len(sent) + len(uncertain) == MESSAGES
    assert 1 <= len(uncertain) <= Email.group * THREADS * killer.kills, "only what was in flight"
    assert set(receiver.inbox.recipients.values()) == {1}, "nobody got two"
    assert sent <= set(receiver.inbox.effects) <= sent | uncertain, "who counts as sent did get it"
    assert _each_once(_counted(settings), sent)
    with database.reading() as session:
        doubtful = select(Batch).where(col(Batch.state) == BatchState.uncertain)
        assert 1 <= len(list(session.exec(doubtful))) <= THREADS * killer.kills


def _mailing(settings: Settings, port: int) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": port,
            "smtp_tls": "none",
            "mail_from": "edu@example.com",
        }
    )


def test_control_resending_by_itself_would_mail_twice(
    settings: Settings, database: Database, vault: Vault
) -> None:
    with SwiftMail().serve() as receiver:
        _prepare(database, vault, 60)
        here = _mailing(settings, receiver.port)
        Killer(here, receiver.inbox, {17: ACCEPT}, pretend_keys=True).run(database, early=0)
    assert max(receiver.inbox.recipients.values()) == 2


@pytest.mark.parametrize("forgetful", [True])
def test_control_a_receiver_without_keys_would_double(
    settings: Settings, database: Database, vault: Vault, forgetful: bool
) -> None:
    with WebhookReceiver(forgetful=forgetful).serve() as receiver:
        _prepare(database, vault, 60, target=receiver.url)
        Killer(settings, receiver.inbox, {17: ACCEPT}).run(database, early=0)
    assert max(receiver.inbox.effects.values()) == 2
