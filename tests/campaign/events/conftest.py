"""A vault, and a month of Tuesdays planned at both outlets."""

from collections.abc import Iterator
from datetime import date, datetime

import pytest
from sqlmodel import Session

from campaign.events.models import EventSeries
from core.database import Database
from core.privacy import Vault
from core.signing import Keys
from tests import factories
from tests.campaign.events import making


@pytest.fixture
def vault() -> Vault:
    """A vault with a key of no value."""
    return Vault(Keys(b"a secret of no value"))


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """One transaction for a whole test."""
    with database.transaction() as session:
        yield session


@pytest.fixture
def october(session: Session, now: datetime) -> EventSeries:
    """Three Tuesdays of October at two outlets: six occurrences."""
    factories.tree(session, now)
    one = making.tuesdays(session, now)
    making.plan(session, one, date(2026, 10, 1), date(2026, 10, 31), now)
    return one
