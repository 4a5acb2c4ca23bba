"""A site with everything on it, shared by the tests of a module, and people signed in to it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import lifecycle
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import people
from tests import browser, copies, entering, factories, servers
from tests.content import pieces
from tests.scheduler import audience_cast
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

BRANCH = (factories.BRANCH_MANAGER, factories.OUTLET_STAFF, factories.OUTSIDER)


@pytest.fixture(scope="module")
def runtime(
    tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template
) -> Iterator[Runtime]:
    """Cast, outlets, pieces, campaigns, plans, pushes, a list, a request that waits."""
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home,
            "database_url": url,
            "secret_key": "of-no-value",
            "second_factor": "off",
            "rate_storage": "",
        }
        settings = Settings(_env_file=None, **values)
        copies.filled(settings, clock.now(), _fill, browser.site)
        runtime = build(settings)
        yield runtime
        runtime.close()


def _fill(runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        audience_cast.fill_desk(session, runtime.service(Vault), now)
        for login in BRANCH:
            factories.staff(session, login, now)
        editor = people.by_login(session, factories.EDITOR)
        assert editor is not None
        waiting = pieces.saved(session, pieces.text("waits"), editor.id or 0, now)
        lifecycle.submit(session, waiting.id or 0, by=editor.id or 0, now=now)


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Flask:
    """The application; CSRF is on, as on the site."""
    return create_app(runtime)


@pytest.fixture(scope="module")
def open_app(runtime: Runtime) -> Flask:
    """The same without CSRF, for attacks that come after that hurdle."""
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def administrator(open_app: Flask) -> FlaskClient:
    """Somebody who may do everything."""
    return entering.client(open_app, factories.ADMINISTRATOR)
