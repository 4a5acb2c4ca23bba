"""With `spool_sync` a line is kept only when the disk confirmed it, and those who wait share one fsync."""

import os
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.writing import WritePath
from tracking.group_sync import GroupSync, NotSynced
from tracking.spool import Spool, SpoolError


class Disk:
    """The real fsync, seen and slowed down: when each call on a file began and ended."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._real = os.fsync
        self.seconds = seconds
        self.calls: list[tuple[float, float]] = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.refuses = False

    def fsync(self, file: int) -> None:
        began = time.monotonic()
        assert self.may_go.wait(10)
        time.sleep(self.seconds)
        if self.refuses:
            raise OSError(5, "Input/output error")
        self._real(file)
        self.calls.append((began, time.monotonic()))


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(os, "fsync", disk.fsync)
    return disk


def beside(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_a_line_is_answered_only_after_the_disk_confirmed_it(tmp_path: Path, disk: Disk) -> None:
    spool = Spool(tmp_path / "spool", 60, sync=True)
    spool.append(b"one\n")
    disk.may_go.clear()
    waiting = beside(lambda: spool.append(b"two\n"))
    while b"two" not in next(spool.folder.glob("*.open")).read_bytes():
        time.sleep(0.001)
    waiting.join(0.1)
    assert waiting.is_alive(), "it is written, and not yet confirmed"
    disk.may_go.set()
    waiting.join(5)
    assert not waiting.is_alive()


def test_without_the_setting_nobody_waits_for_the_disk(tmp_path: Path, disk: Disk) -> None:
    spool = Spool(tmp_path / "spool", 60)
    disk.may_go.clear()
    spool.append(b"one\n")
    assert disk.calls == []
    disk.may_go.set()


def test_every_answer_is_covered_by_a_call_that_began_after_its_write_and_calls_are_shared(
    tmp_path: Path, disk: Disk
) -> None:
    disk.seconds = 0.003
    spool = Spool(tmp_path / "spool", 0.02, 4000, sync=True)  # segments end while lines are waiting
    answered: list[tuple[float, float]] = []
    start = threading.Barrier(17)

    def write(who: int) -> None:
        start.wait(10)
        for number in range(20):
            began = time.monotonic()
            spool.append(b"%02d %04d %s\n" % (who, number, b"x" * 40))
            answered.append((began, time.monotonic()))

    writers = [beside(partial(write, who)) for who in range(16)]
    start.wait(10)
    while any(writer.is_alive() for writer in writers):
        spool.seal_if_due()
        time.sleep(0.002)
    for writer in writers:
        writer.join()
    spool.close()
    assert len(answered) == 320
    bare = [
        (began, ended)
        for began, ended in answered
        if not any(began <= call[0] and call[1] <= ended for call in disk.calls)
    ]
    assert not bare, f"{len(bare)} answers without a call of their own time"
    assert len(disk.calls) < len(answered) / 2, "many share one"
    kept = b"".join(path.read_bytes() for path in spool.sealed()).splitlines()
    assert len(set(kept)) == len(kept) == 320


def test_a_joined_call_that_had_begun_before_does_not_count(tmp_path: Path, disk: Disk) -> None:
    """Who writes while the disk is busy waits for the next call, not for the one under way."""
    with (tmp_path / "file").open("wb") as file:
        group = GroupSync(file.fileno())
        disk.may_go.clear()
        first = beside(lambda: group.wait(10))
        time.sleep(0.05)
        second = beside(lambda: group.wait(20))
        disk.seconds = 0.05
        disk.may_go.set()
        first.join(5)
        second.join(5)
        assert len(disk.calls) == 2


def test_what_the_disk_refused_is_refused_and_the_next_segment_is_tried(tmp_path: Path, disk: Disk) -> None:
    spool = Spool(tmp_path / "spool", 60, sync=True)
    spool.append(b"one\n")
    disk.refuses = True
    with pytest.raises(SpoolError):
        spool.append(b"two\n")
    assert "not-kept" in spool.health.latest()
    disk.refuses = False
    spool.append(b"three\n")
    spool.close()
    assert len(spool.sealed()) == 2, "no line follows into a file whose fsync failed"


def test_who_was_refused_once_is_not_told_otherwise(tmp_path: Path, disk: Disk) -> None:
    with (tmp_path / "file").open("wb") as file:
        group = GroupSync(file.fileno())
        disk.refuses = True
        with pytest.raises(NotSynced):
            group.wait(10)
        disk.refuses = False
        group.finish()
        with pytest.raises(NotSynced):
            group.wait(10)


def test_a_page_is_counted_and_sent_with_the_setting_too(settings: Settings) -> None:
    path = WritePath(settings)
    path.spool = Spool.of(settings.model_copy(update={"spool_sync": True}))
    path.recorder._append = path.spool.append
    path.get()
    assert [event["kind"] for event in path.events()] == ["visited"]
