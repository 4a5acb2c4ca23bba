"""Single occurrences: who registered is told of what concerns them; nothing loses a place."""

from datetime import date, datetime, timedelta

import pytest
from sqlmodel import Session, select

from campaign.events import occurrences
from campaign.events.models import EventSeries
from campaign.events.occurrences import Spot, Texts
from campaign.registration.models import CONFIRMED, OFFERED, WAITING, Notice, Registration
from core.errors import Conflict, DomainError, Invalid
from core.privacy import Vault
from institution import audit
from institution.audit_models import AuditRecord
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import OUTLETS, ZONE, all_of, party

LATER = Spot(date(2026, 10, 15), 600, 90, OUTLETS[0], "二楼会议室")


def told(session: Session, kind: str) -> list[int]:
    """Who was told of a kind of thing, by number of their registration, each as often as they were told."""
    return sorted(one.registration_id for one in session.exec(select(Notice).where(Notice.kind == kind)))


def audited(session: Session, number: int) -> list[str]:
    audit.settle(session)
    query = select(AuditRecord).where(AuditRecord.kind == "occurrence", AuditRecord.subject == str(number))
    return [one.action for one in session.exec(query)]


@pytest.fixture
def full(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> tuple[int, list[Registration]]:
    """An occurrence with two seats taken and two who wait, and one with somebody else."""
    one, other, *_ = all_of(session, october)
    rows = [party(session, vault, one, number, now) for number in range(4)]
    party(session, vault, other, 9, now)
    assert [row.state for row in rows] == [CONFIRMED, CONFIRMED, WAITING, WAITING]
    return one.id or 0, rows


def test_a_move_tells_every_registered_party_once_for_each_move(
    session: Session, now: datetime, full: tuple[int, list[Registration]]
) -> None:
    number, rows = full
    everybody = sorted(row.id or 0 for row in rows)
    done = occurrences.move(session, number, LATER, zone=ZONE, now=now)
    assert done.told == 4
    assert told(session, "moved") == everybody
    one = done.occurrence
    assert (one.day, one.place, one.version) == (LATER.day, "二楼会议室", 2)
    assert one.ends_at - one.starts_at == timedelta(minutes=90)
    assert one.starts_at - one.closes_at == timedelta(hours=1)
    assert [row.state for row in rows] == [CONFIRMED, CONFIRMED, WAITING, WAITING], "places are kept"
    room = Spot(LATER.day, LATER.minute, 90, OUTLETS[0], "三楼")
    assert occurrences.move(session, number, room, zone=ZONE, now=now).told == 4
    assert told(session, "moved") == sorted(everybody * 2), "another room at the same time is news too"
    assert occurrences.move(session, number, room, zone=ZONE, now=now).told == 0, "nothing changed"
    assert audited(session, number).count("event.move") == 2


def test_calling_off_and_on_tells_everybody(
    session: Session, now: datetime, full: tuple[int, list[Registration]]
) -> None:
    number, rows = full
    with pytest.raises(Invalid):
        occurrences.call_off(session, number, " ", now=now)
    assert occurrences.call_off(session, number, "停电", now=now).told == 4
    assert told(session, "called_off") == sorted(row.id or 0 for row in rows)
    assert occurrences.call_off(session, number, "停电", now=now).told == 0
    with pytest.raises(Conflict):
        occurrences.move(session, number, LATER, zone=ZONE, now=now)
    assert occurrences.call_on(session, number, now=now).told == 4
    assert audited(session, number)[-1] == "event.call_on"


def test_more_seats_are_offered_at_once_and_fewer_than_confirmed_refused(
    session: Session, now: datetime, full: tuple[int, list[Registration]]
) -> None:
    number, rows = full
    occurrences.set_capacity(session, number, 3, now=now)
    assert [row.state for row in rows] == [CONFIRMED, CONFIRMED, OFFERED, WAITING]
    with pytest.raises(Conflict):
        occurrences.set_capacity(session, number, 1, now=now)


@pytest.mark.parametrize(
    ("where", "field"),
    [
        (Spot(date(2026, 9, 1), 570, 60, OUTLETS[0]), "day"),
        (Spot(date(2026, 10, 15), 570, 5, OUTLETS[0]), "minutes"),
        (Spot(date(2026, 10, 15), 570, 60, factories.COUNTY), "outlet_code"),
        (Spot(date(2026, 10, 15), 570, 60, "nowhere"), "outlet_code"),
        (Spot(date(2026, 10, 15), 570, 60, ""), "outlet_code"),
        (Spot(date(2026, 10, 15), 570, 60, OUTLETS[1]), "outlet_code"),
    ],
)
def test_a_place_where_nothing_can_be_held_is_refused(
    session: Session, now: datetime, october: EventSeries, where: Spot, field: str
) -> None:
    number = all_of(session, october)[0].id or 0
    with pytest.raises(DomainError) as refused:
        occurrences.move(session, number, where, zone=ZONE, now=now)
    assert refused.value.field == field
    assert told(session, "moved") == []


def test_what_has_begun_is_not_moved(session: Session, october: EventSeries) -> None:
    one = all_of(session, october)[0]
    with pytest.raises(Conflict):
        occurrences.move(session, one.id or 0, LATER, zone=ZONE, now=one.starts_at)


def test_texts_and_links_change_without_telling(
    session: Session, now: datetime, full: tuple[int, list[Registration]]
) -> None:
    number, _rows = full
    texts = Texts("断卡", "Cards", "王律师", "", "", "https://video.example.com/1", True, False, 3)
    one = occurrences.change(session, number, texts, now=now)
    assert (one.topic, one.replay_url, one.approval, one.waiting, one.party_most) == (
        "断卡", "https://video.example.com/1", True, False, 3,
    )  # fmt: skip
    assert told(session, "moved") == []
    for bad in (Texts(replay_url="ftp://x"), Texts(topic="长" * 121), Texts(party_most=0)):
        with pytest.raises(Invalid):
            occurrences.change(session, number, bad, now=now)


def test_one_more_and_a_copy_are_empty_and_there_once(
    session: Session, now: datetime, full: tuple[int, list[Registration]], october: EventSeries
) -> None:
    number, _rows = full
    made = occurrences.add(session, october, LATER, zone=ZONE, now=now, topic="加场", capacity=5)
    assert (made.topic, made.capacity, made.place, made.taken) == ("加场", 5, "二楼会议室", 0)
    with pytest.raises(Conflict):
        occurrences.add(session, october, LATER, zone=ZONE, now=now)
    copy = occurrences.clone(session, number, date(2026, 10, 16), OUTLETS[1], zone=ZONE, now=now)
    old = occurrences.get(session, number)
    assert (copy.capacity, copy.host, copy.outlet_code, copy.taken) == (old.capacity, old.host, OUTLETS[1], 0)
    assert copy.code != old.code
    assert audited(session, copy.id or 0) == ["event.add"]


def test_what_is_online_has_no_outlet(session: Session, now: datetime) -> None:
    factories.tree(session, now)
    one = making.tuesdays(session, now, "class", factories.PROVINCE, **making.ONLINE)
    made = occurrences.add(session, one, Spot(LATER.day, 1170, 40), zone=ZONE, now=now)
    assert occurrences.owner(session, made) == factories.PROVINCE
    with pytest.raises(Invalid):
        occurrences.add(session, one, LATER, zone=ZONE, now=now)
