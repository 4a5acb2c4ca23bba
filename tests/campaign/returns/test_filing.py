"""A return from its draft to the books: nothing typed is lost, two people, every change only adds."""

from datetime import datetime
from typing import Any

import pytest
from sqlmodel import Session

from campaign.returns import deciding, filing, reckoning
from campaign.returns.models import DRAFT, REFUSED, REPLACED, RETURNED, SUBMITTED, VERIFIED
from core.database import Database
from core.errors import Conflict, Invalid, NotAllowed
from core.settings import Settings
from institution import approvals
from tests import factories
from tests.campaign.returns import cast
from tests.campaign.returns.cast import Books, People, total


@pytest.fixture
def who(database: Database, now: datetime) -> People:
    with database.transaction() as session:
        return cast.people(session, now)


def test_a_draft_keeps_what_was_typed_badly(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now, heads="大约六十", held_on="2026-09-31", theme="很长的话")
    with database.reading() as session:
        kept = cast.latest(session, number)
        assert (kept.typed["heads"], kept.typed["held_on"], kept.theme) == (
            "大约六十",
            "2026-09-31",
            "很长的话",
        )
        assert (kept.state, kept.held_on, kept.staff) == (DRAFT, None, 3)
    with pytest.raises(Invalid, match="还有 2 处"), database.transaction() as session:
        cast.hand_in(session, number, who.clerk, now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("held_on", "2026-09-16"), ("held_on", ""), ("staff", "0"), ("heads", "-3"), ("heads", ""), ("form", "x"),
        ("place", ""), ("ends", "09:00"), ("starts", "25:00"), ("campaign_code", "gone"), ("audience_youth", "61"),
        ("joined", "1.5"),
    ],
)  # fmt: skip
def test_what_breaks_a_rule_is_refused_at_its_field(
    database: Database, who: People, now: datetime, field: str, value: str
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now, **{field: value})
        with pytest.raises(Invalid) as refused:
            cast.hand_in(session, number, who.clerk, now)
    assert refused.value.field in (field, "audiences")


def test_numbers_are_read_as_people_type_them(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        number = cast.filed(session, who.clerk, now, heads="１，２００", material_leaflet="3,000")
        kept = cast.latest(session, number)
        assert (kept.heads, kept.materials, kept.works) == (1200, {"leaflet": 3000}, {"wechat": 2})


def test_the_same_form_sent_twice_makes_one_return(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        made = [
            filing.start(session, outlet_code=factories.OUTLET_A, key="same", by=who.clerk, now=now).id
            for _ in range(2)
        ]
        assert made[0] == made[1]
        with pytest.raises(Conflict):
            filing.start(session, outlet_code=factories.OUTLET_A, key="same", by=who.other, now=now)
        with pytest.raises(Invalid):
            filing.start(session, outlet_code=factories.COUNTY, key="branch", by=who.clerk, now=now)


def test_nobody_verifies_their_own_nor_what_they_wrote(
    database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        own = cast.filed(session, who.branch, now)
    with pytest.raises(NotAllowed), database.transaction() as session:
        cast.decide(session, own, who.branch, now)
    with database.transaction() as session:
        written = cast.draft(session, who.branch, now)
        cast.hand_in(session, written, who.clerk, now)
    with pytest.raises(NotAllowed, match="自己填写"), database.transaction() as session:
        cast.decide(session, written, who.branch, now)
    with pytest.raises(NotAllowed), database.transaction() as session:
        cast.decide(session, written, who.other, now)  # outlet staff verify nothing
    with pytest.raises(NotAllowed), database.transaction() as session:
        cast.decide(session, written, who.outsider, now)


def test_returned_with_a_reason_mended_and_verified(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        number = cast.filed(session, who.clerk, now)
        cast.decide(session, number, who.branch, now, decision="changes", opinion="人数请核对签到表")
    with database.transaction() as session:
        assert cast.latest(session, number).state == RETURNED
        today = now.astimezone(cast.ZONE).date()
        filing.save(session, number, {**cast.TYPED, "heads": "58"}, by=who.clerk, now=now, today=today)
        cast.hand_in(session, number, who.clerk, now)
        cast.decide(session, number, who.branch, now)
        kept = cast.latest(session, number)
        assert (kept.state, kept.number, kept.heads) == (VERIFIED, 1, 58)


def test_what_waits_cannot_be_changed_but_taken_back(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        number = cast.filed(session, who.clerk, now)
        today = now.astimezone(cast.ZONE).date()
        with pytest.raises(Conflict):
            filing.save(session, number, cast.TYPED, by=who.clerk, now=now, today=today)
        request = filing.asked(session, cast.latest(session, number))
        assert request is not None
        deciding.take_back(session, request, who.clerk, now)
        assert cast.latest(session, number).state == DRAFT
        with pytest.raises(Conflict):
            filing.discard(session, number, now)  # somebody was asked about it: it stays


def test_changed_under_the_eyes_of_who_decides_is_noticed(
    database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.filed(session, who.clerk, now)
        cast.latest(session, number).heads = 6000
    with pytest.raises(Conflict, match="改过"), database.transaction() as session:
        cast.decide(session, number, who.branch, now)


def booked(settings: Settings, database: Database) -> list[list[str]]:
    books = Books(settings, database)
    books.keeper.run_once()
    assert books.keeper.run_once() == 0, "again: nothing is left to do"
    return books.lines()


def test_a_verified_return_counts_once_with_all_its_keys(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.verified(session, who, now, audiences=["elders", "youth"], audience_elders="35")
    lines = booked(settings, database)
    assert total(lines) == 60
    assert total(lines, "handed_out") == 80
    found = {(line[3], line[12]): line for line in lines}
    elders = found["attended", "elders"]
    assert elders[2:5] == ["2026-09-14", "attended", "35"]
    assert elders[8:14] == [
        factories.OUTLET_A,
        "offline",
        "return",
        f"return-{number}-1",
        "elders",
        "community",
    ]
    assert found["attended", ""][4] == "25", "what nobody told apart stands under no group"
    assert len(booked(settings, database)) == len(lines)


def test_corrections_and_undoing_net_out_by_events_alone(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    today = now.astimezone(cast.ZONE).date()
    with database.transaction() as session:
        number = cast.verified(session, who, now)
    first = booked(settings, database)
    with database.transaction() as session:
        filing.correct(session, number, by=who.clerk, now=now)
        filing.save(
            session,
            number,
            {**cast.TYPED, "heads": "46", "place": "village"},
            by=who.clerk,
            now=now,
            today=today,
        )
        cast.hand_in(session, number, who.clerk, now)
    assert booked(settings, database) == first, "until it is verified the old one counts"
    with database.transaction() as session:
        cast.decide(session, number, who.branch, now)
        states = [one.state for one in filing.versions(session, filing.get(session, number))]
        assert states == [VERIFIED, REPLACED]
    second = booked(settings, database)
    assert second[: len(first)] == first or all(line in second for line in first), "nothing is updated"
    assert total(second) == 46
    by_place = {
        place: sum(int(x[4]) for x in second if x[13] == place and x[3] == "attended")
        for place in ("village", "community")
    }
    assert by_place == {"village": 46, "community": 0}
    with database.transaction() as session:
        with pytest.raises(Invalid):
            filing.void(session, number, by=who.clerk, now=now, reason=" ")
        filing.void(session, number, by=who.clerk, now=now, reason="活动没有办成")
        cast.decide(session, number, who.branch, now)
    third = booked(settings, database)
    assert (total(third), total(third, "handed_out")) == (0, 0)
    with pytest.raises(Conflict, match="已经撤销"), database.transaction() as session:
        filing.void(session, number, by=who.clerk, now=now, reason="再来一次")


def test_a_refused_correction_leaves_what_counts(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        number = cast.verified(session, who, now)
        filing.void(session, number, by=who.clerk, now=now, reason="记错了")
        cast.decide(session, number, who.branch, now, decision="changes", opinion="不必撤销")
        one = filing.get(session, number)
        assert (one.counted, cast.latest(session, number).state) == (1, REFUSED)
        assert filing.correct(session, number, by=who.clerk, now=now).number == 3


def test_only_a_draft_nobody_was_asked_about_is_thrown_away(
    database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.draft(session, who.clerk, now)
        assert filing.discard(session, number, now)
        assert cast.count(session) == 0
        kept = cast.verified(session, who, now)
        filing.correct(session, kept, by=who.clerk, now=now)
        assert not filing.discard(session, kept, now)
        assert cast.latest(session, kept).state == VERIFIED


def test_tampered_after_the_verification_nothing_is_booked(
    settings: Settings, database: Database, who: People, now: datetime
) -> None:
    with database.transaction() as session:
        number = cast.verified(session, who, now)
        cast.latest(session, number).heads = 600
    assert booked(settings, database) == []


def test_what_counts_always_adds_up(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        several: tuple[dict[str, Any], ...] = (
            {"audiences": []},
            {"audiences": ["elders", "youth"]},
            {"audience_elders": "60", "audiences": []},
        )
        for typed in several:
            number = cast.filed(session, who.clerk, now, **typed)
            sums = reckoning.counted(cast.latest(session, number))
            assert sum(value for keys, value in sums.items() if keys.kind == "attended") == 60
        assert cast.latest(session, number).state == SUBMITTED
        assert approvals.open_request(
            session, kind=filing.VERIFY, subject=str(cast.latest(session, number).id)
        )


def test_the_session_is_the_callers(database: Database, who: People, now: datetime) -> None:
    """Verbs never commit: what is rolled back was not."""
    with pytest.raises(RuntimeError):
        _roll_back(database, who, now)
    with database.reading() as session:
        assert cast.count(session) == 0


def _roll_back(database: Database, who: People, now: datetime) -> None:
    with database.transaction() as session:
        _file(session, who, now)
        raise RuntimeError


def _file(session: Session, who: People, now: datetime) -> None:
    cast.filed(session, who.clerk, now)
