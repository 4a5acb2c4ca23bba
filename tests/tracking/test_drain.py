"""The drain against the real store: what is confirmed is deleted, what is not stays, what is bad is set aside."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.writing import WritePath
from tracking.drain import Drain
from tracking.spool import DROPS, REJECTED, SEGMENT, TORN
from tracking.store import ReachStore


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


@pytest.fixture
def store(settings: Settings) -> Iterator[ReachStore]:
    store = ReachStore.open(settings)
    yield store
    store.close()


@pytest.fixture
def drain(path: WritePath, store: ReachStore) -> Drain:
    return Drain(path.spool, store, path.recorder.count_drop)


def stored(store: ReachStore) -> int:
    return int(store.query("SELECT count() FROM reach_event")[0][0])


def test_events_and_drops_arrive_as_they_were_written(
    path: WritePath, store: ReachStore, drain: Drain
) -> None:
    path.get()
    path.post(path.beacon("completed"))
    path.get(HTTP_USER_AGENT="curl/8.5.0")
    written = path.events()
    path.recorder.tick()
    assert drain.run_once() == 3
    rows = store.query(
        "SELECT id, kind, toString(visitor), piece, toString(day) FROM reach_event ORDER BY id"
    )
    keys = ("id", "kind", "visitor", "piece", "day")
    assert rows == sorted(tuple(event[key] for key in keys) for event in written)
    assert store.query("SELECT toString(day), reason, quantity FROM reach_drop") == [("2026-09-15", "bot", 1)]
    assert path.spool.sealed() == []
    assert drain.run_once() == 0


def test_replaying_every_segment_changes_nothing(path: WritePath, store: ReachStore, drain: Drain) -> None:
    for _ in range(3):
        path.get()
        path.get(HTTP_USER_AGENT="curl/8.5.0")
        path.recorder.tick()
        path.spool.close()
    path.recorder.deposit("push-1-1", [])
    segments = {file: file.read_bytes() for file in path.spool.sealed()}
    assert {file.name.split("-")[0] + "-" for file in segments} == {SEGMENT, DROPS}
    drain.run_once()
    for _ in range(2):
        for file, content in segments.items():
            file.write_bytes(content)
        drain.run_once()
    assert stored(store) == 3
    assert store.query("SELECT sum(quantity) FROM reach_drop") == [(3,)]


class Refusing:
    """A store that is down for some segments: nothing under these names is confirmed."""

    def __init__(self, store: ReachStore, *names: str) -> None:
        self.store = store
        self.names = names

    def ship(self, segment: str, lines: bytes | Path) -> None:
        if segment in self.names:
            raise ConnectionError("the store is down")
        self.store.ship(segment, lines)


def test_what_the_store_did_not_confirm_stays_and_holds_up_nothing(
    path: WritePath, store: ReachStore
) -> None:
    for _ in range(2):
        path.get()
        path.spool.close()
    first, _second = path.spool.sealed()
    down = Refusing(store, first.stem)
    with pytest.raises(ConnectionError):
        Drain(path.spool, down).run_once()
    assert path.spool.sealed() == [first]
    assert stored(store) == 1
    down.names = ()
    Drain(path.spool, down).run_once()
    assert path.spool.sealed() == []
    assert stored(store) == 2


def test_bad_lines_are_set_aside_and_the_good_ones_shipped(
    path: WritePath, store: ReachStore, drain: Drain
) -> None:
    for _ in range(3):
        path.get()
    path.spool.close()
    (segment,) = path.spool.sealed()
    lines = segment.read_bytes().splitlines(keepends=True)
    bad = [b"rubbish\n", lines[0].replace(b"visited", b"glanced"), b"\xff\xfe\n"]
    torn = lines[2][:40]
    segment.write_bytes(lines[0] + bad[0] + lines[1] + bad[1] + bad[2] + lines[2] + torn)
    assert drain.run_once() == 3
    assert stored(store) == 3
    aside = path.spool.folder / REJECTED / segment.name
    assert aside.read_bytes() == b"".join(bad) + torn + b"\n"
    assert path.drops() == {"rejected_line": 4}


def test_bad_lines_are_counted_once_however_often_the_segment_is_tried(
    path: WritePath, store: ReachStore
) -> None:
    path.get()
    path.spool.close()
    (segment,) = path.spool.sealed()
    with segment.open("ab") as file:
        file.write(b"rubbish\n")
    down = Refusing(store, segment.stem)
    for _ in range(3):
        with pytest.raises(ConnectionError):
            Drain(path.spool, down, path.recorder.count_drop).run_once()
    Drain(path.spool, store, path.recorder.count_drop).run_once()
    assert stored(store) == 1
    assert path.drops() == {"rejected_line": 1}


def test_torn_lines_of_dead_writers_are_counted(path: WritePath, store: ReachStore, drain: Drain) -> None:
    path.get()
    path.spool.close()
    (segment,) = path.spool.sealed()
    segment.rename(segment.with_suffix(".open"))
    with segment.with_suffix(".open").open("ab") as file:
        file.write(b"half")
    assert drain.run_once() == 1
    assert stored(store) == 1
    assert path.drops() == {"torn_line": 1}
    assert len(list((path.spool.folder / TORN).iterdir())) == 1


def test_a_deposit_is_counted_once_for_ever(path: WritePath, store: ReachStore, drain: Drain) -> None:
    """Also after it was shipped and deleted, and after the window of tokens has moved on."""
    path.get()
    path.spool.close()
    (segment,) = path.spool.sealed()
    content = segment.read_bytes()
    segment.unlink()
    path.spool.deposit("push-7-1", [content])
    drain.run_once()
    store.command("ALTER TABLE reach_event MODIFY SETTING non_replicated_deduplication_window = 1")
    path.get()
    drain.run_once()
    path.spool.close()
    drain.run_once()
    path.spool.deposit("push-7-1", [content])
    drain.run_once()
    assert stored(store) == 2


def test_two_drains_on_one_folder_ship_each_event_once(path: WritePath, store: ReachStore) -> None:
    seen: Counter[str] = Counter()

    class Overtaken:
        """Another drain ships and deletes the same segment while this one is about to."""

        def ship(self, segment: str, lines: bytes | Path) -> None:
            seen[segment] += 1
            Drain(path.spool, store).run_once()
            store.ship(segment, lines)

    path.get()
    path.spool.close()
    assert Drain(path.spool, Overtaken()).run_once() == 0, "the other shipped it"
    assert sum(seen.values()) == 1
    assert stored(store) == 1
