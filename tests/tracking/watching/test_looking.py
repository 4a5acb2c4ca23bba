"""Every series of a day judged: outlets, channels, both; what has one cause stands under it."""

from datetime import date, datetime, timedelta

import pytest

from core.database import Database
from core.settings import Settings
from institution.models import Outlet
from tests import factories
from tests.factories import OUTLET_A, OUTLET_B, OUTSIDE_OUTLET
from tests.tracking.rows import event, heads, ship
from tests.tracking.watching.days import DAY, visit, weeks
from tracking import closing
from tracking.periods import Period
from tracking.store import ReachStore
from tracking.watching import looking, series
from tracking.watching.looking import Look
from tracking.watching.rules import DROP, SILENCE, SPIKE, Odd
from tracking.watching.series import ALL, CHANNEL, OUTLET, PAIR, Subject

BROKEN = {DAY: 0}
OUTLETS = (OUTLET_A, OUTLET_B, OUTSIDE_OUTLET)


@pytest.fixture(autouse=True)
def tree(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)


def look(store: ReachStore, database: Database, settings: Settings, day: date = DAY) -> Look:
    with database.reading() as session:
        return looking.look(store, session, settings, day)


def found(seen: Look) -> dict[Subject, tuple[Odd, Subject | None]]:
    return {one.subject: (one.odd, one.under) for one in seen.findings}


def test_a_broken_code_is_one_alarm_at_its_outlet(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, but=BROKEN))
    visit(store, OUTLET_A, "web", weeks(9, [40] * 7))
    visit(store, OUTLET_B, "outlet", weeks(9, [40] * 7))
    seen = look(store, database, settings)
    assert found(seen) == {Subject(PAIR, OUTLET_A, "outlet"): (Odd(SILENCE, DAY, 40, 0), None)}
    assert seen.visits[Subject(OUTLET, OUTLET_A)] == 40


def test_what_has_one_cause_stands_under_it(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    """A channel that fails everywhere takes along its outlets; each outlet's channel is told under the outlet."""
    for outlet in OUTLETS:
        visit(store, outlet, "outlet", weeks(9, [400] * 7, but={DAY: 2}))
    visit(store, "", "web", weeks(9, [5_000] * 7))
    seen = found(look(store, database, settings))
    channel = Subject(CHANNEL, channel="outlet")
    assert seen.pop(channel) == (Odd(DROP, DAY, 1_200, 6), None)
    for outlet in OUTLETS:
        assert seen.pop(Subject(OUTLET, outlet)) == (Odd(DROP, DAY, 400, 2), channel)
        assert seen.pop(Subject(PAIR, outlet, "outlet"))[1] == Subject(OUTLET, outlet)
    assert seen == {}


def test_when_all_stops_all_stands_under_it(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    for outlet in OUTLETS:
        visit(store, outlet, "outlet", weeks(9, [40] * 7, but=BROKEN))
        visit(store, outlet, "web", weeks(9, [40] * 7, but=BROKEN))
    seen = look(store, database, settings).findings
    assert seen[0].subject == Subject(ALL) and seen[0].under is None and seen[0].odd.expected == 240
    assert all(one.under is not None for one in seen[1:]) and len(seen) == 1 + 2 + 3 + 6


def test_two_ways_do_not_explain_each_other(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    visit(store, OUTLET_A, "outlet", weeks(9, [400] * 7, but=BROKEN))
    visit(store, OUTLET_A, "web", weeks(9, [40] * 7, but={DAY: 9_000}))
    seen = found(look(store, database, settings))
    assert seen[Subject(PAIR, OUTLET_A, "outlet")] == (Odd(SILENCE, DAY, 400, 0), None)
    assert seen[Subject(OUTLET, OUTLET_A)][0].kind == SPIKE
    assert all(one.kind == SPIKE for subject, (one, _under) in seen.items() if subject.channel != "outlet")


def test_neither_what_is_sent_nor_whom_we_count_rings(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    visit(store, OUTLET_A, "web", weeks(9, [40] * 7))
    ship(store, "seg-sent", [event(str(DAY), "delivered", quantity=100_000, visitor=0), heads(str(DAY), 500)])
    assert look(store, database, settings).findings == ()


def test_a_closed_outlet_is_not_missed(store: ReachStore, database: Database, settings: Settings) -> None:
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, but=BROKEN))
    visit(store, "", "web", weeks(9, [5_000] * 7))
    assert look(store, database, settings).findings != ()
    with database.transaction() as session:
        row = session.get_one(Outlet, OUTLET_A)
        row.closed_on = DAY
        session.add(row)
    assert look(store, database, settings).findings == ()


def test_a_holiday_of_the_country_is_no_silence(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    """1 October in China; without a country every day is one like another."""
    holiday = date(2026, 10, 1)
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, until=holiday, but={holiday: 0}))
    assert look(store, database, settings, holiday).findings == ()
    elsewhere = settings.model_copy(update={"holidays": ""})
    assert look(store, database, elsewhere, holiday).findings != ()


def test_closed_days_open_days_and_corrections_say_the_same(
    store: ReachStore, database: Database, settings: Settings
) -> None:
    visit(store, OUTLET_A, "outlet", weeks(9, [40] * 7, but=BROKEN))
    visit(store, OUTLET_B, "outlet", weeks(9, [10] * 7, but={DAY: 900}))
    before = look(store, database, settings)
    closing.close_past(store, database, DAY)  # every day but the last
    assert look(store, database, settings) == before
    closing.close_past(store, database, DAY + timedelta(days=1))
    assert look(store, database, settings) == before
    taken_back = event(str(DAY), outlet=OUTLET_B, channel="outlet", quantity=-900, visitor=0, source="import")
    ship(store, "seg-correction", [taken_back])
    assert {one.odd.kind for one in look(store, database, settings).findings} == {SILENCE}


def test_one_subject_can_be_read_alone(store: ReachStore, database: Database, settings: Settings) -> None:
    for outlet in OUTLETS:
        for channel in ("outlet", "web"):
            visit(store, outlet, channel, weeks(2, [7] * 7))
    period = Period(DAY - timedelta(days=20), DAY)
    with database.reading() as session:
        everything = series.read(store, session, period)
        for subject, counts in everything.items():
            assert series.read(store, session, period, subject)[subject] == counts
    assert len(everything) == 1 + 2 + 3 + 6
