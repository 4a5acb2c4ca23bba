"""Segments by events: within what people agreed to, and within what a node may know."""

import json
from dataclasses import asdict
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from campaign import segment_events, segment_words, segments
from campaign.audience_models import Segment
from campaign.contacts import Consent, Contact
from campaign.events.models import EventSeries, Occurrence
from campaign.registration.models import RegisteredPerson
from campaign.segments import Filters
from core.database import Database
from core.errors import Invalid
from core.privacy import Vault
from core.signing import Keys
from tests import factories
from tests.campaign.registration import making
from tests.scheduler import audience_cast


def _held(session: Session, vault: Vault, now: datetime, outlet: str = "", node: str = "") -> str:
    """An occurrence for which the first two of three contacts register by e-mail, and the first comes."""
    held = making.occurrence(session, now, capacity=9, outlet_code=outlet)
    series = update(EventSeries).where(col(EventSeries.id) == held.series_id)
    session.execute(series.values(outlet_code=node))
    for number in (1, 2):
        party = making.party(session, vault, held, number, now=now, email=f"p{number}@example.com")
        if number == 1:
            come = update(RegisteredPerson).where(col(RegisteredPerson.registration_id) == party.id)
            session.execute(come.values(arrived_at=now))
    return f"occurrence:{held.id}"


def _who(session: Session, did: str, of: str, as_of: datetime, node: str = "") -> list[int]:
    found = segments.audience(Filters(event_did=did, event_of=of), node, as_of)
    query = select(Contact.id).where(found.holds(Contact)).order_by(col(Contact.id))
    return [one or 0 for one in session.exec(query)]


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault(Keys(b"of-no-value"))


def test_who_registered_came_or_stayed_away(database: Database, vault: Vault, now: datetime) -> None:
    later = now + timedelta(days=4)
    with database.transaction() as session:
        audience_cast.people(session, vault, 3, now)
        of = _held(session, vault, now)
        assert _who(session, "registered", of, later) == [1, 2]
        assert _who(session, "came", of, later) == [1]
        assert _who(session, "absent", of, later) == [2]
        assert _who(session, "absent", of, now) == [], "it is not over"
        series = f"series:{session.exec(select(EventSeries.id)).one()}"
        assert _who(session, "came", series, later) == [1] and _who(session, "came", "series:99", later) == []
        session.execute(update(RegisteredPerson).values(arrived_at=None))
        assert _who(session, "absent", of, later) == [], "nobody kept the door, so nobody is missing"


def test_registering_is_no_consent_to_be_picked(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        audience_cast.people(session, vault, 3, now)
        of = _held(session, vault, now)
        session.execute(delete(Consent).where(col(Consent.contact_id) == 1))
        assert _who(session, "registered", of, now) == [2]


def test_a_branch_asks_about_its_own_events_alone(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        audience_cast.people(session, vault, 3, now)
        session.execute(update(Contact).values(holder_code=factories.PROVINCE))
        of = _held(session, vault, now, factories.OUTSIDE_OUTLET, factories.OUTSIDE_PROVINCE)
        assert _who(session, "registered", of, now, factories.PROVINCE) == []
        assert segment_events.choices(session, factories.PROVINCE) == {}
        assert of in segment_events.choices(session, factories.OUTSIDE_PROVINCE)
        with pytest.raises(Invalid, match="自己机构范围内"):
            segments.check(session, Filters(event_did="came", event_of=of), factories.PROVINCE)
        session.execute(update(Occurrence).values(outlet_code=factories.OUTLET_A))
        assert _who(session, "registered", of, now, factories.PROVINCE) == [1, 2]


def test_consent_since_a_day_and_the_words_of_it_all(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        audience_cast.people(session, vault, 3, now)
        of = _held(session, vault, now)
        for since, count in (("2026-03-01T00:00+08:00", 3), ("2026-03-02T00:00+08:00", 0)):
            assert segments.count(session, Filters(since=since), "") == count
        filters = Filters(since="2026-03-01T00:00+08:00", event_did="came", event_of=of)
        made = segments.make(session, "来过的", filters, outlet_code="", now=now)
        words = segment_words.words(session, made)
        assert "同意并可联系：金融教育宣传 · 2026-03-01 起同意的" in words
        assert any(one.startswith("来了：相约星期二") for one in words)
        bare = Segment(name="x", filters="{}", created_at=now, updated_at=now)
        assert segment_words.words(session, bare) == ["这个机构自己名单里的所有人"]


def test_a_definition_stays_the_same_when_segments_learn_to_ask_more(now: datetime) -> None:
    old = Segment(name="x", filters='{"province": "浙江省"}', created_at=now, updated_at=now)
    full = json.dumps(asdict(Filters(province="浙江省")))
    new = Segment(name="y", filters=full, created_at=now, updated_at=now)
    assert segments.definition(old) == segments.definition(new) == '{"node": "", "province": "浙江省"}'
