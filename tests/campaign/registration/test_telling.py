"""Letters about a registration: each once, on time, in the person's language; who cannot be written to is called."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from campaign.events.models import Occurrence
from campaign.registration import changing, notices, occasions, waiting_list
from campaign.registration.models import Notice, RegisteredPerson
from campaign.registration.telling import Telling
from campaign.registration.work import Doorkeeper
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import letters
from tests.campaign.registration import making

Run = Callable[[datetime], int]


@pytest.fixture
def vault(settings: Settings) -> Vault:
    return Vault(Keys(load_secret(settings)))


@pytest.fixture
def run(settings: Settings, database: Database, vault: Vault) -> Run:
    """One round at a moment; returns how many letters it wrote."""
    mailing = settings.model_copy(update={"smtp_host": "127.0.0.1", "mail_from": "events@example.com"})
    keeper = Doorkeeper(Keys(load_secret(settings)), 0)
    return lambda at: Telling(mailing, database, vault, keeper, lambda: at).run_once()


def _letters(database: Database, vault: Vault, now: datetime) -> list[letters.Content]:
    with database.transaction() as session:
        return [one.content for one in letters.claim(session, vault=vault, now=now, most=100)]


def _states(session: Session) -> list[tuple[str, str]]:
    return [(one.kind, one.state) for one in session.exec(select(Notice).order_by(col(Notice.id)))]


def test_what_is_noted_is_written_once(database: Database, vault: Vault, now: datetime, run: Run) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=1, topic="先停一停")
        making.party(session, vault, where, 1, now=now, email="one@example.com")
        making.party(session, vault, where, 2, now=now, email="two@example.com", language="en")
    assert (run(now), run(now)) == (2, 0)
    first, second = _letters(database, vault, now)
    assert "报名成功" in first.subject and "签到码" in first.text and "/my/" in first.text
    assert "%(" not in first.text + second.text + first.subject + second.subject
    with database.transaction() as session:
        changing.leave(session, 1, now)
    assert run(now) == 1
    (offer,) = _letters(database, vault, now)
    assert "/my/" in offer.text


def test_reminders_come_the_day_before_and_two_hours_before_and_again_when_moved(
    database: Database, vault: Vault, now: datetime, run: Run
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5)
        number = where.id or 0
        making.party(session, vault, where, 1, now=now, email="one@example.com")
    run(now)
    starts = now + timedelta(days=3)
    told = [
        run(starts - before) for before in (timedelta(hours=25), timedelta(hours=20), timedelta(hours=19))
    ]
    assert told == [0, 1, 0]
    assert [run(starts - timedelta(minutes=left)) for left in (125, 115, 60)] == [0, 1, 0]
    with database.transaction() as session:
        moved = session.get_one(Occurrence, number)
        moved.starts_at, moved.ends_at = starts + timedelta(days=7), starts + timedelta(days=7, hours=1)
        occasions.moved(session, moved, starts - timedelta(minutes=50))
    assert run(starts - timedelta(minutes=50)) == 1  # that it is moved
    assert run(starts + timedelta(days=6, hours=4)) == 1


def test_thanks_go_to_who_came(database: Database, vault: Vault, now: datetime, run: Run) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=5, outlet_code="33010601")
        for number in (1, 2):
            making.party(session, vault, where, number, now=now, email=f"p{number}@example.com")
        session.exec(select(RegisteredPerson)).first().arrived_at = now  # type: ignore[union-attr]
    run(now)
    _letters(database, vault, now)
    after = now + timedelta(days=3, hours=2)
    assert run(after) == 1
    with database.reading() as session:
        thanked = session.exec(select(Notice.registration_id).where(Notice.kind == notices.THANKS)).all()
    assert list(thanked) == [1]


def test_who_has_no_address_is_called_when_it_matters(
    database: Database, vault: Vault, now: datetime, run: Run
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=1)
        number = where.id or 0
        making.party(session, vault, where, 1, now=now)
    with database.transaction() as session:
        occasions.call_off(session, number, "台风", now)
    assert run(now) == 0
    with database.reading() as session:
        assert _states(session) == [(notices.CALLED_OFF, notices.BY_HAND)]


def test_a_reminder_that_would_come_too_late_is_dropped(
    database: Database, vault: Vault, now: datetime, run: Run
) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=1, outlet_code="33010601")
        making.party(session, vault, where, 1, now=now, email="one@example.com")
    assert run(now + timedelta(days=4)) == 0
    with database.reading() as session:
        assert _states(session)[0] == (notices.REGISTERED, notices.DROPPED)


def test_an_offer_that_ends_goes_to_the_next(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        where = making.occurrence(session, now, capacity=2)
        number = where.id or 0
        for each, size in ((1, 2), (2, 2), (3, 1), (4, 2)):
            making.party(session, vault, where, each, size, now=now + timedelta(seconds=each))
        changing.leave(session, 1, now + timedelta(minutes=1))
    later = now + timedelta(hours=25)
    with database.transaction() as session:
        assert list(waiting_list.with_ended_offers(session, later)) == [number]
        assert waiting_list.lapse_due(session, number, later) == 1
    with database.reading() as session:
        found = [changing.get(session, each).state for each in (2, 3, 4)]
    assert found == ["lapsed", "offered", "waiting"]
