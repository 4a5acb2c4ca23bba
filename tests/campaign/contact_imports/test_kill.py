"""Killed with -9 anywhere on its way, an import ends whole: nobody left out, nobody twice, every count exact."""

import os
import signal
import sys
from datetime import datetime
from io import BytesIO

import pytest
from sqlmodel import func, select

from campaign import lists
from campaign.contact_imports import register
from campaign.contact_imports.carrying import Imports
from campaign.contact_imports.models import APPLYING, DONE, ContactImport, ContactImportMember
from campaign.contacts import Consent, Contact, ContactMember
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from tests import forked
from tests.campaign.contact_imports import crashing

ROWS = 700  # eight pages
HEAD = "姓名,邮箱,手机,人群,同意用途,同意时间,同意来源\n"


@pytest.fixture
def waiting(settings: Settings, database: Database, now: datetime) -> Settings:
    """An installation in which a file waits to be imported."""
    rows = (
        f"张{n},p{n}@example.com,1{3_000_000_000 + n},老年人,education,2026-03-01,柜面\n" for n in range(ROWS)
    )
    imports = Imports(settings, database, Vault(Keys(load_secret(settings))), clock.now)
    folder, size = imports.save(BytesIO((HEAD + "".join(rows)).encode()))
    with database.transaction() as session:
        register.ask(session, ContactImport(list_name="老客户", folder=folder, bytes=size, asked_at=now))
    return settings


def carry(settings: Settings, *arguments: str) -> int:
    """Let a process carry it; its exit status."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")},
        "SIGNPOST_HOME": str(settings.home),
        "SIGNPOST_DATABASE_URL": settings.database_url,
        "SIGNPOST_SECRET_KEY": "test-secret-of-no-value",
    }
    command = [sys.executable, "-m", crashing.__name__, *arguments]
    return int(forked.run(command, env=environment, timeout=120).returncode)


def counted(database: Database) -> tuple[int, ...]:
    """Contacts, consents, people in the list, and what is left of those who wait to be in it."""
    with database.reading() as session:
        tables = (Contact, Consent, ContactMember, ContactImportMember)
        return tuple(session.exec(select(func.count()).select_from(table)).one() for table in tables)


def one_of(database: Database) -> ContactImport:
    """The import as it stands."""
    with database.reading() as session:
        return register.get(session, 1)


@pytest.mark.parametrize("help", [(), ("beside",)], ids=["alone", "beside"])
def test_kills_on_the_way_leave_out_nobody_and_count_nobody_twice(
    waiting: Settings, database: Database, help: tuple[str, ...]
) -> None:
    assert carry(waiting, "staged", "0", *help) == -signal.SIGKILL
    assert counted(database) == (0, 0, 0, 0), "reading writes nothing"
    for moment, page in (("before", "0"), ("after", "0"), ("before", "3"), ("after", "6"), ("finish", "0")):
        assert carry(waiting, moment, page, *help) == -signal.SIGKILL
        with database.reading() as session:
            assert lists.find_list(session, "老客户") is None, (
                "a list appears when all of its people are there"
            )
    assert carry(waiting, "none") == 0
    one = one_of(database)
    assert (one.state, one.rows, one.added, one.changed, one.unchanged) == (DONE, ROWS, ROWS, 0, 0)
    assert one.pages == 8
    assert counted(database) == (ROWS, 2 * ROWS, ROWS, 0)
    left = [path.name for path in (waiting.home / "contact-imports" / one.folder).iterdir()]
    assert left == ["header"], "neither the upload nor a row stays"


def test_with_a_mark_beside_the_page_the_same_kill_writes_it_twice(
    waiting: Settings, database: Database
) -> None:
    """The control: the page comes again, and its people are refused a second place in the list."""
    assert carry(waiting, "after", "3", "careless") == -signal.SIGKILL
    assert carry(waiting, "none") == 0
    assert one_of(database).state == APPLYING
