"""A desk in front of the named cast, and people signed in to it."""

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core.database import Database
from core.settings import Settings
from tests import factories
from webapp.create_app import create_app
from webapp.runtime import build


@pytest.fixture
def app(settings: Settings, now: datetime) -> Iterator[Flask]:
    """The whole application with the named cast; forms are posted without a token here."""
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
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


@pytest.fixture
def administrator(entered: Callable[[str], FlaskClient]) -> FlaskClient:
    """The administrator's browser."""
    return entered(factories.ADMINISTRATOR)
