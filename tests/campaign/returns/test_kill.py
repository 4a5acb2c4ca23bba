"""Verified, then killed with -9 anywhere on the way to the books: a return and its correction count, and once."""

import os
import signal
import sys
from datetime import datetime
from pathlib import Path

import pytest

from campaign.returns import filing
from core.database import Database
from core.settings import Settings
from tests import forked
from tests.campaign.returns import cast, crashing
from tracking.store import ReachStore

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def verified(settings: Settings, database: Database, now: datetime) -> Settings:
    """An installation in which a return of 60 and its correction to 46 wait to be booked."""
    with database.transaction() as session:
        who = cast.people(session, now)
        number = cast.verified(session, who, now)
        filing.correct(session, number, by=who.clerk, now=now)
        today = now.astimezone(cast.ZONE).date()
        filing.save(session, number, {**cast.TYPED, "heads": "46"}, by=who.clerk, now=now, today=today)
        cast.hand_in(session, number, who.clerk, now)
        cast.decide(session, number, who.branch, now)
    return settings


def book(settings: Settings, *arguments: str) -> int:
    """Let a process book; its exit status."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")},
        "SIGNPOST_HOME": str(settings.home),
        "SIGNPOST_DATABASE_URL": settings.database_url,
        "SIGNPOST_SECRET_KEY": "test-secret-of-no-value",
    }
    command = [sys.executable, "-m", crashing.__name__, *arguments]
    return forked.run(command, cwd=ROOT, env=environment, timeout=120).returncode


def counted(settings: Settings) -> int:
    store = ReachStore.open(settings)
    try:
        sql = "SELECT sum(quantity) FROM reach_event WHERE kind = 'attended' AND source = 'return'"
        return int(store.query(sql)[0][0] or 0)
    finally:
        store.close()


@pytest.mark.parametrize("moment", ["before", "after", "shipped"])
def test_a_kill_on_the_way_loses_and_doubles_nothing(verified: Settings, moment: str) -> None:
    assert book(verified, moment) == -signal.SIGKILL
    assert book(verified, "none") == 0
    assert counted(verified) == 46


def test_with_a_new_name_for_each_deposit_the_same_kills_double(verified: Settings) -> None:
    """The control."""
    assert book(verified, "shipped", "careless") == -signal.SIGKILL
    assert book(verified, "none", "careless") == 0
    assert counted(verified) == 46 + 60
