"""The letters of the diary: double opt-in, then one letter an episode, by an approved plan, to who may be written to."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign import audience, consents, serials
from campaign.contacts import EMAIL, Consent, Contact
from campaign.serials import SerialLinks, Wish
from content import lifecycle
from core import clock as real
from core.database import Database
from core.errors import Conflict, Invalid, NotFound
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution.letter_models import Letter
from institution.models import Staff
from scheduler import plans, serial_letters
from scheduler.jobs import Outgoing
from scheduler.models import Delivery, PlanState, Push
from tests import factories
from tests.content import pieces
from tests.scheduler.audience_cast import ZONE, approve, colleague
from tests.scheduler.conftest import Clock
from webapp.runtime import Runtime, build

MINUTE = timedelta(minutes=1)


@pytest.fixture
def runtime(settings: Settings, database: Database, now: datetime) -> Iterator[Runtime]:
    with database.transaction() as session:
        factories.cast(session, now)
    made = build(settings)
    yield made
    made.close()


def episode(key: str, number: int) -> str:
    return pieces.text(key, kind="diary", more=f"number: {number}\n", body=f"第 {number} 篇。\n")


def wish(session: Session, clock: Clock, email: str) -> Wish:
    version = consents.words(session, clock(), "zh")["education"].version
    return Wish(email, "zh", version)


def subscribe(database: Database, vault: Vault, clock: Clock, *emails: str) -> None:
    with database.transaction() as session:
        for email in emails:
            serials.confirm(session, vault, wish(session, clock, email), now=clock())


def publish(database: Database, who: tuple[Staff, Staff], key: str, number: int, clock: Clock) -> None:
    with database.transaction() as session:
        pieces.to_the_site(session, episode(key, number), *who, clock())


def begun(database: Database, clock: Clock) -> tuple[tuple[Staff, Staff], int]:
    """The first episode is out, and the plan of the letters stands approved."""
    with database.transaction() as session:
        who = pieces.people(session, clock())
        pieces.to_the_site(session, episode("first-1", 1), *who, clock())
        by = colleague(session, "xu.operator", "许推送", "push_operator", clock())
        plan = serial_letters.prepare(session, by=by, zone=ZONE, now=clock())
        approve(session, plan, clock())
        return who, plan.id or 0


def pushes(database: Database) -> list[Push]:
    with database.reading() as session:
        return list(session.exec(select(Push).order_by(col(Push.id))))


def test_each_new_episode_is_told_once_to_who_may_be_written_to(
    database: Database, vault: Vault, clock: Clock, line: Outgoing, mail: Any
) -> None:
    who, plan_id = begun(database, clock)
    subscribe(database, vault, clock, "a@example.com", "b@example.com", "c@example.com")
    with database.transaction() as session:
        audience.refuse(session, EMAIL, vault.index(EMAIL, "b@example.com"), via="one-click", now=clock())
    assert serial_letters.tick(database, ZONE, "", clock()) == 0, "what came out before is not told"
    clock.forward(minutes=1)
    publish(database, who, "second-2", 2, clock)
    told = [serial_letters.tick(database, ZONE, "", clock()) for _again in range(3)]
    assert told == [1, 0, 0]
    line.planner.tick(clock())
    line.dispatcher.run("email")
    (push,) = pushes(database)
    assert (push.plan_id, push.piece_key, push.purpose) == (plan_id, "second-2", "education.diary")
    with database.reading() as session:
        sent = {one.address_index: one.state for one in session.exec(select(Delivery))}
    assert sent == {vault.index(EMAIL, f"{name}@example.com"): "sent" for name in ("a", "c")}
    clock.forward(minutes=1)
    with database.transaction() as session:  # a corrected version of the same episode is no news
        pieces.to_the_site(session, episode("second-2", 2) + "改了一个字。\n", *who, clock())
    assert serial_letters.tick(database, ZONE, "", clock()) == 0
    with database.transaction() as session:
        lifecycle.withdraw(session, "second-2", by=who[0].id or 0, now=clock(), reason="写错了")
    assert serial_letters.tick(database, ZONE, "", clock()) == 0


def test_two_processes_tell_an_episode_once(database: Database, vault: Vault, clock: Clock) -> None:
    who, _plan = begun(database, clock)
    subscribe(database, vault, clock, "a@example.com")
    clock.forward(minutes=1)
    publish(database, who, "second-2", 2, clock)
    threads = [
        threading.Thread(target=serial_letters.tick, args=(database, ZONE, "", clock())) for _ in range(4)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(pushes(database)) == 1


def test_nothing_goes_out_unapproved_ended_stale_or_at_night(
    database: Database, vault: Vault, clock: Clock
) -> None:
    who, plan_id = begun(database, clock)
    subscribe(database, vault, clock, "a@example.com")
    clock.forward(minutes=1)
    publish(database, who, "second-2", 2, clock)
    with database.transaction() as session:
        plan = plans.get(session, plan_id)
        plan.name = "改过的计划"
        session.add(plan)
    assert serial_letters.tick(database, ZONE, "", clock()) == 0, "changed since it was approved"
    with database.transaction() as session:
        approve(session, plans.get(session, plan_id), clock())
    assert serial_letters.tick(database, ZONE, "", clock() + serial_letters.FRESH + MINUTE) == 0, (
        "no news any more"
    )
    with database.transaction() as session:
        plans.end(session, plan_id, now=clock())
    assert serial_letters.tick(database, ZONE, "", clock()) == 0
    with database.transaction() as session:
        by = colleague(session, "xu.operator", "许推送", "push_operator", clock())
        again = serial_letters.prepare(session, by=by, zone=ZONE, now=clock())
        assert again.state == PlanState.draft
    with pytest.raises(Conflict), database.transaction() as session:
        serial_letters.prepare(session, by=by, zone=ZONE, now=clock())


def test_nobody_is_kept_before_they_confirm_and_nobody_is_flooded(
    database: Database, vault: Vault, keys: Keys, clock: Clock, mail_settings: Settings
) -> None:
    links = SerialLinks(keys, vault)

    def ask(email: str) -> bool:
        with database.transaction() as session:
            return serials.ask(session, vault, mail_settings, links, email, language="zh", now=clock())

    assert [ask("Dong@Example.com") for _again in range(5)] == [True, True, True, False, False]
    with pytest.raises(Invalid):
        ask("nobody")
    with database.reading() as session:
        assert session.exec(select(Contact)).all() == []
        assert len(session.exec(select(Letter)).all()) == 3
        token = links.token(wish(session, clock, "dong@example.com"), clock())
    assert links.read(token, clock()).email == "dong@example.com"
    assert "dong" not in token
    for broken in (token[:-2] + "xx", "x", token + "A"):
        with pytest.raises(NotFound):
            links.read(broken, clock())
    with pytest.raises(NotFound):
        links.read(token, clock() + serials.VALID + MINUTE)


def test_confirming_writes_the_consent_down_once_and_respects_a_refusal(
    database: Database, vault: Vault, clock: Clock
) -> None:
    subscribe(database, vault, clock, "a@example.com", "a@example.com")
    with database.reading() as session:
        (given,) = session.exec(select(Consent)).all()
        assert (given.channel, given.purpose, given.source) == ("email", "education", "serial diary")
        assert given.text_version
        assert serials.count(session) == 1
        (contact,) = session.exec(select(Contact)).all()
        assert "a@example.com" not in contact.email_sealed
    with database.transaction() as session:
        audience.refuse(session, EMAIL, vault.index(EMAIL, "no@example.com"), via="one-click", now=clock())
    with pytest.raises(Conflict):
        subscribe(database, vault, clock, "no@example.com")


def test_the_pages_lead_from_the_address_to_the_list(admin: FlaskClient, runtime: Runtime) -> None:
    """Without a mail server there is the feed; a link that is opened changes nothing, pressing the button does."""
    database, vault = runtime.service(Database), runtime.service(Vault)
    page = admin.get("/diary/subscribe").text
    assert "/diary/feed.xml" in page
    assert admin.post("/diary/subscribe", data={"email": "a@example.com", "agree": "1"}).status_code == 400
    with database.reading() as session:
        version = consents.words(session, real.now(), "zh")["education"].version
    token = SerialLinks(runtime.service(Keys), vault).token(Wish("a@example.com", "zh", version), real.now())
    assert "确认订阅" in admin.get(f"/diary/subscribe/{token}").text
    with database.reading() as session:
        assert serials.count(session) == 0
    assert "订好了" in admin.post(f"/diary/subscribe/{token}").text
    with database.reading() as session:
        assert serials.count(session) == 1
    assert admin.get("/diary/subscribe/nothing").status_code == 404
    assert "成长日记的信" in admin.get("/desk/plans/serial").text
    assert admin.post("/desk/plans/serial").status_code == 302
