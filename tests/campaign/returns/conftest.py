"""A site without a server for the desk of returns: the cast, a campaign, people signed in."""

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from campaign import programme
from campaign.programme import CampaignForm
from core import clock
from core.database import Database
from core.settings import Settings
from tests import entering
from tests.campaign.returns import cast
from tests.campaign.returns.cast import People
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

TODAY = clock.today(cast.ZONE)
YESTERDAY = (TODAY - timedelta(days=1)).isoformat()


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    """The objects of an installation with the cast and a campaign that runs today."""
    runtime = build(settings)
    yield runtime
    runtime.close()


@pytest.fixture
def staff(runtime: Runtime) -> People:
    """The people of the branch, as of now."""
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        form = CampaignForm(
            code="week",
            name="金融教育宣传周",
            starts_on=TODAY - timedelta(days=5),
            ends_on=TODAY + timedelta(days=5),
        )
        made = cast.people(session, now)
        programme.save(session, form, now=now, new=True)
    return made


@pytest.fixture
def app(runtime: Runtime, staff: People) -> Flask:
    """The application, its forms without tokens: CSRF has tests of its own."""
    made = create_app(runtime)
    made.config["WTF_CSRF_ENABLED"] = False
    return made


@pytest.fixture
def desk(app: Flask) -> Callable[[str], FlaskClient]:
    """Somebody's browser, signed in."""
    return lambda login: entering.client(app, login)
