"""Leaving the diary alone: its letters stop, whatever else somebody agreed to goes on; a link says nothing of others."""

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from sqlmodel import Session, select

from campaign import audience, lists, serials
from campaign.audience_models import PurposeRefusal
from campaign.contacts import DIARY, EDUCATION, EMAIL, Consent, Contact, ContactMember, Refusal
from campaign.unsubscribe import Unsubscriptions
from core.database import Database
from core.errors import NotFound
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import holders
from institution.audit_models import AuditRecord
from institution.holders import Sought
from scheduler import after, serial_letters
from scheduler.jobs import Outgoing
from scheduler.models import Delivery, Push
from tests.scheduler.audience_cast import ZONE
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import MailReceiver
from tests.scheduler.test_serial_letters import begun, publish, pushes, subscribe
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

WHO, OTHER = "a@example.com", "b@example.com"
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
BUTTON, ALL = "只退订《小宝成长日记》", "退订所有电子邮件"


@pytest.fixture
def runtime(settings: Settings, database: Database) -> Iterator[Runtime]:
    made = build(settings)
    yield made
    made.close()


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    return create_app(runtime).test_client()


@pytest.fixture
def links(settings: Settings) -> Unsubscriptions:
    return Unsubscriptions(Keys(load_secret(settings)))


@pytest.fixture
def index(vault: Vault, database: Database, clock: Clock) -> str:
    """The hash of the address of somebody who subscribes."""
    subscribe(database, vault, clock, WHO)
    return vault.index(EMAIL, WHO)


@pytest.fixture
def path(links: Unsubscriptions, index: str) -> str:
    """The link in a letter of the diary to them."""
    return links.path(EMAIL, index, DIARY)


@pytest.fixture
def told(database: Database, vault: Vault, clock: Clock, line: Outgoing) -> Push:
    """The push of an episode that was sent to them."""
    who, _plan = begun(database, clock)
    subscribe(database, vault, clock, WHO)
    clock.forward(minutes=1)
    publish(database, who, "second-2", 2, clock)
    serial_letters.tick(database, ZONE, "", clock())
    line.planner.tick(clock())
    line.dispatcher.run("email")
    return pushes(database)[0]


def standing(session: Session, index: str) -> tuple[bool, bool, int]:
    """Whether an address left the diary, refused everything, and how many stand in the list."""
    every = session.get(Refusal, (EMAIL, index)) is not None
    return serials.has_left(session, EMAIL, index), every, serials.count(session)


def records(session: Session, action: str) -> list[AuditRecord]:
    return list(session.exec(select(AuditRecord).where(AuditRecord.action == action)))


def test_a_link_says_what_the_letter_was_about_and_cannot_be_made_to_say_another(
    links: Unsubscriptions, index: str
) -> None:
    plain, diary = links.token(EMAIL, index), links.token(EMAIL, index, DIARY)
    assert links.read(plain).about == links.read(links.token(EMAIL, index, EDUCATION)).about == ""
    said = links.read(diary)
    assert (said.about, said.channel, said.address_index) == (DIARY, EMAIL, index)
    for forged in (f"D{plain}", diary[1:], f"D{diary}", "D", "D.x", diary[:-1]):
        with pytest.raises(NotFound):
            links.read(forged)


def test_the_page_offers_both_and_looking_changes_nothing(
    client: FlaskClient, database: Database, path: str, links: Unsubscriptions, index: str
) -> None:
    page = client.get(path)
    assert page.status_code == 200
    assert BUTTON in page.text and ALL in page.text
    assert BUTTON not in client.get(links.path(EMAIL, index)).text, "a letter about something else"
    with database.reading() as session:
        assert standing(session, index) == (False, False, 1)


@pytest.mark.parametrize(
    ("sent", "via"), [(ONE_CLICK, "one-click"), ({"from": "diary"}, "page"), ({}, "page")]
)
def test_leaving_the_diary_leaves_all_else(
    client: FlaskClient, database: Database, path: str, sent: dict[str, str], via: str
) -> None:
    for _again in range(2):
        answer = client.post(path, data=sent)
        assert answer.status_code == 200 and "Set-Cookie" not in answer.headers
        assert "日记不再寄给您" in answer.text and ALL in answer.text and BUTTON not in answer.text
    assert "日记不再寄给您" in client.get(path).text
    with database.reading() as session:
        kept = session.exec(select(PurposeRefusal)).one()
        assert (kept.purpose, kept.via) == (DIARY, via)
        index = kept.address_index
        assert standing(session, index) == (True, False, 0)
        assert audience.refused_among(session, EMAIL, [index], EDUCATION) == set()
        assert audience.refused_among(session, EMAIL, [index], DIARY) == {index}
        assert session.exec(select(Consent.purpose)).all() == [EDUCATION], (
            "what was agreed to stays on record"
        )
        (record,) = records(session, "serial.leave")
        assert record.subject == index[:16]
        assert not records(session, "contact.unsubscribe")


def test_all_mail_can_be_refused_from_the_same_page_before_and_after(
    client: FlaskClient, database: Database, path: str, index: str
) -> None:
    client.post(path, data={"from": "diary"})
    assert "不再打扰您" in client.post(path, data={"from": "page"}).text
    with database.reading() as session:
        assert standing(session, index) == (True, True, 0)
    assert "不再打扰您" in client.post(path, data=ONE_CLICK).text, "everything stays refused"
    assert BUTTON not in client.get(path).text


def test_one_click_in_another_letter_still_refuses_the_channel(
    client: FlaskClient, database: Database, links: Unsubscriptions, index: str
) -> None:
    client.post(links.path(EMAIL, index), data=ONE_CLICK)
    with database.reading() as session:
        assert standing(session, index) == (False, True, 1)


def test_an_address_that_nobody_holds_is_answered_in_the_same_words(
    client: FlaskClient, database: Database, path: str, links: Unsubscriptions, vault: Vault
) -> None:
    def words(where: str, sent: dict[str, str]) -> list[str]:
        text = client.post(where, data=sent).text if sent else client.get(where).text
        main = text.split("<main", 1)[1].split('<form class="preferences"', 1)[0].split("<p>有事请打", 1)[0]
        return re.findall(r"[\u4e00-\u9fff]+", main)

    nobody = links.path(EMAIL, vault.index(EMAIL, "nobody@example.com"), DIARY)
    for sent in ({}, {"from": "diary"}, ONE_CLICK, {"from": "page"}):
        assert words(path, sent) == words(nobody, sent) != []
    assert client.post("/u/D.forged", data=ONE_CLICK).status_code == 404
    with database.reading() as session:
        assert session.exec(select(Contact.id)).all() == [1]


def sent_to(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {one.address_index: one.state for one in session.exec(select(Delivery))}


@pytest.mark.parametrize("leaves", ["never", "before", "imported again", "when it waits"])
def test_who_left_gets_no_letter_any_more(
    database: Database, vault: Vault, clock: Clock, line: Outgoing, leaves: str
) -> None:
    who, _plan = begun(database, clock)
    subscribe(database, vault, clock, WHO, OTHER)
    index = vault.index(EMAIL, WHO)

    def leave() -> None:
        with database.transaction() as session:
            serials.leave(session, EMAIL, index, via="page", now=clock())

    if leaves in ("before", "imported again"):
        leave()
    if leaves == "imported again":
        with database.transaction() as session:
            listed = lists.find_list(session, serials.LIST)
            assert listed is not None
            session.add(ContactMember(list_id=listed.id or 0, contact_id=1))
    clock.forward(minutes=1)
    publish(database, who, "second-2", 2, clock)
    assert serial_letters.tick(database, ZONE, "", clock()) == 1
    line.planner.tick(clock())
    if leaves == "when it waits":
        leave()
    line.dispatcher.run("email")
    expected = {"never": "sent", "when it waits": "refused"}.get(leaves)
    assert sent_to(database).get(index) == expected
    assert sent_to(database)[vault.index(EMAIL, OTHER)] == "sent"


def test_the_letter_itself_leads_there_and_its_push_counts_who_left(
    database: Database, told: Push, client: FlaskClient, mail: MailReceiver
) -> None:
    (content,) = mail.inbox.contents.values()
    found = re.search(r"(/u/[^>\s]+)>", str(content["List-Unsubscribe"]))
    assert found and str(content["List-Unsubscribe-Post"]) == "List-Unsubscribe=One-Click"
    with database.reading() as session:
        assert after.unsubscribed(session, told) == 0
    assert "日记不再寄给您" in client.post(found[1], data=ONE_CLICK).text
    with database.reading() as session:
        assert after.unsubscribed(session, told) == 1


def test_confirming_anew_brings_the_letters_back(
    database: Database, vault: Vault, clock: Clock, index: str
) -> None:
    with database.transaction() as session:
        serials.leave(session, EMAIL, index, via="one-click", now=clock())
    clock.forward(minutes=1)
    subscribe(database, vault, clock, WHO)
    with database.reading() as session:
        assert standing(session, index) == (False, False, 1)
        assert audience.refused_among(session, EMAIL, [index], DIARY) == set()
        assert len(session.exec(select(Consent)).all()) == 2, "agreed to anew, the first kept"


def test_who_asks_what_is_kept_of_them_is_told_that_they_left(
    database: Database, vault: Vault, clock: Clock, index: str
) -> None:
    with database.transaction() as session:
        serials.leave(session, EMAIL, index, via="page", now=clock())
        kept = holders.export(session, vault, Sought(frozenset({index})))
    assert "电子邮件 小宝成长日记" in str(kept)
