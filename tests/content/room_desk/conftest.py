"""The sample room as a draft at the desk, and the editor's browser."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import library
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content.rooms.conftest import KEY, SAMPLES

Entered = Callable[[str], FlaskClient]


@pytest.fixture
def draft(app: Flask, database: Database, settings: Settings, cast: dict[str, Staff], now: datetime) -> str:
    """The key of the sample room, loaded and not yet submitted."""
    with database.transaction() as session:
        library.load_folder(session, settings.files_dir, SAMPLES, by=cast[factories.EDITOR].id or 0, now=now)
    return KEY


@pytest.fixture
def editor(entered: Entered, draft: str) -> FlaskClient:
    """The editor's browser, with a room to work on."""
    return entered(factories.EDITOR)
