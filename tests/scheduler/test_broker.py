"""Workers as processes of their own: by the broker's wake-ups or by claims alone; told to end, they lose nothing."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from click.testing import CliRunner
from sqlmodel import select

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler.broker import MOST, Broker, Brokered
from scheduler.jobs import Outgoing, outgoing
from scheduler.models import Batch, BatchState, Delivery, DeliveryState
from scheduler.worker import Threads
from tests import forked
from tests.scheduler.audience_cast import people, plan, send_now
from tests.scheduler.brokers import redis
from tests.scheduler.receivers import ACCEPT, BUSY, MailReceiver, WebhookReceiver
from tests.servers import free_port
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp import commands, migrate
from webapp.cli import main

PATIENCE = 120.0


@pytest.fixture
def whole(database: Database) -> Database:
    """A database that says that it has every migration, as one that was set up does."""
    command.stamp(migrate.config(database), "head")
    return database


@contextmanager
def worker(settings: Settings, *arguments: str, **more: Any) -> Iterator[forked.Popen]:
    """`signpost worker` in a process of its own; ended in any case."""
    given = {
        "HOME": settings.home,
        "DATABASE_URL": settings.database_url,
        "SECRET_KEY": "test-secret-of-no-value",
    }
    given |= {
        name: getattr(settings, name.lower())
        for name in ("BROKER_URL", "SMTP_HOST", "SMTP_PORT", "SMTP_TLS", "MAIL_FROM")
    }
    given |= {name.upper(): value for name, value in more.items()}
    environment = os.environ | {f"SIGNPOST_{name}": str(value) for name, value in given.items()}
    log = (settings.home / "worker.log").open("ab")
    program = [sys.executable, "-c", "from webapp.cli import main; main()", "worker", *arguments]
    process = forked.Popen(program, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait(20)
        log.close()


@contextmanager
def line(settings: Settings, database: Database, keys: Keys) -> Iterator[Outgoing]:
    """The line of a serving process."""
    attributions, spool = Attributions(keys), Spool(settings.spool_dir, 2.0, 1 << 20)
    made = outgoing(
        settings=settings, database=database, keys=keys, vault=Vault(keys), attributions=attributions,
        recorder=Recorder(spool, attributions, settings), clock=clock.now,
    )  # fmt: skip
    yield made
    made.stop()
    spool.close()


def _until(true: Callable[[], object], act: Callable[[], object] = lambda: None) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "it did not come to pass"
        act()
        time.sleep(0.05)


def _begin(database: Database, vault: Vault, count: int, **more: Any) -> None:
    now = clock.now()
    with database.transaction() as session:
        send_now(session, plan(session, people(session, vault, count, now), now, **more), now)


def _states(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.exec(select(Delivery.state)))


def test_workers_of_a_broker_send_what_a_server_plans(
    settings: Settings, whole: Database, keys: Keys, vault: Vault, tmp_path: Path
) -> None:
    with redis(tmp_path) as url, WebhookReceiver().serve() as receiver:
        told = settings.model_copy(update={"broker_url": url})
        _begin(whole, vault, 700, target=receiver.url)
        with line(told, whole, keys) as here, worker(told), worker(told, "--channel", "webhook"):
            broker = here.senders
            assert isinstance(broker, Brokered)

            def unsteady() -> None:
                """Wake-ups that come twice, and wake-ups that are lost."""
                here.dispatch()
                for _ in range(3):
                    broker.broker.app.send_task("push.send", ("webhook",), queue="signpost.webhook")
                if len(receiver.inbox.attempts) % 3 == 0:
                    with broker.broker.app.connection_for_write() as connection:
                        broker.broker.queues["webhook"](connection.default_channel).purge()

            here.plan()
            assert not receiver.inbox.attempts, "this process itself sends nothing"
            _until(lambda: _states(whole) == {DeliveryState.sent}, unsteady)
        assert len(receiver.inbox.effects) == 700 and set(receiver.inbox.effects.values()) == {1}
        assert len(receiver.inbox.attempts) == 700, "nothing is sent a second time to find that out"


@pytest.mark.parametrize("by", ["threads", "broker"])
def test_a_worker_that_is_told_to_end_gives_its_batch_back(
    settings: Settings, whole: Database, keys: Keys, vault: Vault, *, tmp_path: Path, by: str
) -> None:
    """SIGTERM: the mail in hand is finished, the rest waits unclaimed, the line to the mail server is ended."""
    with redis(tmp_path) if by == "broker" else _nothing() as url, MailReceiver().serve() as mail:
        told = settings.model_copy(
            update={
                "broker_url": url, "smtp_host": "127.0.0.1", "smtp_port": mail.port, "smtp_tls": "none",
                "mail_from": "edu@example.com",
            }
        )  # fmt: skip
        _begin(whole, vault, 300)  # three groups
        with line(told, whole, keys) as here, worker(told, "--threads", "1") as process:

            def behave(number: int, address: str) -> str:
                if len(mail.inbox.recipients) == 5:
                    process.send_signal(signal.SIGTERM)
                    time.sleep(0.2)
                return ACCEPT

            mail.inbox.behave = behave
            here.plan()
            _until(lambda: process.poll() is not None, here.dispatch if url else lambda: None)
            assert process.returncode == 0
        got = len(mail.inbox.recipients)
        assert 5 < got < 300 and set(mail.inbox.recipients.values()) == {1}
        with whole.reading() as session:
            assert (
                session.exec(select(Delivery.state).where(Delivery.state == DeliveryState.sent)).all()
                == [DeliveryState.sent] * got
            )
            assert _states(whole) == {DeliveryState.sent, DeliveryState.queued}
            assert set(session.exec(select(Batch.state))) == {BatchState.queued}
            assert set(session.exec(select(Batch.owner))) == {None}, "nobody has to wait for a lease"


@contextmanager
def _nothing() -> Iterator[str]:
    yield ""


def test_a_worker_has_as_many_threads_as_it_is_told(
    settings: Settings, whole: Database, keys: Keys, vault: Vault
) -> None:
    """Four batches of a hundred at most, and a receiver that answers nobody: each thread has one in its hands."""
    gate = threading.Event()
    with WebhookReceiver().serve() as receiver:
        receiver.inbox.behave = lambda number, address: ACCEPT if gate.wait(PATIENCE) else BUSY
        _begin(whole, vault, 310, target=receiver.url)
        with line(settings, whole, keys) as here, worker(settings, "--threads", "3"):
            here.plan()
            _until(lambda: _claimed(whole) == 3)
            gate.set()
            _until(lambda: _states(whole) == {DeliveryState.sent})


def _claimed(database: Database) -> int:
    with database.reading() as session:
        return len(session.exec(select(Batch.id).where(Batch.state == BatchState.claimed)).all())


def test_no_more_wake_ups_wait_than_there_are_batches(settings: Settings, tmp_path: Path) -> None:
    with redis(tmp_path) as url:
        broker = Broker(url, ["email", "webhook"])
        assert broker.wake({"email": 3, "webhook": 5000, "gone": 4}) == 3 + MOST
        assert broker.wake({"email": 3, "webhook": 5000}) == 0
        assert broker.wake({"email": 7}) == 4


def test_a_wake_up_names_a_channel_and_nothing_else(settings: Settings, tmp_path: Path) -> None:
    with redis(tmp_path) as url:
        broker = Broker(url, ["email"])
        broker.wake({"email": 1})
        with broker.app.connection_for_read() as connection:
            message = broker.queues["email"](connection.default_channel).get()
            assert message.payload[0] == ["email"] and message.payload[1] == {}


def test_while_the_broker_is_away_pushes_wait(
    settings: Settings,
    database: Database,
    keys: Keys,
    vault: Vault,
    *,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    port = free_port()
    told = settings.model_copy(update={"broker_url": f"redis://127.0.0.1:{port}/0"})
    _begin(database, vault, 3)
    with line(told, database, keys) as here:
        here.plan()
        for _ in range(3):
            here.dispatch()
        assert capsys.readouterr().out.count("the broker does not answer") == 1
        assert _states(database) == {DeliveryState.queued}
        with redis(tmp_path, port):
            assert here.senders.wake() == 1


def test_stopping_ends_the_lines_that_are_kept(
    mail_settings: Settings, mail: MailReceiver, database: Database, keys: Keys, vault: Vault
) -> None:
    _begin(database, vault, 2)
    with line(mail_settings, database, keys) as here:
        assert isinstance(here.senders, Threads)
        here.run_once()
        lines = here.dispatcher.channels["email"]._lines  # type: ignore[attr-defined]
        assert any(lines._waiting.values()), "a line waits for the next batch"
        here.stop()
        assert not lines._waiting


def test_the_command_says_what_is_missing(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNPOST_HOME", str(settings.home))
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", settings.database_url)
    commands.runtime.cache_clear()
    said = CliRunner().invoke(main, ["worker"])
    assert said.exit_code == 1 and "signpost setup" in said.output
    command.stamp(migrate.config(database), "head")
    commands.runtime.cache_clear()
    said = CliRunner().invoke(main, ["worker", "--channel", "email"])
    assert said.exit_code == 1 and "SIGNPOST_BROKER_URL" in said.output
    said = CliRunner().invoke(main, ["worker", "--channel", "pigeon"])
    assert said.exit_code == 1 and "推送渠道" in said.output
    commands.runtime.cache_clear()
