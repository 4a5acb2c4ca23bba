"""Disk full, folder unwritable, lines torn or unknown, clock set back: pages stay 200, and somebody is told."""

import os
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from werkzeug.test import Client

from core.database import Database
from core.settings import Settings
from tests import factories
from tests.tracking.troubled import read_only, small_disk
from tests.tracking.writing import PHONE, WritePath
from tracking import keeping
from tracking.drain import Drain
from tracking.recorder import Recorder
from tracking.spool import Spool
from tracking.store import ReachStore
from webapp.runtime import Runtime, build
from webapp.wsgi import compose


class Site:
    """The line that visitors ask, over a spool that is in trouble."""

    def __init__(self, settings: Settings, now: datetime) -> None:
        self.runtime: Runtime = build(settings)
        with self.runtime.service(Database).transaction() as session:
            factories.cast(session, now)
        self.folder = settings.spool_dir
        self.client = Client(compose(self.runtime))

    def view(self) -> int:
        own = {"REMOTE_ADDR": "127.0.0.1"}  # nobody's address: one visitor may come as often as they like
        return self.client.get("/", headers={"User-Agent": PHONE}, environ_base=own).status_code

    def said(self) -> str:
        return " ".join(one.sentence for one in keeping.spooled(self.folder).failures)

    def drops(self) -> dict[str, int]:
        waiting = self.runtime.service(Recorder).waiting_drops()
        return {reason: number for (_day, reason), number in waiting.items()}


@pytest.fixture
def site(settings: Settings, now: datetime) -> Iterator[Site]:
    site = Site(settings, now)
    yield site
    site.runtime.close()


def test_a_full_disk_breaks_no_page_and_what_was_kept_is_whole(settings: Settings, now: datetime) -> None:
    with small_disk(settings.spool_dir):
        site = Site(settings, now)
        filler = site.folder / "filler"
        assert site.view() == 200
        free = os.statvfs(site.folder).f_bavail * os.statvfs(site.folder).f_frsize
        filler.write_bytes(b"x" * (free - 4096))  # one page of the file system is left for the segment
        statuses = [site.view() for _ in range(120)]
        assert set(statuses) == {200}
        lost = site.drops()["not_kept"]
        assert lost > 0
        spool = site.runtime.service(Spool)
        assert "磁盘已满" in " ".join(note.sentence for note in spool.health.latest().values())
        assert keeping.spooled(site.folder).nearly_full
        filler.unlink()
        assert site.view() == 200  # and it goes on by itself
        spool.close()
        kept = b"".join(path.read_bytes() for path in spool.sealed())
        assert kept.endswith(b"\n")
        assert kept.count(b"\n") == 122 - lost, (
            "every view is either whole in the spool or counted as not kept"
        )
        site.runtime.close()


def test_a_folder_that_cannot_be_written_breaks_no_page(site: Site) -> None:
    assert site.view() == 200
    site.runtime.service(Spool).close()
    with read_only(site.folder):
        assert site.view() == 200
        assert site.drops() == {"not_kept": 1}
        notes = site.runtime.service(Spool).health.latest()
        assert any(word in notes["not-kept"].sentence for word in ("磁盘只读", "目录不可写"))
    assert site.view() == 200
    assert site.drops() == {"not_kept": 1}


def test_a_site_starts_and_serves_without_a_spool_folder(settings: Settings, now: datetime) -> None:
    settings.spool_dir.write_text("a file stands where the folder should be", "utf-8")
    site = Site(settings, now)
    assert site.view() == 200
    assert site.drops() == {"not_kept": 1}
    assert site.runtime.service(Spool).health.latest()["not-kept"].detail
    site.runtime.service(Recorder)._dropped.clear()
    site.runtime.close()


def test_torn_and_unknown_lines_are_set_aside_told_and_counted(site: Site, settings: Settings) -> None:
    assert site.view() == 200
    spool = site.runtime.service(Spool)
    spool.close()
    (segment,) = spool.sealed()
    line = segment.read_bytes()
    segment.write_bytes(line + line.replace(b"visited", b"glanced"))
    (site.folder / "seg-1-1-x.open").write_bytes(line + line[:50])
    assert site.runtime.service(Drain).run_once() == 2
    state = keeping.spooled(site.folder)
    assert {(one.where, one.lines) for one in state.aside} == {("rejected", 1), ("torn", 1)}
    assert "有 2 行触达不能入库" in state.warnings(0)[0]
    drops = keeping.dropped(
        site.runtime.service(ReachStore),
        datetime.now(settings.zone).date().isoformat(),
        site.runtime.service(Recorder).waiting_drops(),
    )
    assert drops == {"torn_line": 1, "rejected_line": 1}
    assert site.view() == 200


def test_a_segment_that_waits_is_told_after_five_minutes(site: Site) -> None:
    assert site.view() == 200
    site.runtime.service(Spool).close()
    (segment,) = site.runtime.service(Spool).sealed()
    assert keeping.spooled(site.folder).warnings(0) == []
    os.utime(segment, (segment.stat().st_atime, segment.stat().st_mtime - 301))
    state = keeping.spooled(site.folder)
    assert state.segments == 1 and state.size == segment.stat().st_size
    assert "等了 5 分钟" in state.warnings(0)[0]


class Down:
    """A store that takes nothing."""

    def ship(self, segment: str, lines: object) -> None:
        raise ConnectionError(111, "Connection refused")


def test_what_the_store_said_last_is_told_and_shipping_is_too(site: Site) -> None:
    assert site.view() == 200
    spool = site.runtime.service(Spool)
    spool.close()
    with pytest.raises(ConnectionError):
        Drain(spool, Down()).run_once()
    assert "没有入库，会再试：Connection refused" in site.said()
    site.runtime.service(Drain).run_once()
    drained = keeping.spooled(site.folder).drained
    assert drained is not None and drained.sentence == "入库 1 条"


def test_a_clock_that_goes_back_loses_nothing_and_is_told(settings: Settings) -> None:
    path = WritePath(settings)
    path.get()
    path.now -= 7200
    path.get()
    path.recorder.tick()
    assert "时钟倒退了 7200 秒" in path.spool.health.latest()["clock-back"].sentence
    assert [event["at"] for event in path.events()] == ["2026-09-15 06:30:00.000", "2026-09-15 04:30:00.000"]


def test_a_clock_that_goes_on_is_not_told(settings: Settings) -> None:
    path = WritePath(settings)
    path.recorder.tick()
    path.now += 3600
    path.recorder.tick()
    assert path.spool.health.latest() == {}


MIDNIGHT = datetime(2026, 9, 16, tzinfo=ZoneInfo("Asia/Shanghai")).timestamp()


def test_back_over_midnight_each_event_has_the_day_of_its_time_and_the_salt_stays(settings: Settings) -> None:
    """A visitor without a cookie is one visitor per day, also when the day comes twice."""
    path = WritePath(settings)
    body = path.beacon()
    for seconds in (-1, 1, -1, 1):
        path.now = MIDNIGHT + seconds
        assert path.post(body) == "204 No Content"
    events = path.events()
    assert [event["day"] for event in events] == ["2026-09-15", "2026-09-16"] * 2
    assert events[1]["visitor"] == events[3]["visitor"]
    assert events[0]["visitor"] != events[1]["visitor"]


@pytest.mark.parametrize("change", ["2026-03-29", "2026-10-25"])
def test_days_are_right_around_a_change_of_summer_time(settings: Settings, change: str) -> None:
    """A day of 23 and one of 25 hours, met forwards and backwards."""
    zone = ZoneInfo("Europe/Berlin")
    path = WritePath(settings.model_copy(update={"time_zone": "Europe/Berlin"}))
    middle = datetime.fromisoformat(f"{change}T12:00:00").replace(tzinfo=zone).timestamp()
    moments = [middle + 1800 * number for number in (*range(-60, 61), *range(60, -61, -1))]
    for moment in moments:
        path.now = moment
        path.get()
    expected = [datetime.fromtimestamp(moment, zone).date().isoformat() for moment in moments]
    assert [event["day"] for event in path.events()] == expected
