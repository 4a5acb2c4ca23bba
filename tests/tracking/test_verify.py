"""What is whole passes; every kind of damage is found, and its first place named."""

from datetime import date
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.rows import event, heads, ship
from tracking import rollups, sketches, verify
from tracking.definition import FIRST
from tracking.dimensions import Tree
from tracking.events import to_line
from tracking.spool import Spool
from tracking.store import ReachStore

LATER = date(2023, 6, 1)


@pytest.fixture
def closed(store: ReachStore) -> ReachStore:
    """Two months of events, closed, and one day that is open."""
    days = ("2023-03-15", "2023-03-16", "2023-04-02")
    events = [event(day, visitor=v, outlet=f"{v}", piece="p") for day in days for v in (1, 2, 3)]
    ship(store, "seg-1", [*events, heads("2023-04-02", 40, outlet="1", channel="outlet", place="village")])
    rollups.close_days(store, LATER)
    sketches.close(store, LATER)
    ship(store, "seg-2", [event("2023-06-01", visitor=7)])
    return store


def checks(store: ReachStore, folder: Path = Path("none"), last: date | None = None) -> dict[str, str]:
    found = verify.verify(store, Tree({}), FIRST, folder, last=last)
    assert all(one.looked_at for one in found if one.name != verify.SPOOL)
    return {one.name: one.difference for one in found if one.difference}


def test_what_is_whole_passes(closed: ReachStore) -> None:
    assert checks(closed) == {}


@pytest.mark.parametrize(
    ("damage", "name", "place"),
    [
        ("INSERT INTO reach_counted VALUES ('2023-03-16', 2)", verify.COUNTS, "2023-03-16：原始 3，另一处 5"),
        ("INSERT INTO reach_event SELECT * FROM reach_event WHERE day = '2023-03-15' LIMIT 1", verify.IDS, "有 2 行"),
        ("ALTER TABLE reach_gross UPDATE quantity = 9 WHERE outlet = '2' AND day = '2023-04-02'", verify.GROSS,
         "day=2023-04-02，outlet=2"),
        ("ALTER TABLE reach_gross DELETE WHERE place = 'village'", verify.GROSS, "place=village：原始 40，另一处 0"),
        ("ALTER TABLE reach_unique UPDATE quantity = 2 WHERE outlet = '3' AND day = '2023-03-15'", verify.UNIQUE,
         "outlet=3"),
        ("ALTER TABLE reach_people UPDATE number = 8 WHERE dimension = 'outlet' AND key = '1' AND months = 1",
         verify.PEOPLE, "2023-03-01 +1 outlet=1：原始 1，另一处 8"),
        ("ALTER TABLE reach_monthly UPDATE quantity = 70 WHERE outlet = '1' AND kind = 'visited'", verify.SUMS,
         "outlet (74, 6)"),
        ("ALTER TABLE reach_daily DELETE WHERE outlets = 0 AND kind = ''", verify.SUMS, "day (6, 0)"),
    ],
)  # fmt: skip
def test_each_damage_is_found_and_its_first_place_named(
    closed: ReachStore, damage: str, name: str, place: str
) -> None:
    closed.command(damage, mutations_sync=2, insert_deduplicate=0)
    assert place in checks(closed)[name]


def test_only_the_months_asked_for_are_looked_at(closed: ReachStore) -> None:
    closed.command("INSERT INTO reach_counted VALUES ('2023-04-02', 2)")
    assert checks(closed, last=date(2023, 3, 31)) == {}
    assert verify.COUNTS in checks(closed)


def test_a_segment_that_is_half_in_the_store_is_found(closed: ReachStore, settings: Settings) -> None:
    spool = Spool(settings.spool_dir)
    events = [event("2023-06-02", visitor=1), event("2023-06-02", visitor=2)]
    spool.append(b"".join(map(to_line, events)))
    spool.close()
    assert checks(closed, settings.spool_dir) == {}, "it waits"
    ship(closed, "seg-9", events[:1])
    assert "原始 2，另一处 1" in checks(closed, settings.spool_dir)[verify.SPOOL]
    ship(closed, "seg-10", events[1:])
    assert checks(closed, settings.spool_dir) == {}, "shipped, and not deleted yet"
