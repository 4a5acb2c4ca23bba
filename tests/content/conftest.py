"""The whole application with the named cast, and people signed in to its desk."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from click.testing import CliRunner
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser

from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import browser, factories
from webapp import commands
from webapp.create_app import create_app
from webapp.runtime import build


@pytest.fixture
def cast(database: Database, now: datetime) -> dict[str, Staff]:
    """The named people, by login."""
    with database.transaction() as session:
        return factories.cast(session, now)


@pytest.fixture
def app(settings: Settings, cast: dict[str, Staff]) -> Iterator[Flask]:
    """The application; forms are posted without a token here."""
    runtime = build(settings)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()


@pytest.fixture
def entered(app: Flask) -> Callable[[str], FlaskClient]:
    """A browser of one of the cast, signed in through the form."""

    def enter(login: str) -> FlaskClient:
        client = app.test_client()
        answer = client.post("/desk/sign-in", data={"login": login, "password": factories.PASSWORDS[login]})
        assert answer.status_code == 302
        return client

    return enter


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser, one for the tests of a module."""
    with browser.chromium() as found:
        yield found


@pytest.fixture
def command(settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[CliRunner]:
    """A command line of this test's installation."""
    monkeypatch.setenv("SIGNPOST_HOME", str(settings.home))
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", settings.relational_url)
    commands.runtime.cache_clear()
    yield CliRunner()
    commands.runtime().close()
    commands.runtime.cache_clear()
