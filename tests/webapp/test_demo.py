"""The demo institution: real places, a fixed invention, loaded and cleared without touching anything else."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

import pytest
from sqlmodel import select

from campaign.events.models import EventSeries, Occurrence
from core import clock
from core.database import Database
from core.errors import Conflict
from core.settings import Settings
from institution import outlets
from tests import factories
from tracking.demo_plan import TOTALS
from tracking.store import ReachStore, StoreBusy
from webapp import demo, demo_events, demo_tree
from webapp.runtime import Runtime, build

SCALE = 100_000


@pytest.fixture(scope="module")
def planned() -> list[demo_tree.Planned]:
    return demo_tree.tree()


@pytest.fixture
def runtime(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Runtime]:
    """Objects of this test; the tree is small so that the reach of two years is soon made."""
    small = demo_tree.tree(340)
    monkeypatch.setattr(demo_tree, "tree", lambda: small)
    runtime = build(settings)
    yield runtime
    runtime.close()


def test_the_geography_is_that_of_the_mainland() -> None:
    places = demo_tree.places()
    provinces = [place for place in places if place.code.endswith("0000")]
    assert len(provinces) == 31 and len(places) - 31 + 4 == 337
    assert len({place.code for place in places}) == len(places)
    for place in places:
        assert not place.counties or (73 < place.longitude < 136 and 16 < place.latitude < 54)
        assert place.code[:2] + "0000" in {province.code for province in provinces}


def test_the_tree_is_whole_and_always_the_same(planned: list[demo_tree.Planned]) -> None:
    kinds = Counter(each.values["kind"] for each in planned)
    assert kinds == {"head_office": 1, "province": 31, "city": 333, "county": 86, "outlet": 2500}
    codes = {each.values["code"]: each.values["kind"] for each in planned}
    assert len(codes) == len(planned) == len({each.values["name"] for each in planned})
    for each in planned[1:]:
        assert outlets.LEVELS[codes[each.values["parent_code"]]] < outlets.LEVELS[each.values["kind"]]
    assert [each.values for each in planned] == [each.values for each in demo_tree.tree()]


def test_nothing_invented_can_belong_to_somebody(planned: list[demo_tree.Planned]) -> None:
    numbers = [each.values["plaque_number"] for each in planned if each.values["kind"] == "outlet"]
    assert len(set(numbers)) == 2500
    assert all(each.values["phone"].startswith("000-") for each in planned if each.values["kind"] == "outlet")


def test_something_happened_in_both_years(planned: list[demo_tree.Planned]) -> None:
    opened = [p for p in planned if p.values["open_on"] and p.values["open_on"].year in (2022, 2023)]
    closed = [p for p in planned if p.values["closed_on"]]
    renamed = [p for p in planned if len({step.name for step in p.steps}) > 1]
    moved = [p for p in planned if len({step.parent_code for step in p.steps}) > 1]
    assert min(len(opened), len(closed), len(renamed)) > 20 and len(moved) > 5
    for each in planned:
        last = each.steps[-1]
        assert (last.name, last.parent_code) == (each.values["name"], each.values["parent_code"])
        assert last.closed == bool(each.values["closed_on"])


def test_loading_makes_both_years_exactly_and_clearing_takes_away_that_and_nothing_else(
    runtime: Runtime, now: datetime
) -> None:
    totals = demo.load(runtime, SCALE)
    assert totals == {year: round(total / SCALE) for year, total in TOTALS.items()}
    store, database = runtime.service(ReachStore), runtime.service(Database)
    own = "SELECT sum(quantity) FROM reach_event WHERE kind IN ('delivered', 'visited', 'attended')"
    assert store.query(own) == [(sum(totals.values()),)]
    with database.transaction() as session:
        assert len(outlets.provinces(session)) == 31
        assert all(each.demo for each in outlets.everything(session))
        factories.outlet(session, "REAL-1", "自己的柜面", "outlet", "330100", now=now)
        tuesdays = session.exec(select(Occurrence).where(Occurrence.outlet_code != "")).all()
        assert len(tuesdays) > 340 * 6 and all(one.demo and one.topic for one in tuesdays)
        again = demo_events.plant(session, runtime.service(Settings).zone, "CN", clock.now())
    assert again == 0, "planted again, nothing is made"
    assert not demo.is_wanted(runtime)
    with pytest.raises(Conflict, match="REAL-1"):
        demo.clear(runtime)
    assert store.query(own) == [(sum(totals.values()),)]
    with database.transaction() as session:
        outlets.get(session, "REAL-1").parent_code = None
    assert demo.clear(runtime) == 340 + 1 + 31 + 333 + 86
    assert store.query("SELECT count() FROM reach_event") == [(0,)]
    with database.reading() as session:
        assert [each.code for each in outlets.everything(session)] == ["REAL-1"]
        assert [span.code for span in outlets.spans(session)] == ["REAL-1"]
        assert session.exec(select(EventSeries.id)).all() == []
        assert session.exec(select(Occurrence.id)).all() == []


def test_the_demo_is_not_mixed_into_a_real_tree(runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        factories.tree(session, now)
    with pytest.raises(Conflict, match="空的树"):
        demo.load(runtime, SCALE)
    assert not demo.is_wanted(runtime)


def test_a_running_server_is_told_of_and_nothing_is_half_loaded(runtime: Runtime, settings: Settings) -> None:
    held = ReachStore.open(settings)
    try:
        with pytest.raises(StoreBusy):
            demo.load(runtime, SCALE)
    finally:
        held.close()
    with runtime.service(Database).reading() as session:
        assert outlets.root(session) is None
