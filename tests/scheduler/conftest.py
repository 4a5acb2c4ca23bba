"""Fixtures of the scheduler's tests: receivers on loopback, settings that point to them, the whole line."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.jobs import Outgoing, outgoing
from scheduler.patience import Limits
from tests import entering, factories
from tests.scheduler.receivers import MailReceiver, WebhookReceiver
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool
from webapp.create_app import create_app
from webapp.runtime import Runtime


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def forward(self, **by: float) -> datetime:
        self.at += timedelta(**by)
        return self.at


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def mail() -> Iterator[MailReceiver]:
    with MailReceiver().serve() as receiver:
        yield receiver


@pytest.fixture
def webhook(keys: Keys) -> Iterator[WebhookReceiver]:
    with WebhookReceiver().serve() as receiver:
        yield receiver


@pytest.fixture
def keys(settings: Settings) -> Keys:
    return Keys(load_secret(settings))


@pytest.fixture
def vault(keys: Keys) -> Vault:
    return Vault(keys)


@pytest.fixture
def mail_settings(settings: Settings, mail: MailReceiver) -> Settings:
    return settings.model_copy(
        update={
            "smtp_host": "127.0.0.1",
            "smtp_port": mail.port,
            "smtp_tls": "none",
            "mail_from": "消保部 <edu@example.com>",
        }
    )


@pytest.fixture
def spool(settings: Settings) -> Iterator[Spool]:
    spool = Spool(settings.spool_dir, settings.spool_seal_seconds, settings.spool_seal_bytes)
    yield spool
    spool.close()


@pytest.fixture
def line(
    mail_settings: Settings, database: Database, keys: Keys, spool: Spool, clock: Clock
) -> Iterator[Outgoing]:
    """Planner, dispatcher and counter over real channels, on a clock that the test moves."""
    attributions = Attributions(keys)
    made = outgoing(
        settings=mail_settings,
        database=database,
        keys=keys,
        vault=Vault(keys),
        attributions=attributions,
        recorder=Recorder(spool, attributions, mail_settings),
        clock=clock,
        limits=Limits(lease_seconds=60, most_attempts=3, backoff_first=10),
    )
    _one_by_one(made)
    yield made
    made.stop()


def _one_by_one(line: Outgoing) -> None:
    """Have messages go out one after the other, so that a test can say at which of them something happens."""
    for name, batch, group in (("email", 50, 1), ("webhook", 100, 20)):
        channel: Any = line.dispatcher.channels[name]
        channel.group, channel.in_flight = group, 1
        line.planner.batch_sizes[name] = batch


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """The application over the `runtime` of a file; forms are posted without a token here."""
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    """The administrator, signed in."""
    return entering.client(app, factories.ADMINISTRATOR)
