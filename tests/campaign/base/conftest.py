"""The tree with a site around it, and people of a branch and of one outlet."""

from datetime import datetime

import pytest
from sqlmodel import Session

from core.database import Database
from institution import people
from tests import factories
from tests.campaign.conftest import app, client, desk, runtime
from webapp.runtime import Runtime

__all__ = ["app", "client", "desk", "runtime"]


@pytest.fixture
def tree(database: Database, now: datetime) -> Database:
    """A database with the named tree and nothing else."""
    with database.transaction() as session:
        factories.tree(session, now)
    return database


@pytest.fixture
def cast(runtime: Runtime, now: datetime) -> None:
    """The manager of the province, somebody of one outlet, and an outsider, on the site of the module."""
    with runtime.service(Database).transaction() as session:
        for login in (factories.BRANCH_MANAGER, factories.OUTLET_STAFF, factories.OUTSIDER):
            _staff(session, login, now)


def _staff(session: Session, login: str, now: datetime) -> None:
    if people.by_login(session, login) is None:
        factories.staff(session, login, now)
