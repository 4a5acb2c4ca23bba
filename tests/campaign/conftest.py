"""A whole site without a server: the application over a filled database, and people signed in."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask, request, request_finished
from flask.testing import FlaskClient

from content.pages import FACTS, PageFacts
from core import clock
from core.settings import Settings
from tests import browser, copies, entering, servers
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture(scope="module")
def runtime(
    tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template
) -> Iterator[Runtime]:
    """The objects of a site with cast, outlets, starter pieces and a campaign that runs today. Shared by the
    tests of a module: who writes, writes to a campaign of its own."""
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home,
            "database_url": url,
            "secret_key": "of-no-value",
            "second_factor": "off",
        }
        settings = Settings(_env_file=None, **values)
        copies.filled(settings, clock.now(), browser.site)
        runtime = build(settings)
        yield runtime
        runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    """The Flask application."""
    return create_app(runtime)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor."""
    return app.test_client()


@pytest.fixture
def declared(app: Flask) -> Iterator[list[PageFacts | None]]:
    """What each answer of this test was declared to be, in their order; None for a page that is not counted."""
    seen: list[PageFacts | None] = []

    def note(_app: Flask, **_more: object) -> None:
        seen.append(request.environ.get(FACTS))

    with request_finished.connected_to(note, app):
        yield seen


Desk = Callable[[str], FlaskClient]


@pytest.fixture
def desk(app: Flask) -> Desk:
    """Somebody's browser, signed in."""
    return lambda login: entering.client(app, login)


def token(client: FlaskClient, path: str) -> str:
    """The CSRF token of the form on a page."""
    found = TOKEN.search(client.get(path).text)
    assert found, path
    return found[1]
