"""A store of an older version is brought up without losing a row; a newer one is left alone."""

import pytest

from core.settings import Settings
from tests.tracking.rows import event, ship
from tracking import schema
from tracking.store import ReachStore

_FIRST_SHAPE = (
    "DROP TABLE reach_schema SYNC",
    "DROP TABLE reach_gross SYNC",
    """CREATE TABLE reach_gross (day Date, outlet LowCardinality(String), quantity Int64)
    ENGINE = MergeTree ORDER BY day""",
    "ALTER TABLE reach_event DROP COLUMN audience, DROP COLUMN place",
)


def test_a_store_of_the_first_shape_keeps_its_rows_and_takes_new_ones(settings: Settings) -> None:
    store = ReachStore.open(settings)
    ship(store, "seg-1", [event("2026-09-15", id="old")])
    for statement in _FIRST_SHAPE:
        store.command(statement)
    store.close()
    for _again in range(2):
        store = ReachStore.open(settings)
        ship(store, "seg-2", [event("2026-09-16", id="new", audience="elders", place="village")])
        rows = store.query("SELECT id, audience, place FROM reach_event ORDER BY day")
        assert rows == [("old", "", ""), ("new", "elders", "village")]
        assert store.query("SELECT version FROM reach_schema ORDER BY version") == [(1,), (2,)]
        assert store.query("SELECT count() FROM reach_gross WHERE place = ''") == [(0,)]
        store.close()


def test_a_store_of_a_newer_version_is_refused(settings: Settings) -> None:
    store = ReachStore.open(settings)
    store.command(f"INSERT INTO reach_schema SELECT {schema.VERSION + 1}, now()")
    store.close()
    with pytest.raises(RuntimeError, match=f"version {schema.VERSION + 1}"):
        ReachStore.open(settings)
