"""Saying no: a link that shows a page, a post that works without cookie or sign-in."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from flask.testing import FlaskClient

from campaign import audience
from campaign.contacts import Refusal
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import NotFound
from core.settings import Settings
from core.signing import Keys, load_secret
from webapp.create_app import create_app
from webapp.runtime import build

INDEX = "ab" * 32


@pytest.fixture
def links(settings: Settings) -> Unsubscriptions:
    return Unsubscriptions(Keys(load_secret(settings)))


@pytest.fixture
def client(settings: Settings) -> Iterator[FlaskClient]:
    runtime = build(settings)
    yield create_app(runtime).test_client()
    runtime.close()


def _refusal(database: Database) -> Refusal | None:
    with database.reading() as session:
        return session.get(Refusal, ("email", INDEX))


def test_a_link_says_channel_and_address_and_nothing_else(links: Unsubscriptions) -> None:
    token = links.token("email", INDEX)
    said = links.read(token)
    assert (said.channel, said.address_index) == ("email", INDEX) and len(token) < 80
    for forged in ("", "e", token[:-1], "w" + token[1:], token.replace("6", "7", 1) + "x", "é." + token):
        with pytest.raises(NotFound):
            links.read(forged)


def test_looking_changes_nothing(client: FlaskClient, links: Unsubscriptions, database: Database) -> None:
    answer = client.get(links.path("email", INDEX))
    assert answer.status_code == 200 and "不再接收" in answer.text
    assert client.head(links.path("email", INDEX)).status_code == 200
    assert _refusal(database) is None


def test_a_mail_programs_post_unsubscribes(
    client: FlaskClient, links: Unsubscriptions, database: Database
) -> None:
    answer = client.post(links.path("email", INDEX), data={"List-Unsubscribe": "One-Click"})
    assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
    kept = _refusal(database)
    assert kept is not None and kept.via == "one-click"
    assert client.post(links.path("email", INDEX)).status_code == 200, "twice is no fault"


def test_the_button_unsubscribes(client: FlaskClient, links: Unsubscriptions, database: Database) -> None:
    answer = client.post(links.path("email", INDEX), data={"from": "page"})
    assert "不再打扰" in answer.text
    kept = _refusal(database)
    assert kept is not None and kept.via == "page"
    assert "不再打扰" in client.get(links.path("email", INDEX)).text


def test_a_forged_link_is_answered_with_help(client: FlaskClient, database: Database) -> None:
    assert client.post("/u/forged.token").status_code == 404
    with database.reading() as session:
        assert audience.refused_among(session, "email", [INDEX]) == set()


def test_one_no_on_one_channel(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        audience.refuse(session, "email", INDEX, via="page", now=now)
        assert audience.is_refused(session, "email", INDEX)
        assert not audience.is_refused(session, "webhook", INDEX)
