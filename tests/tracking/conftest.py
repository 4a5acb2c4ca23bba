"""A reach store of a test's own: the embedded engine in its temporary home."""

from collections.abc import Iterator

import pytest

from core.settings import Settings
from tests.tracking import fronts
from tests.tracking.fronts import CLUSTER, Fronts
from tracking.store import ReachStore


@pytest.fixture
def store(settings: Settings) -> Iterator[ReachStore]:
    """The reach store, with all tables and no rows."""
    store = ReachStore.open(settings)
    yield store
    store.close()


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fronts]:
    """A server and a cluster, each a process of its own."""
    folder = tmp_path_factory.mktemp("fronts")
    with fronts.front(folder / "server") as server, fronts.front(folder / "cluster", CLUSTER) as cluster:
        yield {"server": server, "cluster": cluster}
