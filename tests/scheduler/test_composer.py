"""What a recipient reads: text and HTML that say the same, links that carry their attribution."""

import re
from datetime import datetime

import pytest
from sqlmodel import Session

from campaign.audience import Address
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler.channels.base import Message
from scheduler.composer import Composer, as_page
from scheduler.models import Plan
from tests.scheduler.audience_cast import people, plan
from tracking.attribution import Attribution, Attributions

INDEX = "cd" * 32


@pytest.fixture
def composer(settings: Settings, keys: Keys) -> Composer:
    return Composer(settings, Attributions(keys), Unsubscriptions(keys))


def _message(composer: Composer, session: Session, made: Plan, name: str = "张三") -> Message:
    letter = composer.letter(session, made)
    address = Address(1, name, "zhang@example.com")
    return composer.message(letter, key="k", address=address, address_index=INDEX, outlet="33010601")


def _plan(database: Database, vault: Vault, now: datetime, **more: str) -> Plan:
    with database.transaction() as session:
        return plan(session, people(session, vault, 1, now), now, **more)


def test_every_own_link_carries_campaign_outlet_and_channel(
    database: Database, vault: Vault, composer: Composer, keys: Keys, now: datetime
) -> None:
    made = _plan(
        database,
        vault,
        now,
        body="看 http://127.0.0.1:8000/help?x=1#top，或 https://other.example/page。\n\nhttp://127.0.0.1:8000.evil.example/",
    )
    with database.reading() as session:
        message = _message(composer, session, made)
    own = re.findall(r"http://127\.0\.0\.1:8000[/?][^\s\"<，]*", message.text)
    tokens = [re.search(r"[?&]a=([\w-]+)", link) for link in own if "/u/" not in link]
    read = Attributions(keys).read
    assert len(tokens) == 2
    for token in tokens:
        assert token is not None
        assert read(token[1]) == Attribution(campaign="", outlet="33010601", channel="email")
    assert "/help?x=1&a=" in message.text and "#top" in message.text
    assert "https://other.example/page\n" in message.text.replace("。", "\n"), (
        "foreign links stay as they are"
    )
    assert ".evil.example/?a=" not in message.text


def test_text_and_html_say_the_same_and_nothing_is_executed(
    database: Database, vault: Vault, composer: Composer, now: datetime
) -> None:
    made = _plan(database, vault, now, subject="<script>alert(1)</script>", body="一 & 二\n\n三")
    with database.reading() as session:
        message = _message(composer, session, made, name="<b>张三</b>")
    assert "<script>" not in message.html and "<b>张三" not in message.html
    assert "一 &amp; 二" in message.html and "一 & 二" in message.text
    for words in ("您好", "12378", "三"):
        assert words in message.html and words in message.text


def test_every_mail_can_be_refused(
    database: Database, vault: Vault, composer: Composer, keys: Keys, now: datetime
) -> None:
    made = _plan(database, vault, now)
    with database.reading() as session:
        message = _message(composer, session, made)
    said = Unsubscriptions(keys).read(message.unsubscribe.rsplit("/u/", 1)[1])
    assert (said.channel, said.address_index) == ("email", INDEX)
    assert message.unsubscribe in message.text and message.unsubscribe in message.html


def test_english(database: Database, vault: Vault, settings: Settings, keys: Keys, now: datetime) -> None:
    english = settings.model_copy(update={"locale": "en"})
    composer = Composer(english, Attributions(keys), Unsubscriptions(keys))
    made = _plan(database, vault, now)
    with database.reading() as session:
        message = _message(composer, session, made)
    assert "Model Life Insurance" in message.html and message.locale == "en"


def test_without_a_name_nobody_is_greeted(
    database: Database, vault: Vault, composer: Composer, now: datetime
) -> None:
    made = _plan(database, vault, now)
    with database.reading() as session:
        assert "您好" not in _message(composer, session, made, name="").text


def test_what_was_withdrawn_is_not_written(
    database: Database, vault: Vault, composer: Composer, now: datetime
) -> None:
    made = _plan(database, vault, now)
    made.piece_key = "withdrawn-piece"
    with database.reading() as session, pytest.raises(Invalid):
        composer.letter(session, made)


def test_a_mail_carries_its_style_and_its_preview_links_to_it(
    database: Database, vault: Vault, composer: Composer, now: datetime
) -> None:
    made = _plan(database, vault, now)
    with database.reading() as session:
        html = _message(composer, session, made).html
    assert ".sheet { max-width: 600px" in html and "&quot;PingFang" not in html
    page = as_page(html, "/static/css/mail.css")
    assert "<style" not in page and '<link rel="stylesheet" href="/static/css/mail.css">' in page
