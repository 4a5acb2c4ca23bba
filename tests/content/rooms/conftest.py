"""A site with the sample room on it, and somebody who plays without script."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from sqlmodel import Session

from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tests.content.rooms.plain import Plain

SAMPLES = Path(__file__).resolve().parent.parent / "escape_room" / "rooms"
KEY = "a-call"


def publish(session: Session, settings: Settings, editor: Staff, reviewer: Staff, now: datetime) -> None:
    """Put the sample room on the site."""
    pieces.publish_folder(session, settings.files_dir, SAMPLES, (editor, reviewer), now)


@pytest.fixture
def room(database: Database, settings: Settings, cast: dict[str, Staff], now: datetime) -> str:
    """The key of the sample room, published."""
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    with database.transaction() as session:
        publish(session, settings, editor, reviewer, now)
    return KEY


@pytest.fixture
def visitor(app: Flask, room: str) -> Callable[[], Plain]:
    """Somebody with a browser of their own, who has opened the room's page."""

    def arrive() -> Plain:
        found = Plain(app.test_client())
        found.open(f"/p/{room}")
        return found

    return arrive
