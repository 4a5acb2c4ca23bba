"""Approved, then killed with -9 anywhere on the way to the books: everything counts, and once."""

import os
import signal
import sys
from pathlib import Path as Folder

import pytest

from core.database import Database
from core.settings import Settings
from tests import forked
from tests.tracking.imports import cast, crashing
from tests.tracking.imports.cast import SCREENS, csv, decide, hand_in, stored
from tracking.store import ReachStore

ROOT = Folder(__file__).resolve().parents[3]
ALL = 64 + 31 + 52 + 20 + 7


@pytest.fixture
def approved(settings: Settings, database: Database) -> Settings:
    """An installation in which one import waits to be carried."""
    with database.transaction() as session:
        people = cast.people(session)
        decide(session, hand_in(session, csv(*SCREENS), people.analyst), people.decider)
    return settings


def carry(settings: Settings, *arguments: str) -> int:
    """Let a process carry; its exit status."""
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
        return sum(row[5] for row in stored(store))
    finally:
        store.close()


@pytest.mark.parametrize("moment", ["before", "after", "shipped"])
def test_a_kill_on_the_way_loses_and_doubles_nothing(approved: Settings, moment: str) -> None:
    assert carry(approved, moment) == -signal.SIGKILL
    assert carry(approved, "none") == 0
    assert counted(approved) == ALL


def test_with_a_new_name_for_each_deposit_the_same_kills_double(approved: Settings) -> None:
    """The control."""
    assert carry(approved, "shipped", "careless") == -signal.SIGKILL
    assert carry(approved, "none", "careless") == 0
    assert counted(approved) == 2 * ALL
