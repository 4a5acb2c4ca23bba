"""Series: checked and audited; what is planned follows a change where nobody is registered, and nowhere else."""

from datetime import date, datetime

import pytest
from sqlmodel import Session, select

from campaign.events import occurrences, series
from campaign.events.models import EventSeries, OptionSeats
from campaign.events.occurrences import Spot
from campaign.events.series import DateLine
from campaign.registration import changing
from core.errors import Conflict, Invalid
from core.privacy import Vault
from institution import audit
from institution.audit_models import AuditRecord
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import FORM, ZONE, all_of, party, saved


def actions(session: Session) -> list[str]:
    audit.settle(session)
    return [one.action for one in session.exec(select(AuditRecord)).all() if one.kind == "event"]


def dated(session: Session, one: EventSeries, now: datetime, *lines: DateLine) -> series.Saved:
    return series.set_dates(session, one.code, lines, zone=ZONE, country="CN", now=now)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "), ("rule", "FREQ=HOURLY"), ("first_on", "morgen"), ("starts_at", "25:00"), ("minutes", "5"),
        ("capacity", "-1"), ("party_most", "11"), ("form", "moon"), ("theme", "neon"), ("live_url", "javascript:alert(1)"),
        ("questions", "- 没有问题"), ("campaign_code", "none"), ("last_on", "2026-01-01"), ("host", "x" * 61),
        ("name", "看不见\x07"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_and_nothing_is_saved(
    session: Session, now: datetime, field: str, value: str
) -> None:
    with pytest.raises(Invalid) as refused:
        making.tuesdays(session, now, **{field: value})
    assert refused.value.field == field
    assert series.listing(session) == []


def test_a_code_is_there_once_and_is_no_page_of_ours(
    session: Session, now: datetime, october: EventSeries
) -> None:
    with pytest.raises(Conflict):
        making.tuesdays(session, now)
    for code in ("calendar", "new", "Ü", "a", "-a"):
        with pytest.raises(Invalid):
            making.tuesdays(session, now, code)


def test_occurrences_without_anybody_follow_a_new_time_and_the_others_are_listed(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    busy, resized, *free = all_of(session, october)
    party(session, vault, busy, 1, now)
    occurrences.set_capacity(session, resized.id or 0, 9, now=now)
    done = saved(session, october, now, starts_at="14:00", capacity="30", host="李宣讲")
    assert (done.followed.changed, done.followed.removed) == (4, 0)
    assert set(done.followed.left) == {busy.id, resized.id}
    after = {one.id: one for one in all_of(session, october)}
    for one in free:
        changed = after[one.id]
        assert changed.starts_at.astimezone(ZONE).strftime("%H:%M") == "14:00"
        assert (changed.capacity, changed.host, changed.version) == (30, "李宣讲", 2)
    assert after[busy.id].starts_at.astimezone(ZONE).strftime("%H:%M") == "09:30"
    assert after[resized.id].capacity == 9
    assert making.plan(session, october, date(2026, 10, 1), date(2026, 10, 31), now).made == 0, (
        "each day is covered"
    )
    assert "event.change" in actions(session)


def test_without_being_asked_nothing_follows(session: Session, now: datetime, october: EventSeries) -> None:
    before = [one.model_dump() for one in all_of(session, october)]
    assert saved(session, october, now, follow=False, starts_at="14:00").followed.changed == 0
    assert [one.model_dump() for one in all_of(session, october)] == before


def test_what_the_rule_no_longer_means_goes_away_unless_somebody_ever_registered(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    busy, left, *_free = all_of(session, october)
    party(session, vault, busy, 1, now)
    gone = party(session, vault, left, 2, now)
    changing.leave(session, gone.id or 0, now)
    done = saved(session, october, now, rule="FREQ=WEEKLY;BYDAY=WE")
    assert (done.followed.changed, done.followed.removed) == (0, 4)
    assert set(done.followed.left) == {busy.id, left.id}
    assert [one.id for one in all_of(session, october)] == [busy.id, left.id]


def test_new_questions_give_seats_where_nobody_is_registered(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    busy = all_of(session, october)[0]
    party(session, vault, busy, 1, now)
    done = saved(session, october, now, questions="组别*\n- 早 = 1\n- 晚 = 1")
    assert (done.followed.changed, done.followed.left) == (5, (busy.id,))
    rows = session.exec(select(OptionSeats)).all()
    assert len(rows) == 10 and busy.id not in {one.occurrence_id for one in rows}


def test_a_theme_reaches_the_occurrences_of_its_day(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    day = date(2026, 10, 13)
    done = dated(session, october, now, DateLine(day, "刷单返利", "Paid clicks", host="王律师"))
    assert done.followed.changed == 2
    first, second, third, *_ = all_of(session, october)
    assert {(one.topic, one.topic_en, one.host) for one in (first, second)} == {
        ("刷单返利", "Paid clicks", "王律师")
    }
    assert third.topic == ""
    dated(session, october, now, DateLine(day))
    assert series.dates(session, october) == []
    assert all_of(session, october)[0].topic == ""


def test_a_day_that_is_left_out_or_moved_takes_along_who_is_free(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    busy = all_of(session, october)[2]
    party(session, vault, busy, 1, now)
    done = dated(
        session, october, now,
        DateLine(date(2026, 10, 13), skipped=True, reason="盘点"),
        DateLine(date(2026, 10, 20), moved_to=date(2026, 10, 22)),
    )  # fmt: skip
    assert (done.followed.changed, done.followed.removed, done.followed.left) == (1, 2, (busy.id,))
    found = all_of(session, october)
    assert [one.day.day for one in found] == [20, 22, 27, 27]
    assert making.plan(session, october, date(2026, 10, 1), date(2026, 10, 31), now).made == 0


@pytest.mark.parametrize(
    "line",
    [
        DateLine(date(2026, 10, 13), skipped=True),
        DateLine(date(2026, 10, 13), skipped=True, reason="盘点", moved_to=date(2026, 10, 14)),
        DateLine(date(2026, 10, 13), theme="长" * 121),
    ],
)
def test_a_day_is_decided_with_a_reason_and_one_way(
    session: Session, now: datetime, october: EventSeries, line: DateLine
) -> None:
    with pytest.raises(Invalid):
        dated(session, october, now, line)


def test_a_moved_occurrence_stays_where_it_was_moved(
    session: Session, now: datetime, october: EventSeries
) -> None:
    one = all_of(session, october)[0]
    where = Spot(date(2026, 10, 15), 600, 60, factories.OUTLET_A)
    occurrences.move(session, one.id or 0, where, zone=ZONE, now=now)
    done = saved(session, october, now, starts_at="14:00")
    assert done.followed.left == (one.id,)
    assert all_of(session, october)[0].day == date(2026, 10, 15)


def test_how_one_takes_part_cannot_change_once_something_is_planned(
    session: Session, now: datetime, october: EventSeries
) -> None:
    with pytest.raises(Conflict):
        saved(session, october, now, form="online")


def test_a_copy_is_hidden_and_empty(session: Session, now: datetime, october: EventSeries) -> None:
    made = series.clone(session, "tuesday", "thursday", "相约星期四", outlet_code=factories.PROVINCE, now=now)
    assert (made.name, made.visible, made.outlet_code, made.rule) == (
        "相约星期四",
        False,
        factories.PROVINCE,
        FORM["rule"],
    )
    assert all_of(session, made) == []
    assert actions(session).count("event.create") == 2
