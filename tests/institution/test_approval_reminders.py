"""Reminders: before the due time and once more after it, to who may decide, once each; no address is kept longer."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import approval_guests, approvals, people, stand_ins
from institution.approval_guests import Invitation
from institution.approval_models import ApprovalStep, GuestReview
from institution.approval_reminders import Reminders
from institution.letter_models import Letter
from tests import factories
from tests.factories import EDITOR, REVIEWER
from tests.institution.approval_cast import KIND, declare, undeclare


@pytest.fixture(autouse=True)
def kind() -> Iterator[None]:
    declare()
    yield
    undeclare()


@pytest.fixture
def vault() -> Vault:
    return Vault(Keys(b"of-no-value"))


@pytest.fixture
def mailing(settings: Settings) -> Settings:
    return settings.model_copy(
        update={"smtp_host": "127.0.0.1", "mail_from": "a@example.com", "public_url": "https://edu.example"}
    )


def asked(
    database: Database, vault: Vault, now: datetime, *, due: timedelta | None = timedelta(days=3)
) -> int:
    """A request by the editor; the reviewer and a stand-in of theirs have addresses, another reviewer none."""
    with database.transaction() as session:
        editor = factories.staff(session, EDITOR, now)
        reviewer = factories.staff(session, REVIEWER, now)
        other, _password = people.add(session, login="bo.head", name="薄", roles=["analyst"], now=now)
        people.add(session, login="no.address", name="无", roles=["reviewer"], now=now)
        for account in (editor, reviewer, other):
            account.email = vault.encrypt(f"{account.login}@example.com")
            session.add(account)
        stand_ins.set_up(
            session, absent=reviewer.id or 0, stand_in=other.id or 0, begins_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=9), by=reviewer.id or 0, now=now,
        )  # fmt: skip
        made = approvals.request(
            session, kind=KIND, subject="thing", subject_hash="a" * 64, title="先停\n一停", by=editor.id or 0,
            now=now, due_at=now + due if due else None,
        )  # fmt: skip
        return made.id or 0


def letters_to(session: Session, vault: Vault) -> list[tuple[str, str, str]]:
    opened = [json.loads(vault.decrypt(one.sealed)) for one in session.exec(select(Letter)).all()]
    return sorted((one["to"], one["subject"], one["text"]) for one in opened)


def run(settings: Settings, database: Database, vault: Vault, at: datetime) -> int:
    return Reminders(settings, database, vault, lambda: at).run_once()


def test_who_may_decide_is_reminded_before_and_after(
    mailing: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    number = asked(database, vault, now)
    assert run(mailing, database, vault, now) == 0
    soon, late = now + timedelta(days=2, hours=1), now + timedelta(days=3, hours=1)
    assert run(mailing, database, vault, soon) == 2
    assert run(mailing, database, vault, soon + timedelta(hours=1)) == 0
    with database.reading() as session:
        first, second = letters_to(session, vault)
    assert [first[0], second[0]] == ["bo.head@example.com", f"{REVIEWER}@example.com"]
    assert first[1] == "审批快到期：先停 一停"
    assert f"https://edu.example/desk/approvals/{number}" in first[2] and "2026-09-18 14:30" in first[2]
    assert run(mailing, database, vault, late) == 2
    assert run(mailing, database, vault, late + timedelta(days=9)) == 0
    with database.reading() as session:
        assert sum("已超期" in one[1] for one in letters_to(session, vault)) == 2


def test_without_a_mail_server_nothing_is_marked_as_said(
    settings: Settings, mailing: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    asked(database, vault, now, due=timedelta(hours=2))
    assert run(settings, database, vault, now) == 0
    assert run(mailing, database, vault, now) == 2


def test_what_is_decided_or_has_no_due_time_is_left_alone(
    mailing: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    number = asked(database, vault, now, due=timedelta(hours=2))
    with database.transaction() as session:
        reviewer = people.by_login(session, REVIEWER)
        assert reviewer is not None
        approvals.decide(session, number, decision="approved", by=reviewer.id or 0, now=now)
    assert run(mailing, database, vault, now) == 0


def test_no_due_time_no_reminder(mailing: Settings, database: Database, vault: Vault, now: datetime) -> None:
    asked(database, vault, now, due=None)
    assert run(mailing, database, vault, now + timedelta(days=400)) == 0


def test_two_processes_write_one_letter_each(
    mailing: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    asked(database, vault, now, due=timedelta(hours=2))
    barrier, posted = threading.Barrier(3), []

    def work() -> None:
        barrier.wait()
        posted.append(run(mailing, database, vault, now))

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(posted) == [0, 0, 2]


def test_an_address_that_cannot_be_opened_keeps_nobody_waiting(
    mailing: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    asked(database, vault, now, due=timedelta(hours=2))
    with database.transaction() as session:
        reviewer = people.by_login(session, REVIEWER)
        assert reviewer is not None
        reviewer.email = "not a ciphertext"
        session.add(reviewer)
    assert run(mailing, database, vault, now) == 1


def test_the_address_of_a_guest_is_forgotten_when_the_link_ends(
    settings: Settings, database: Database, vault: Vault, now: datetime
) -> None:
    number = asked(database, vault, now, due=None)
    with database.transaction() as session:
        reviewer = people.by_login(session, REVIEWER)
        assert reviewer is not None
        for days in (1, 9):
            invitation = Invitation("方律师", "fang@example.com", "", days)
            approval_guests.invite(session, number, invitation, vault=vault, by=reviewer.id or 0, now=now)
    run(settings, database, vault, now + timedelta(days=2))
    with database.reading() as session:
        rows = session.exec(select(GuestReview).order_by(col(GuestReview.id))).all()
        assert [bool(one.email_sealed) for one in rows] == [False, True]
        assert session.exec(select(ApprovalStep)).one().reminded_at is None
