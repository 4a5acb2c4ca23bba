"""What every reach store promises, embedded, on a server or on a cluster; `test_contract` runs it on each."""

import threading
from datetime import date
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.rows import event, heads, ship
from tracking import intake, rollups, sketches
from tracking.definition import FIRST
from tracking.events import to_line
from tracking.store import ReachStore

LATER = date(2024, 2, 1)


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
    def asked(state: str) -> int:
        return store.remembered("how many", state, lambda: count(store))

    assert asked("then") == 0
    ship(store, "seg-remembered", [event("2023-03-01")])
    assert asked("then") == 0, "the caller says when to ask again"
    assert asked("now") == 1


def test_what_is_not_shipped_may_repeat(store: ReachStore) -> None:
    """A roll-up computed again is not a repetition; on replicated tables the engine would leave it out."""
    columns, rows = ("day", "rows"), [(date(2026, 9, 15), 3)]
    for _ in range(2):
        store.insert("reach_counted", columns, rows)
        store.command("INSERT INTO reach_counted SELECT toDate('2026-09-15'), toInt64(4)")
    assert store.query("SELECT sum(rows) FROM reach_counted") == [(14,)]


def test_parameters_reach_the_engine_as_they_are(store: ReachStore) -> None:
    given = {"text": "it's \\ 路标\t{x}", "day": date(2026, 9, 15), "number": -7, "many": ["a'b", "c"]}
    asked = "SELECT {text:String}, {day:Date}, {number:Int64}, {many:Array(String)}"
    assert store.query(asked, given) == [tuple(given.values())]
    assert store.query(f"SELECT '{'x' * 400_000}' = ''") == [(0,)], "a long question is taken"


def test_rows_are_taken_away_by_condition_by_month_and_all(store: ReachStore) -> None:
    days = ("2023-02-01", "2023-03-01", "2023-03-02", "2023-04-01")
    ship(store, "seg-1", [event(day) for day in days])

    def left() -> list[str]:
        return [str(day) for (day,) in store.query("SELECT day FROM reach_event ORDER BY day")]

    store.forget("reach_event", "day = '2023-03-02'")
    assert left() == ["2023-02-01", "2023-03-01", "2023-04-01"]
    store.drop_month("reach_event", 202303)
    store.drop_month("reach_event", 202312)
    assert left() == ["2023-02-01", "2023-04-01"]
    store.empty("reach_event")
    assert left() == []
    rollups.recount(store)
    assert not any(rollups.counted(store).values())


def test_a_late_event_opens_its_day_and_a_rebuild_gives_the_same(store: ReachStore) -> None:
    def closed() -> tuple[list[tuple[object, ...]], list[tuple[object, ...]]]:
        gross = store.query("SELECT day, outlet, sum(quantity) FROM reach_gross GROUP BY ALL ORDER BY ALL")
        unique = store.query("SELECT day, outlet, sum(quantity) FROM reach_unique GROUP BY ALL ORDER BY ALL")
        return gross, unique

    events = [event("2023-03-15", visitor=v, outlet=f"o{v % 3}") for v in (1, 1, 2, 3, 4)]
    ship(
        store, "seg-1", [*events, heads("2023-03-16", 40, outlet="o1"), heads("2023-03-16", -5, outlet="o1")]
    )
    assert rollups.close_days(store, LATER, FIRST) == 2
    assert sketches.close(store, LATER, FIRST) > 0
    assert rollups.close_days(store, LATER, FIRST) == 0
    ship(store, "seg-2", [event("2023-03-15", visitor=9, outlet="o9")])
    assert rollups.close_days(store, LATER, FIRST) == 1
    found = closed()
    assert sum(int(str(row[2])) for row in found[0]) == 5 + 35 + 1
    assert sum(int(str(row[2])) for row in found[1]) == 4 + 35 + 1
    assert store.query("SELECT countIf(rows >= 0), count() FROM reach_closed FINAL") == [(2, 2)]
    assert rollups.rebuild(store, LATER, FIRST) == 2
    assert closed() == found
    store.empty("reach_gross")
    assert closed()[0] == [], "the control: the roll-up is what is read"


@pytest.mark.parametrize("first", ["file", "bytes"])
def test_a_segment_is_kept_once_whether_it_comes_as_a_file_or_as_bytes(
    store: ReachStore, tmp_path: Path, first: str
) -> None:
    """The engine reads a file itself, and in another way; the token is the same, also for the view behind."""
    many = [event("2026-09-15", visitor=2**64 - 1 - number, campaign="金") for number in range(2000)]
    many += [
        event("2026-10-01", visitor=number) for number in range(2000)
    ]  # another month: another partition
    content = b"".join(map(to_line, many))
    path = tmp_path / "seg-7.tsv"
    path.write_bytes(content)
    assert intake.statement(path), "or nothing is tried here"
    for lines in (path, content, path) if first == "file" else (content, path, content):
        store.ship("seg-7", lines)
        assert count(store) == 4000
        assert store.query("SELECT sum(rows) FROM reach_counted") == [(4000,)]
    store.ship("seg-8", content)
    store.ship("seg-9", path)
    distinct = store.query("SELECT count() FROM (SELECT DISTINCT * FROM reach_event)")
    assert distinct == [(4000,)], "read either way it is the same rows"


def test_a_path_that_means_something_to_the_engine_is_read_here(store: ReachStore, tmp_path: Path) -> None:
    folder = tmp_path / "a{b,c}*'d"
    folder.mkdir()
    path = folder / "seg-1.tsv"
    path.write_bytes(to_line(event("2026-09-15")))
    assert intake.statement(path) is None
    store.ship("seg-1", path)
    assert count(store) == 1


def test_a_file_that_is_gone_is_an_error_and_no_empty_segment(store: ReachStore, tmp_path: Path) -> None:
    path = tmp_path / "seg-1.tsv"
    with pytest.raises(Exception, match="seg-1"):
        store.ship("seg-1", path)
    path.write_bytes(to_line(event("2026-09-15")))
    store.ship("seg-1", path)
    assert count(store) == 1, "the name was not used up"
