"""The command line as a person runs it, on the installation of a test."""

from collections.abc import Callable, Iterator

import pytest
from click.testing import CliRunner, Result

from core.settings import Settings
from webapp import commands
from webapp.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Run `signpost` on this test's installation."""
    monkeypatch.setenv("SIGNPOST_HOME", str(settings.home))
    monkeypatch.setenv("SIGNPOST_DATABASE_URL", settings.database_url)
    monkeypatch.setenv("SIGNPOST_SECRET_KEY", "test-secret-of-no-value")
    commands.runtime.cache_clear()
    yield lambda *words: CliRunner().invoke(main, [str(word) for word in words])
    commands.runtime().close()
    commands.runtime.cache_clear()
