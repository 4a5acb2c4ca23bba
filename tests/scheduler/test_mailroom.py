"""scheduler.mailroom and institution.letters: letters go out once, say nothing in the database, and wait."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlmodel import select

from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.settings import Settings
from institution import letters
from institution.letter_models import Letter
from scheduler.channels.base import DeliveryError
from scheduler.mailroom import Hand, Mailroom, carry
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import BUSY, REFUSE, MailReceiver


@pytest.fixture
def mailroom(mail_settings: Settings, database: Database, vault: Vault, clock: Clock) -> Mailroom:
    return Mailroom(mail_settings, database, vault, clock)


def post(database: Database, vault: Vault, clock: Clock, to: str = "Li@Example.com") -> int:
    with database.transaction() as session:
        made = letters.post(
            session, vault=vault, to=to, subject="请您审查", text="链接：https://x/abc\n谢谢。", now=clock.at
        )
        return made.id or 0


def one(database: Database) -> Letter:
    with database.reading() as session:
        return session.exec(select(Letter)).one()


def test_a_letter_goes_out_once_and_is_wiped(
    mailroom: Mailroom, database: Database, vault: Vault, clock: Clock, mail: MailReceiver
) -> None:
    post(database, vault, clock)
    before = one(database)
    assert "li@example.com" not in before.model_dump_json() and "abc" not in before.model_dump_json()
    assert mailroom.run_once() == 1
    assert mailroom.run_once() == 0
    assert list(mail.inbox.recipients.elements()) == ["li@example.com"]
    after = one(database)
    assert (after.status, after.sealed) == ("sent", "")


def test_a_busy_server_is_asked_again_later_and_a_refusal_ends_it(
    mailroom: Mailroom, database: Database, vault: Vault, clock: Clock, mail: MailReceiver
) -> None:
    mail.inbox.behave = lambda number, address: BUSY if number == 1 else REFUSE
    post(database, vault, clock)
    assert mailroom.run_once() == 0
    waiting = one(database)
    assert (waiting.status, waiting.attempts) == ("queued", 1) and waiting.due_at > clock.at
    assert mailroom.run_once() == 0 and len(mail.inbox.attempts) == 1
    clock.forward(minutes=2)
    assert mailroom.run_once() == 0
    assert (one(database).status, one(database).sealed) == ("failed", "")


def test_without_a_mail_server_letters_wait(
    settings: Settings, database: Database, vault: Vault, clock: Clock
) -> None:
    post(database, vault, clock)
    assert Mailroom(settings, database, vault, clock).run_once() == 0
    assert one(database).status == "queued"


def test_a_server_that_cannot_be_reached_puts_off_and_at_last_gives_up(
    mail_settings: Settings, database: Database, vault: Vault, clock: Clock
) -> None:
    down = mail_settings.model_copy(update={"smtp_port": 9})
    room = Mailroom(down, database, vault, clock)
    post(database, vault, clock)
    room.run_once()
    assert one(database).status == "queued"
    clock.forward(days=4)
    room.run_once()
    assert (one(database).status, one(database).sealed) == ("failed", "")


def test_a_line_that_cannot_be_opened_puts_all_off(database: Database, vault: Vault, clock: Clock) -> None:
    @contextmanager
    def closed() -> Iterator[Hand]:
        raise DeliveryError("not now")
        yield

    for _letter in range(2):
        post(database, vault, clock)
    with database.transaction() as session:
        claimed = letters.claim(session, vault=vault, now=clock.at)
    assert carry(database, claimed, closed(), clock) == 0
    with database.reading() as session:
        assert {one.status for one in session.exec(select(Letter))} == {"queued"}


def test_two_workers_send_each_letter_once(
    mail_settings: Settings, database: Database, vault: Vault, clock: Clock, mail: MailReceiver
) -> None:
    for number in range(30):
        post(database, vault, clock, to=f"p{number}@example.com")
    rooms = [Mailroom(mail_settings, database, vault, clock) for _ in range(4)]
    threads = [
        threading.Thread(target=lambda room=room: [room.run_once() for _ in range(4)]) for room in rooms
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mail.inbox.attempts) == 30 and set(mail.inbox.recipients.values()) == {1}


def test_a_lease_that_ran_out_is_taken_up_again(
    mailroom: Mailroom, database: Database, vault: Vault, clock: Clock
) -> None:
    post(database, vault, clock)
    with database.transaction() as session:
        assert len(letters.claim(session, vault=vault, now=clock.at)) == 1
        assert letters.claim(session, vault=vault, now=clock.at) == []
    assert mailroom.run_once() == 0
    clock.at += letters.LEASE + timedelta(seconds=1)
    assert mailroom.run_once() == 1


@pytest.mark.parametrize("to", ["nobody", "a@b\nBcc: c@d", "a b@c.de", "a@@b", "@b", "a@"])
def test_an_address_that_is_none_is_refused(database: Database, vault: Vault, clock: Clock, to: str) -> None:
    with pytest.raises(Invalid):
        post(database, vault, clock, to=to)


def test_what_is_held_about_an_address_is_found_and_erased(
    database: Database, vault: Vault, clock: Clock
) -> None:
    post(database, vault, clock)
    post(database, vault, clock, to="other@example.com")
    index = [vault.index("email", "li@example.com")]
    with database.transaction() as session:
        assert len(letters.held(session, index)) == 1
        assert letters.erase(session, index) == 1
        assert letters.held(session, index) == []
        assert letters.clear(session, clock.at) == 0
        assert letters.clear(session, clock.at + timedelta(days=90)) == 1
