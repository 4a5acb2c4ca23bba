"""Planning a month: every gap once, twice the same, nothing touched that is there, and two who race make nothing double."""

import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlmodel import Session, select

from campaign.events import occurrences, planning
from campaign.events.models import EventSeries, Occurrence, OptionSeats
from campaign.events.occurrences import Spot
from core.database import Database
from institution.models import Outlet
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import OUTLETS, ZONE, all_of, plan, tuesdays

OCTOBER = (date(2026, 10, 1), date(2026, 10, 31))


def test_a_month_of_tuesdays_at_every_outlet_without_the_holiday(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now)
        done = plan(session, one, *OCTOBER, now)
        found = all_of(session, one)
    assert (done.made, done.there) == (6, 0)
    assert [(each.day.day, each.why) for each in done.skipped] == [(6, "调休放假")]
    assert [each.day.day for each in found] == [13, 13, 20, 20, 27, 27]
    assert {each.starts_at.astimezone(ZONE).strftime("%H:%M") for each in found} == {"09:30"}
    first = found[0]
    assert first.opens_at == datetime(2026, 9, 28, 16, tzinfo=UTC), "fourteen days before, as the day begins"
    assert (first.closes_at, first.ends_at) == (
        first.starts_at - timedelta(hours=1),
        first.starts_at + timedelta(hours=1),
    )
    assert (first.host, first.capacity, first.version) == ("吴宣讲", 2, 1)


def test_planning_again_makes_nothing_and_touches_nothing(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now)
        plan(session, one, *OCTOBER, now)
        moved, resized, off, elsewhere, *_rest = all_of(session, one)
        occurrences.move(
            session, moved.id or 0, Spot(date(2026, 10, 14), 600, 90, OUTLETS[0], "二楼"), zone=ZONE, now=now
        )
        occurrences.set_capacity(session, resized.id or 0, 9, now=now)
        occurrences.call_off(session, off.id or 0, "装修", now=now)
        before = [each.model_dump() for each in all_of(session, one)]
        assert plan(session, one, *OCTOBER, now + timedelta(days=1)).made == 0
        assert [each.model_dump() for each in all_of(session, one)] == before
        target = Spot(elsewhere.day, 570, 60, factories.OUTSIDE_OUTLET)
        occurrences.move(session, elsewhere.id or 0, target, zone=ZONE, now=now)
        everywhere = [*OUTLETS, factories.OUTSIDE_OUTLET]
        done = plan(session, one, *OCTOBER, now, codes=everywhere)
    assert done.made == 2, (
        "the outlet that an occurrence was moved to has it, the one it left is not asked again"
    )


def test_gaps_say_what_is_missing_where(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now)
        plan(session, one, date(2026, 10, 13), date(2026, 10, 13), now, codes=[OUTLETS[0]])
        found = planning.gaps(session, one, OUTLETS, *OCTOBER, zone=ZONE, country="CN", now=now)
        late = planning.gaps(
            session,
            one,
            OUTLETS,
            *OCTOBER,
            zone=ZONE,
            country="CN",
            now=datetime(2026, 10, 20, 2, tzinfo=UTC),
        )
    assert {day.day: codes for day, codes in found.missing.items()} == {
        13: (OUTLETS[1],),
        20: tuple(OUTLETS),
        27: tuple(OUTLETS),
    }
    assert (found.count, found.there) == (5, 1)
    assert [each.why for each in late.skipped] == ["调休放假", "已经过去", "已经过去"]


def test_an_outlet_that_is_closed_that_day_is_left_out(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        session.get_one(Outlet, OUTLETS[0]).closed_on = date(2026, 10, 20)
        session.get_one(Outlet, OUTLETS[1]).open_on = date(2026, 10, 21)
        one = tuesdays(session, now)
        plan(session, one, *OCTOBER, now)
        assert [(each.outlet_code, each.day.day) for each in all_of(session, one)] == [
            (OUTLETS[0], 13),
            (OUTLETS[1], 27),
        ]


def test_options_with_a_limit_have_seats_at_every_new_occurrence(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now, questions="组别*\n- 早 = 1\n- 晚")
        plan(session, one, date(2026, 10, 13), date(2026, 10, 13), now)
        (gone, *_others) = session.exec(select(OptionSeats)).all()
        session.delete(gone)  # somebody lifted the limit there
        plan(session, one, *OCTOBER, now)
        rows = session.exec(select(OptionSeats)).all()
        assert len(rows) == len(all_of(session, one)) - 1
    assert {(each.question, each.option, each.capacity, each.taken) for each in rows} == {("q1", "o1", 1, 0)}


def test_the_clock_decides_when_a_zone_changes_its_offset(database: Database, now: datetime) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now, opens_days="7")
        span = (date(2026, 10, 20), date(2026, 10, 27))
        planning.plan(session, one, [OUTLETS[0]], *span, zone=berlin, country="DE", now=now)
        summer, winter = all_of(session, one)
    assert [each.starts_at.astimezone(berlin).strftime("%H:%M %z") for each in (summer, winter)] == [
        "09:30 +0200",
        "09:30 +0100",
    ]
    assert winter.opens_at.astimezone(berlin).strftime("%d %H:%M") == "20 00:00", (
        "across the change it is still midnight"
    )


def test_an_online_series_is_planned_once_and_not_per_outlet(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        one = tuesdays(session, now, **making.ONLINE)
        assert plan(session, one, *OCTOBER, now).made == 3
        assert {each.outlet_code for each in all_of(session, one)} == {""}


def _race(database: Database, now: datetime) -> tuple[int, int]:
    """Two plan the same month in the same moment; how many they say they made, and how many there are."""
    with database.transaction() as session:
        factories.tree(session, now)
        number = tuesdays(session, now).id
    barrier, made, faults = threading.Barrier(2), [], []

    def run() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                made.append(plan(session, session.get_one(EventSeries, number), *OCTOBER, now).made)
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    with database.reading() as session:
        there = len(session.exec(select(Occurrence.id)).all())
    return sum(made) + len(faults) * 1000, there


def test_two_who_plan_the_same_month_make_nothing_double(database: Database, now: datetime) -> None:
    assert _race(database, now) == (6, 6)


def test_planning_that_does_not_look_is_caught(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: who takes every outlet for a gap runs into the unique key, and nothing is double even then."""

    def blind(
        _session: Session, _series: EventSeries, _days: Sequence[date], _zone: ZoneInfo
    ) -> dict[date, set[str]]:
        return {}

    monkeypatch.setattr(planning, "_there", blind)
    said, there = _race(database, now)
    assert (said, there) == (1006, 6)
