"""The demo's two years: exact at every scale, believable, and gone without a trace."""

from datetime import date
from itertools import pairwise

import pytest

from tests.tracking.rows import event, ship
from tracking import demo, measure, rollups, snapshot
from tracking.definition import FIRST
from tracking.demo_plan import CAMPAIGNS, TOTALS, DemoOutlet, Year, shared
from tracking.dimensions import Tree
from tracking.measure import Measured
from tracking.periods import named
from tracking.question import Question
from tracking.store import ReachStore

OUTLETS = [
    DemoOutlet(f"{11 + number % 3}{number:06d}", 1 + number % 5, date(2023, 6, 1) if number == 7 else None)
    for number in range(60)
]


def year(store: ReachStore, number: int, by: str = "outlet") -> Measured:
    return measure.measure(
        store, Tree({}), Question((by,)), named(str(number)), FIRST, snapshot=snapshot.take(store, FIRST)
    )


@pytest.mark.parametrize("scale", [1, 3, 7, 10, 100, 1000, 99_991])
def test_the_plan_adds_up_at_every_scale(scale: int) -> None:
    for number, whole in TOTALS.items():
        planned = Year.at(number, scale)
        assert abs(planned.total * scale - whole) <= scale / 2, "rounded to the nearest person-time"
        months = list(planned.months(CAMPAIGNS))
        assert sum(month.visits for month in months) == planned.visits
        assert sum(month.offline for month in months) == planned.total - planned.online
        assert months[0].first == 0
        assert all(a.first + a.visits == b.first for a, b in pairwise(months))


def test_cumulative_rounding_loses_nothing() -> None:
    assert sum(shared(1000, [0.1] * 7)) == 1000
    assert shared(3, [1, 1, 1]) == [1, 1, 1]
    assert shared(0, [1, 2]) == [0, 0]


@pytest.mark.parametrize("scale", [2000, 3333])
def test_totals_are_exact_and_the_ratios_believable(store: ReachStore, scale: int) -> None:
    assert demo.load(store, OUTLETS, ["p", "q"], scale=scale) == {
        2022: Year.at(2022, scale).total,
        2023: Year.at(2023, scale).total,
    }
    before, now = year(store, 2022).total, year(store, 2023).total
    assert (before.gross, now.gross) == (Year.at(2022, scale).total, Year.at(2023, scale).total)
    assert now.gross / before.gross == pytest.approx(1.65, abs=0.001)
    assert now.deduplicated is not None and now.people is not None
    assert 0.77 < now.deduplicated / now.gross < 0.83
    assert 0.18 < now.people / now.gross < 0.25
    raw = store.query(
        "SELECT sum(quantity) FROM reach_event WHERE kind IN ('delivered', 'visited', 'attended')"
    )
    assert raw == [(before.gross + now.gross,)]


def test_two_years_have_seasons_channels_and_openings(store: ReachStore) -> None:
    demo.load(store, OUTLETS, ["p", "q"], scale=2000)
    months = {key: figures.gross for (key,), figures in year(store, 2023, "month").rows.items()}
    assert sorted(months, key=lambda key: months[key])[-2:] == ["2023-03", "2023-09"]
    channels = {key: figures for (key,), figures in year(store, 2023, "channel").rows.items()}
    assert max(channels, key=lambda key: channels[key].gross) == "wechat"
    assert {"outlet", "community", "livestream", "screen"} <= set(channels)
    assert ("demo-september",) in year(store, 2023, "campaign").rows
    late = store.query(f"SELECT min(day) FROM reach_event WHERE outlet = '{OUTLETS[7].code}'")
    assert late[0][0] >= date(2023, 6, 1)
    assert not rollups.open_days(store, date(2022, 1, 1), date(2023, 12, 31), FIRST), "all days are closed"


def test_clear_takes_the_demo_away_and_nothing_else(store: ReachStore) -> None:
    own = [event("2023-03-15", outlet="x", visitor=5, batch="seg-9"), event("2026-09-15", visitor=6)]
    ship(store, "seg-9", own)
    demo.load(store, OUTLETS, scale=5000)
    assert year(store, 2023).total.gross > 50_000
    demo.clear(store)
    assert {row[0] for row in store.query("SELECT id FROM reach_event")} == {one.id for one in own}
    assert year(store, 2023).total.gross == 1
    assert store.query("SELECT sum(rows) FROM reach_counted") == [(2,)]
    assert rollups.close_days(store, date(2027, 1, 1)) == 2
    assert year(store, 2023).total.gross == 1


def test_loading_again_replaces(store: ReachStore) -> None:
    for _ in range(2):
        demo.load(store, OUTLETS, scale=5000)
        assert year(store, 2023).total.gross == Year.at(2023, 5000).total
