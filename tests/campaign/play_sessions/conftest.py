"""A site with the sample room, an outlet that hosts it, and phones that join."""

from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask

from campaign.play_sessions import hosting
from campaign.play_sessions.hosting import Wanted
from campaign.play_sessions.models import PlaySession
from core import clock
from core.database import Database
from tests import factories
from tests.content.conftest import app, cast, entered
from tests.content.rooms.conftest import KEY, room
from tests.content.rooms.plain import Plain

__all__ = ["app", "cast", "entered", "room"]
CHROME = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/126.0 Mobile Safari/537.36 MicroMessenger/8.0"
)
Joins = Callable[..., Plain]


@pytest.fixture
def hosted(app: Flask, database: Database, room: str) -> PlaySession:
    """A session that runs now, at the first outlet."""
    return host(database, clock.now())


def host(database: Database, now: datetime, outlet: str = factories.OUTLET_A, **more: str) -> PlaySession:
    """Open a session."""
    with database.transaction() as session:
        return hosting.open_session(session, outlet, Wanted(KEY, 2, **more), by=None, now=now)  # type: ignore[arg-type]


@pytest.fixture
def joins(app: Flask, hosted: PlaySession) -> Joins:
    """A phone that joins under a nickname, and stands in the first scene."""

    def arrive(nickname: str = "", **more: str) -> Plain:
        phone = Plain(app.test_client(), {"User-Agent": CHROME})
        send(phone, hosted.code or "", nickname, **more)
        return phone

    return arrive


def send(phone: Plain, code: str, nickname: str, **more: str) -> None:
    """Fill in the form for a nickname, as its page shows it."""
    form = phone.open(f"/play/join/{code}").forms[-1]
    fields = dict(form.fields) | {"nickname": nickname} | more
    phone.post(form.action, fields)  # type: ignore[arg-type]
