"""A store of an older version is brought up without losing a row; a newer one is left alone."""

import pytest

from core.settings import Settings
from tests.tracking.rows import event, ship
from tracking import schema
from tracking.store import ReachStore


def first_shape(store: ReachStore) -> None:
    """Make the store what the first version made: no schema table, other roll-ups, fewer columns."""
    layout = store.layout
    columns = (("day", "Date"), ("outlet", "LowCardinality(String)"), ("quantity", "Int64"))
    gross = schema.Table("reach_gross", columns, order="day", shard="cityHash64(day)")
    names = ("reach_schema", "reach_claim", "reach_gross")
    fewer = "DROP COLUMN IF EXISTS audience, DROP COLUMN IF EXISTS place"
    for statement in (
        *(one for name in names for one in layout.drop(name)),
        *layout.create(gross),
        *(f"ALTER TABLE {name}{layout.everywhere} {fewer}" for name in layout.names("reach_event")),
    ):
        store.command(statement)


def test_a_store_of_the_first_shape_keeps_its_rows_and_takes_new_ones(settings: Settings) -> None:
    store = ReachStore.open(settings)
    ship(store, "seg-1", [event("2026-09-15", id="old")])
    first_shape(store)
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
