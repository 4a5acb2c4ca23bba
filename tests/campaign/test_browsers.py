"""Browsers that asked to be told: what is kept of them, whom they may name as their service, how they stop."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, col, select

from campaign import audience, browsers, lists, personal
from campaign.audience_models import ClosedAddress, ContactAddress
from campaign.browsers import Subscription, Wish
from campaign.contacts import Consent, Contact, ContactMember, Refusal
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.sandbox.webpush import subscription
from tests import factories
from tests.campaign.reaching import Asked

SERVICES = ["fcm.googleapis.com", "*.push.apple.com"]
WISH = Wish("2026-01-education", "en", factories.OUTLET_A, "/p/ai-voice")


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


def given(browser: str = "b1", endpoint: str = "") -> dict[str, Any]:
    """What a browser hands to a page, at a service of its maker."""
    said: dict[str, Any] = json.loads(subscription("https://fcm.googleapis.com", browser))
    return said | ({"endpoint": endpoint} if endpoint else {})


def found(browser: str = "b1") -> Subscription:
    return browsers.checked(given(browser), SERVICES)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/send/x",
        "https://fcm.googleapis.com:8443/send/x",
        "https://fcm.googleapis.com@10.0.0.1/send/x",
        "https://user:word@fcm.googleapis.com/send/x",
        "https://fcm.googleapis.com.evil.example/send/x",
        "https://evilfcm.googleapis.com/send/x",
        "https://.push.apple.com/x",
        "https://push.apple.com/x",
        "https://evil-push.apple.com/x",
        "https://127.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[fcm.googleapis.com]/x",
        "https://localhost/x",
        "https://fcm.googleapis.com\\@10.0.0.1/",
        "https://fcm.googleapis.com/a b",
        "https://fcm.googleapis.com:port/x",
        "https://fcm。googleapis.com/x",
        "https://fcm.googleapis.com/" + "x" * 1000,
        "file:///etc/passwd",
        "//fcm.googleapis.com/x",
        "",
    ],
)
def test_only_services_that_are_known_are_posted_to(endpoint: str) -> None:
    said = given() | {"endpoint": endpoint}
    with pytest.raises(Invalid):
        browsers.checked(said, SERVICES)


def test_known_services_are_taken_and_loopback_only_where_it_is_asked_for() -> None:
    for endpoint in ("https://fcm.googleapis.com/wp/x", "https://web.push.apple.com:443/x"):
        assert browsers.checked(given(endpoint=endpoint), SERVICES).endpoint == endpoint
    inside = given(endpoint="http://127.0.0.1:8099/webpush/send/b1")
    assert browsers.checked(inside, SERVICES, loopback=True)
    for endpoint in ("http://127.0.0.1/x", "http://10.0.0.1:8099/x", "https://fcm.googleapis.com/x"):
        with pytest.raises(Invalid):
            browsers.checked(given(endpoint=endpoint), SERVICES, loopback=True)


@pytest.mark.parametrize(
    "said",
    [
        None, [], "x", {}, {"endpoint": "https://fcm.googleapis.com/x"},
        {"endpoint": 3, "keys": {"p256dh": "AA", "auth": "AA"}}, {**given(), "keys": {"p256dh": 1, "auth": 2}},
        {**given(), "keys": {**given()["keys"], "auth": "AAAA"}},
        {**given(), "keys": {**given()["keys"], "p256dh": "BAAA"}},
        {**given(), "keys": {**given()["keys"], "p256dh": "!" * 87}},
        {**given(), "keys": {**given()["keys"], "p256dh": "B" * 9000}},
    ],
)  # fmt: skip
def test_what_is_no_subscription_is_refused(said: object) -> None:
    with pytest.raises(Invalid):
        browsers.checked(said, SERVICES)


def test_a_browser_is_a_contact_of_its_own_with_the_proof_of_its_consent(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        factories.cast(session, now)
        assert browsers.subscribe(session, vault, found(), WISH, now=now)
        assert not browsers.subscribe(session, vault, found(), WISH, now=now + timedelta(hours=1)), "again"
    with database.reading() as session:
        (contact,) = session.exec(select(Contact))
        (address,) = session.exec(select(ContactAddress))
        (consent,) = session.exec(select(Consent))
        assert contact.name_sealed == contact.email_sealed == contact.phone_sealed == ""
        assert (contact.outlet_code, contact.language) == (factories.OUTLET_A, "en")
        assert "fcm.googleapis.com" not in address.sealed
        assert vault.decrypt(address.sealed) == found().text
        assert address.address_index == vault.index("webpush", found().endpoint) == contact.identity
        assert (consent.purpose, consent.text_version) == ("education", "2026-01-education")
        assert (consent.source, consent.given_at) == ("browser /p/ai-voice", now)
        listed = lists.find_list(session, browsers.LIST)
        assert listed is not None and listed.id is not None
        reached = Asked(session, "webpush", listed.id).reached()
        assert [one.contact_id for one in reached] == [contact.id]
        sent_to = audience.addresses(session, vault, "webpush", [contact.id or 0])
        assert sent_to[contact.id or 0].address == found().text
        assert browsers.is_told(session, vault, found().endpoint)


def test_new_keys_of_the_same_address_replace_the_old(
    database: Database, vault: Vault, now: datetime
) -> None:
    fresh = Subscription(found("b1").endpoint, found("b2").p256dh, found("b2").auth)
    with database.transaction() as session:
        browsers.subscribe(session, vault, found("b1"), WISH, now=now)
        assert browsers.subscribe(session, vault, fresh, WISH, now=now)
        (address,) = session.exec(select(ContactAddress))
        assert vault.decrypt(address.sealed) == fresh.text


def test_a_contact_whose_identity_is_of_an_older_key_is_found_by_its_address(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        browsers.subscribe(session, vault, found(), WISH, now=now)
        one = session.exec(select(Contact)).one()
        one.identity = "0" * 64
        session.add(one)
    with database.transaction() as session:
        assert not browsers.subscribe(session, vault, found(), WISH, now=now)
        assert len(session.exec(select(Contact)).all()) == 1


def test_words_that_have_changed_are_not_agreed_to(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session, pytest.raises(Conflict):
        browsers.subscribe(session, vault, found(), Wish("2025-12-education"), now=now)


def test_stopping_holds_for_good_and_leaves_the_list(database: Database, vault: Vault, now: datetime) -> None:
    endpoint = found().endpoint
    with database.transaction() as session:
        browsers.subscribe(session, vault, found(), WISH, now=now)
        browsers.subscribe(session, vault, found("other"), WISH, now=now)
        assert browsers.stop(session, vault, endpoint, now=now)
        assert not browsers.stop(session, vault, endpoint + "x", now=now), "of a stranger nothing is kept"
    with database.transaction() as session:
        assert session.exec(select(Refusal.address_index)).all() == [vault.index("webpush", endpoint)]
        assert len(session.exec(select(ContactMember)).all()) == 1
        assert not browsers.is_told(session, vault, endpoint)
        assert browsers.is_told(session, vault, found("other").endpoint)
        with pytest.raises(Conflict) as told:
            browsers.subscribe(session, vault, found(), WISH, now=now)
        assert told.value.field == "subscription", "the page has the browser make another address"


def test_an_address_that_is_gone_is_not_taken_again(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        browsers.subscribe(session, vault, found(), WISH, now=now)
        index = vault.index("webpush", found().endpoint)
        audience.close_address(session, "webpush", index, "gone", via="channel", now=now)
        assert not browsers.is_told(session, vault, found().endpoint)
        with pytest.raises(Conflict):
            browsers.subscribe(session, vault, found(), WISH, now=now)


def test_an_address_that_moved_is_told_and_what_goes_to_the_old_one_can_still_be_stopped(
    database: Database, vault: Vault, now: datetime
) -> None:
    old, new = found("old"), found("new")
    before = vault.index("webpush", old.endpoint)
    with database.transaction() as session:
        browsers.subscribe(session, vault, old, WISH, now=now)
        assert browsers.renew(session, vault, old.endpoint, new, now=now)
        assert not browsers.renew(session, vault, old.endpoint, new, now=now), "only once"
    with database.transaction() as session:
        (contact,) = session.exec(select(Contact))
        (address,) = session.exec(select(ContactAddress))
        assert contact.identity == address.address_index == vault.index("webpush", new.endpoint)
        assert vault.decrypt(address.sealed) == new.text
        assert browsers.is_told(session, vault, new.endpoint)
        assert not browsers.is_told(session, vault, old.endpoint)
        browsers.stop(session, vault, new.endpoint, now=now)
    with database.reading() as session:
        assert audience.refused_among(session, "webpush", [before]) == {before}


def test_a_move_brings_nobody_back_who_said_no(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        browsers.subscribe(session, vault, found("old"), WISH, now=now)
        browsers.stop(session, vault, found("old").endpoint, now=now)
        assert not browsers.renew(session, vault, found("old").endpoint, found("new"), now=now)
        assert not browsers.renew(session, vault, found("stranger").endpoint, found("new"), now=now)
        assert session.exec(select(ContactAddress.address_index)).all() == [
            vault.index("webpush", found("old").endpoint)
        ]


def test_an_address_that_was_gone_already_moves_without_taking_its_end_along(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        browsers.subscribe(session, vault, found("old"), WISH, now=now)
        index = vault.index("webpush", found("old").endpoint)
        audience.close_address(session, "webpush", index, "gone", via="channel", now=now)
        assert browsers.renew(session, vault, found("old").endpoint, found("new"), now=now)
        assert browsers.is_told(session, vault, found("new").endpoint)
        assert session.exec(select(col(ClosedAddress.address_index))).all() == [index]


def test_who_stopped_is_cleared_away_in_time(session_kept: Session, vault: Vault, now: datetime) -> None:
    browsers.subscribe(session_kept, vault, found(), WISH, now=now)
    browsers.subscribe(session_kept, vault, found("stays"), WISH, now=now)
    browsers.stop(session_kept, vault, found().endpoint, now=now)
    assert personal._clear_idle(session_kept, now + timedelta(days=31)) == 1
    assert len(session_kept.exec(select(Contact)).all()) == 1
    assert len(session_kept.exec(select(Refusal)).all()) == 1, "the refusal stays"


@pytest.fixture
def session_kept(database: Database) -> Any:
    with database.transaction() as session:
        yield session
