"""Fixtures for all tests: settings in a temporary home, a database of the chosen engine."""

import gc
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from core.database import Database
from core.i18n import set_locale
from core.settings import Settings
from core.steadying import YOUNG, spare_rounds
from tests import chromium, engines, quick, servers
from tests.tracking import fronts

# Thousands of files are still to be loaded, and nothing of that is garbage.
gc.set_threshold(YOUNG, 10, 10)
# The same examples at every run: what is green stays green. `--hypothesis-profile=default` looks further, at random.
hypothesis.settings.register_profile("same", derandomize=True)
hypothesis.settings.load_profile("same")

# What a test asks for that touches the relational database.
_DATABASE = {"database_template", "engine_kind"}
# Files that take minutes: browsers, processes that are killed, whole commands.
_LONG = (
    "starter_rooms",
    "pages_in_browser",
    "journeys",
    "xss",
    "kill",
    "browser",
    "command",
    "demo",
    "conservation",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.addoption("--reach", choices=("embedded", "server", "cluster"), default="embedded")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what an option asks to, unless it is asked for by name.

    Long random runs (`-m slow` asks for them). On PostgreSQL, what touches no relational database, and what says there
    what it said on SQLite (`engines`). Files that take minutes come first, so that both workers end together.
    """
    items.sort(key=lambda item: not any(word in item.path.as_posix() for word in _LONG))
    if config.option.markexpr or any("::" in argument for argument in config.args):
        return
    other = config.option.database != "sqlite"
    left = {
        item
        for item in items
        if item.get_closest_marker("slow")
        or (other and (engines.same(item) or not _DATABASE & set(getattr(item, "fixturenames", ()))))
    }
    config.hook.pytest_deselected(items=list(left))
    items[:] = [item for item in items if item not in left]


def pytest_collection_finish() -> None:
    """All that is loaded stays: the collector of garbage need not look through it again and again."""
    spare_rounds()


@pytest.fixture(scope="session", autouse=True)
def quickly(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The application is cheap to make; both workers of a run share what is compiled; one browser serves all."""
    shared = tmp_path_factory.getbasetemp()
    quick.compile_once((shared.parent if os.environ.get("PYTEST_XDIST_WORKER") else shared) / "templates")
    quick.write_without_waiting()
    quick.reckon_once()
    quick.route_once()
    quick.translate_once()
    quick.hash_quickly()
    yield
    chromium.end()


@pytest.fixture
def real_passwords() -> Iterator[None]:
    """Passwords cost what they cost a visitor: for who measures the time that they take."""
    quick.hash_with(*quick.REAL)
    yield
    quick.hash_quickly()


@pytest.fixture(autouse=True)
def chinese() -> None:
    """Every test begins in Chinese."""
    set_locale("zh")


@pytest.fixture
def now() -> datetime:
    """A Tuesday afternoon in Beijing."""
    return datetime(2026, 9, 15, 6, 30, tzinfo=UTC)


@pytest.fixture(scope="session")
def engine_kind(request: pytest.FixtureRequest) -> str:
    """Which relational engine this run uses: sqlite, or postgresql with --database postgresql."""
    return str(request.config.getoption("--database"))


@pytest.fixture(scope="session")
def database_template(
    engine_kind: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[servers.Template]:
    """An empty database with all tables, copied for each test."""
    with servers.template(engine_kind, tmp_path_factory.mktemp("database")) as template:
        yield template


@pytest.fixture(scope="session")
def reach_server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The reach server of this run, None for the embedded engine; --reach server or cluster."""
    kind = request.config.getoption("--reach")
    if kind == "embedded":
        yield None
        return
    with fronts.front(
        tmp_path_factory.mktemp("reach"), fronts.CLUSTER if kind == "cluster" else ""
    ) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, database_template: servers.Template, reach_server: Any) -> Iterator[Settings]:
    """Settings of an installation of its own: home and database are this test's alone."""
    home = tmp_path / "home"
    home.mkdir()
    with database_template.copy(home) as url:
        yield Settings(
            _env_file=None,
            home=home,
            database_url=url,
            reach_url=reach_server.url() if reach_server else "",
            secret_key="test-secret-of-no-value",
            second_factor="off",  # tests/institution/test_second_factor.py and the journeys switch it on
        )


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The relational database of this test, with all tables and no rows."""
    database = Database(settings.relational_url)
    yield database
    database.close()
