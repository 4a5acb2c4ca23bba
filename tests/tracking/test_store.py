"""The store: shipping is idempotent, one process holds the folder, threads may share it."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.rows import event, ship
from tracking.events import to_line
from tracking.store import ReachStore, StoreBusy

ROOT = Path(__file__).resolve().parent.parent.parent


def count(store: ReachStore, table: str = "reach_event") -> int:
    return int(store.query(f"SELECT count() FROM {table}")[0][0])


def test_a_segment_is_kept_once_with_all_its_columns(store: ReachStore) -> None:
    one = event(
        "2026-09-15", campaign="c", piece="p", outlet="11010501", channel="wechat", batch="seg-1",
        visitor=2**64 - 1, audience="elders", place="village",
    )  # fmt: skip
    for _ in range(3):
        ship(store, "seg-1", [one])
    rows = store.query("SELECT * FROM reach_event")
    assert len(rows) == 1
    assert rows[0][0] == one.id
    assert rows[0][2:] == (
        one.day, "visited", 1, 2**64 - 1, "c", "p", "11010501", "wechat", "web", "seg-1", "elders",
        "village",
    )  # fmt: skip
    assert store.query("SELECT sum(rows) FROM reach_counted") == [(1,)]


def test_equal_lines_in_two_segments_are_two_events(store: ReachStore) -> None:
    one = event("2026-09-15")
    ship(store, "seg-1", [one])
    ship(store, "seg-2", [one])
    assert count(store) == 2


def test_what_was_shipped_before_a_restart_is_not_doubled_after_it(settings: Settings) -> None:
    for _ in range(2):
        store = ReachStore.open(settings)
        ship(store, "seg-1", [event("2026-09-15", id="same")])
        assert count(store) == 1
        assert store.query("SELECT sum(rows) FROM reach_counted") == [(1,)]
        store.close()


def test_a_deposit_is_known_for_ever_and_a_segment_only_as_long_as_the_window(store: ReachStore) -> None:
    deposit, segment = [event("2026-09-15", id="d")], [event("2026-09-15", id="s")]
    ship(store, "push-7-1", deposit)
    ship(store, "seg-0", segment)
    for number in range(1, 6):
        ship(store, f"seg-{number}", [event("2026-09-15")])
    store.command("ALTER TABLE reach_event MODIFY SETTING non_replicated_deduplication_window = 1")
    ship(store, "seg-6", [event("2026-09-15")])
    before = count(store)
    ship(store, "push-7-1", deposit)
    assert count(store) == before
    ship(store, "seg-0", segment)
    assert count(store) == before + 1, "the control: outside the window the engine alone would double it"


def test_dropped_counts_go_to_their_own_table_once(store: ReachStore) -> None:
    for _ in range(2):
        store.ship("drops-1", b"2026-09-15\tbot\t412\trun-1\n")
    assert store.query("SELECT reason, sum(quantity) FROM reach_drop GROUP BY reason") == [("bot", 412)]
    assert count(store) == 0


def test_another_process_is_told_that_the_store_is_busy(store: ReachStore, settings: Settings) -> None:
    if settings.reach_url:
        pytest.skip("a server has no folder to hold")
    script = (
        "import sys; from core.settings import Settings; from tracking.store import ReachStore, StoreBusy\n"
        "try: ReachStore.open(Settings(_env_file=None, home=sys.argv[1], secret_key='x'))\n"
        "except StoreBusy: print('busy')"
    )
    command = [sys.executable, "-c", script, str(settings.home)]
    busy = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert busy.stdout == "busy\n"
    with pytest.raises(StoreBusy):
        ReachStore.open(settings)


def test_closing_lets_go_of_the_folder(settings: Settings) -> None:
    ReachStore.open(settings).close()
    ReachStore.open(settings).close()


def test_many_threads_ask_while_one_ships(store: ReachStore) -> None:
    """A race: readers must see whole answers, and every segment must arrive once."""
    wrong: list[object] = []
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                rows = store.query(
                    "SELECT count(), sum(quantity) FROM reach_event WHERE quantity >= {n:Int32}", {"n": 1}
                )
                if len(rows) != 1 or rows[0][0] != rows[0][1]:
                    wrong.append(rows)
            except Exception as error:
                wrong.append(error)

    readers = [threading.Thread(target=ask) for _ in range(4)]
    for reader in readers:
        reader.start()
    for number in range(40):
        store.ship(f"seg-{number}", b"".join(to_line(event("2026-09-15", visitor=v)) for v in range(1, 51)))
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert count(store) == 2000


def test_an_answer_is_remembered_while_its_state_is_the_same(store: ReachStore) -> None:
    asked = "SELECT count() FROM reach_event"
    assert store.remembered(asked, "then") == [(0,)]
    ship(store, "seg-remembered", [event("2023-03-01")])
    assert store.remembered(asked, "then") == [(0,)], "the caller says when to ask again"
    assert store.remembered(asked, "now") == [(1,)]
