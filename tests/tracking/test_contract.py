"""The contract of the reach store on the embedded engine, over HTTP, and on a cluster of one shard."""

import pytest

from core.settings import Settings
from tests.tracking.contract import *  # noqa: F403  (the contract is collected here, for each kind of store)
from tests.tracking.fronts import KINDS, Fronts


@pytest.fixture(params=KINDS)
def settings(request: pytest.FixtureRequest, settings: Settings, running: Fronts) -> Settings:
    """An installation whose reach is kept in each of the ways."""
    where = running[request.param].url() if request.param in running else ""
    return settings.model_copy(update={"reach_url": where})
