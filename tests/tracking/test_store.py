"""The embedded store: one process holds the folder. What every store promises is in `contract`."""

import sys
from datetime import date

import pytest

from core.settings import Settings
from tests import forked
from tests.tracking.rows import event, ship
from tracking.store import ReachStore, StoreBusy


def test_another_process_is_told_that_the_store_is_busy(store: ReachStore, settings: Settings) -> None:
    if settings.reach_url:
        pytest.skip("a server has no folder to hold")
    script = (
        "import sys; from core.settings import Settings; from tracking.store import ReachStore, StoreBusy\n"
        "try: ReachStore.open(Settings(_env_file=None, home=sys.argv[1], secret_key='x'))\n"
        "except StoreBusy: print('busy')"
    )
    command = [sys.executable, "-c", script, str(settings.home)]
    busy = forked.run(command, capture_output=True, text=True, check=True)
    assert busy.stdout == "busy\n"
    with pytest.raises(StoreBusy):
        ReachStore.open(settings)


def test_closing_lets_go_of_the_folder(settings: Settings) -> None:
    ReachStore.open(settings).close()
    ReachStore.open(settings).close()


def test_what_is_known_is_kept_until_its_table_is_written(store: ReachStore, settings: Settings) -> None:
    """Of roll-ups after events were shipped, of counts not: a view feeds them. What names no table counts for all."""
    if settings.reach_url:
        pytest.skip("a server is written by others as well, and asked every time")
    asked = {"reach_event": 0, "reach_counted": 0, "reach_closed": 0}

    def look() -> dict[str, int]:
        for table in asked:

            def ask(table: str = table) -> int:
                asked[table] += 1
                return int(store.query(f"SELECT count() FROM {table}")[0][0])

            assert store.unwritten(table, ask, table) == store.query(f"SELECT count() FROM {table}")[0][0]
        return dict(asked)

    assert look() == look() == {"reach_event": 1, "reach_counted": 1, "reach_closed": 1}
    ship(store, "seg-known", [event("2023-03-01")])
    assert look() == {"reach_event": 2, "reach_counted": 2, "reach_closed": 1}
    store.insert("reach_closed", ("day", "version", "rows", "definition"), [(date(2023, 3, 1), 1, 1, "x")])
    assert look() == {"reach_event": 2, "reach_counted": 2, "reach_closed": 2}
    store.forget("reach_closed", "1")
    store.command("INSERT INTO reach_counted SELECT toDate('2023-03-02'), 1")
    assert look() == {"reach_event": 2, "reach_counted": 3, "reach_closed": 3}
    store.command("SYSTEM DROP MARK CACHE")
    assert look() == {"reach_event": 3, "reach_counted": 4, "reach_closed": 4}
