"""A reach store of a test's own: the embedded engine in its temporary home."""

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tracking.store import ReachStore


@pytest.fixture
def store(settings: Settings) -> Iterator[ReachStore]:
    """The reach store, with all tables and no rows."""
    store = ReachStore.open(settings)
    yield store
    store.close()
