"""Archives of plaques: whole, resumed after a kill, cancelled, tidied, and honest where nothing can print."""

import csv
import io
import os
import shutil
import signal
import sys
import time
import xml.etree.ElementTree as ET
import zipfile
from datetime import timedelta
from pathlib import Path

import pypdfium2
import pytest

from campaign.base import archives, carrying, plaque
from campaign.base.carrying import PART, Archives
from campaign.base.models import CANCELLED, DONE, FAILED, QUEUED, RUNNING, PlaqueArchive
from core import clock
from core.database import Database
from core.errors import Conflict, Invalid
from core.settings import Settings
from core.signing import Keys
from institution.outlets import EVERYWHERE
from tests import factories, forked, servers
from tracking import links, paper, printing
from tracking.attribution import Attributions
from tracking.links import Aim

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database file with the tree and some hundred outlets, made once."""
    home, now = tmp_path_factory.mktemp("filled"), clock.now()
    with servers.template("sqlite", tmp_path_factory.mktemp("plaques")) as template:
        shutil.copyfile(template.source, home / "signpost.db")
    database = Database(f"sqlite:///{home / 'signpost.db'}")
    with database.transaction() as session:
        factories.tree(session, now)
        for number in range(248):
            code, name = f"3301069{number:04}", f"西湖{number}柜面"
            more = {"plaque_number": f"基-{number:04}"}
            factories.outlet(session, code, name, "outlet", factories.COUNTY, now=now, **more)
    database.close()
    return home / "signpost.db"


@pytest.fixture
def sqlite(tmp_path: Path, filled: Path) -> Settings:
    """An installation that other processes can open: SQLite under its home."""
    shutil.copyfile(filled, tmp_path / "signpost.db")
    return Settings(_env_file=None, home=tmp_path)


def _archives(settings: Settings, ahead: timedelta = timedelta()) -> Archives:
    database = Database(settings.relational_url)
    return Archives(settings, database, Attributions(Keys(b"of the tests")), lambda: clock.now() + ahead)


def _asked(
    settings: Settings, node: str = factories.PROVINCE, *, pdf: bool = False, size: str = "A3"
) -> PlaqueArchive:
    with Database(settings.relational_url).transaction() as session:
        codes = [one.code for one in links.outlets_of(session, node, EVERYWHERE)]
        return archives.ask(session, node, codes, size=size, pdf=pdf, by=None, now=clock.now())


def _row(settings: Settings, number: int | None) -> PlaqueArchive:
    with Database(settings.relational_url).reading() as session:
        return archives.get(session, number or 0)


def _whole(settings: Settings, one: PlaqueArchive) -> None:
    """The file holds each outlet's drawing exactly once, and the index says so."""
    with zipfile.ZipFile(carrying.file_of(settings, one.id or 0)) as file:
        names = file.namelist()
        assert file.testzip() is None
        index = list(csv.DictReader(io.StringIO(file.read("index.csv").decode("utf-8-sig"))))
    assert len(names) == len(set(names)) == one.total + 2
    assert [line["code"] for line in index] == one.outlets
    assert {line["svg"] for line in index} == {name for name in names if name.startswith("svg/")}


def _killed(settings: Settings, number: int) -> list[str]:
    """Make the archive in a process that is killed after its second part; the parts that are there."""
    folder = carrying.folder_of(settings, number)
    command = [sys.executable, "-m", "tests.campaign.base.making", str(settings.home)]
    process = forked.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)})
    try:
        until = time.monotonic() + 60
        while not (folder / "part-0001.zip").exists():
            assert process.poll() is None and time.monotonic() < until, "it ended before it could be killed"
            time.sleep(0.002)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait(20)
    return sorted(path.name for path in folder.glob("part-*.zip"))


def test_what_was_killed_goes_on_behind_the_parts_that_are_there(sqlite: Settings) -> None:
    one = _asked(sqlite)
    number = one.id or 0
    done = _killed(sqlite, number)
    assert 2 <= len(done) < one.total / PART, "the kill came too late to show anything"
    folder = carrying.folder_of(sqlite, number)
    before = {name: (folder / name).stat().st_ino for name in done}
    assert _row(sqlite, number).state == RUNNING
    assert _archives(sqlite).run_once() == 0, "its worker may still live: the lease holds"

    later, seen = _archives(sqlite, ahead=carrying.LEASE * 2), {}
    join = later._join

    def look(one: PlaqueArchive) -> int:
        seen.update({name: (folder / name).stat().st_ino for name in done})
        return join(one)

    later._join = look  # type: ignore[method-assign]
    assert later.run_once() == 1
    assert seen == before, "a finished part was made again"
    ended = _row(sqlite, number)
    assert (ended.state, ended.made) == (DONE, one.total)
    assert ended.bytes == carrying.file_of(sqlite, number).stat().st_size
    _whole(sqlite, one)


def _half(settings: Settings) -> PlaqueArchive:
    """An archive whose first part lies there cut off, as a disk that lost its power may leave it."""
    one = _asked(settings, factories.COUNTY)
    folder = carrying.folder_of(settings, one.id or 0)
    folder.mkdir(parents=True)
    (folder / "part-0000.zip").write_bytes(b"PK\x03\x04half")
    return one


def test_a_half_written_part_is_made_again(sqlite: Settings) -> None:
    one = _half(sqlite)
    assert _archives(sqlite).run_once() == 1
    _whole(sqlite, one)


def test_a_half_written_part_taken_for_a_whole_one_would_be_seen(
    sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: the look at the part taken away, the file is not made."""
    monkeypatch.setattr(zipfile, "is_zipfile", Path.exists)
    one = _half(sqlite)
    assert _archives(sqlite).run_once() == 1
    assert _row(sqlite, one.id).state == FAILED


def test_cancelled_while_it_is_made_nothing_stays(sqlite: Settings) -> None:
    one = _asked(sqlite)
    worker = _archives(sqlite)
    made = worker._made

    def cancel(*given: object) -> bytes:
        with Database(sqlite.relational_url).transaction() as session:
            archives.cancel(session, one.id or 0, now=clock.now())
        worker._made = made  # type: ignore[method-assign]
        return made(*given)  # type: ignore[arg-type]

    worker._made = cancel  # type: ignore[method-assign,assignment]
    assert worker.run_once() == 0
    assert _row(sqlite, one.id).state == CANCELLED
    worker.tidy()
    assert not carrying.folder_of(sqlite, one.id or 0).exists()


def test_a_stop_ends_behind_the_part_in_hand_and_the_next_start_goes_on_at_once(sqlite: Settings) -> None:
    one = _asked(sqlite)
    worker = _archives(sqlite)
    made = worker._made

    def stopping(*given: object) -> bytes:
        worker.stop()
        return made(*given)  # type: ignore[arg-type]

    worker._made = stopping  # type: ignore[method-assign,assignment]
    assert worker.run_once() == 0
    assert (_row(sqlite, one.id).state, _row(sqlite, one.id).made) == (RUNNING, PART)
    assert _archives(sqlite).run_once() == 1
    _whole(sqlite, one)


def test_what_is_kept_ends(sqlite: Settings) -> None:
    one = _asked(sqlite, factories.OUTLET_A)
    assert _archives(sqlite).run_once() == 1
    assert _archives(sqlite, timedelta(days=sqlite.plaque_days - 1)).tidy() == 0
    assert _archives(sqlite, timedelta(days=sqlite.plaque_days, minutes=1)).tidy() == 1
    assert not carrying.folder_of(sqlite, one.id or 0).exists()


def test_one_at_a_time_of_a_node_and_only_what_there_is(sqlite: Settings) -> None:
    _asked(sqlite)
    with pytest.raises(Conflict):
        _asked(sqlite)
    with pytest.raises(Invalid):
        _asked(sqlite, factories.OUTSIDE_PROVINCE, size="A0")


def test_without_a_browser_pdf_fails_with_a_reason_and_svg_is_made(
    sqlite: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "CHROMIUM", ("no-such-browser",))
    assert not printing.installed()
    wanted = _asked(sqlite, factories.OUTLET_A, pdf=True)
    plain = _asked(sqlite, factories.OUTLET_B)
    assert _archives(sqlite).run_once() == 2
    assert _row(sqlite, wanted.id).state == FAILED and "Chromium" in _row(sqlite, wanted.id).fault
    assert _row(sqlite, plain.id).state == DONE
    monkeypatch.undo()
    with Database(sqlite.relational_url).transaction() as session:
        archives.again(session, wanted.id or 0)
    assert _row(sqlite, wanted.id).state == QUEUED


@pytest.mark.browser
@pytest.mark.parametrize("size", ["A3", "A4"])
def test_the_pages_have_the_size_and_the_words(sqlite: Settings, size: str) -> None:
    one = _asked(sqlite, factories.CITY, pdf=True, size=size)
    with Database(sqlite.relational_url).transaction() as session:
        row = session.get_one(PlaqueArchive, one.id)
        row.outlets = row.outlets[:60]
        codes = [factories.OUTLET_A, factories.OUTLET_B]
        links.for_outlets(session, Aim(), codes, node="", by=None, today=clock.now().date(), now=clock.now())
    assert _archives(sqlite).run_once() == 1
    with zipfile.ZipFile(carrying.file_of(sqlite, one.id or 0)) as file:
        names = [name for name in file.namelist() if name.startswith("pdf/")]
        assert len(names) == 2, "fifty pages, then ten"
        index = list(csv.DictReader(io.StringIO(file.read("index.csv").decode("utf-8-sig"))))
        width, height = plaque.SIZES[size]
        for name in names:
            with pypdfium2.PdfDocument(file.read(name)) as pdf:
                lines = [line for line in index if line["pdf"] == name]
                assert len(pdf) == len(lines)
                for line in lines:
                    page = pdf[int(line["page"]) - 1]
                    millimetres = [side * 25.4 / 72 for side in page.get_size()]
                    assert millimetres == pytest.approx([width, height], abs=0.5)
                    text = page.get_textpage().get_text_bounded()
                    for word in (
                        "消费者权益保护",
                        "教育宣传基地",
                        line["name"],
                        line["plaque_number"],
                        "12378",
                    ):
                        assert word in text, (line["code"], word)


def test_a_drawing_is_sound_and_no_line_leaves_its_room() -> None:
    long = plaque.Plaque(
        "一家名字非常非常长的中国人寿保险股份有限公司" * 2, "Long", "<西湖>&“柜面”" * 6, "基" * 60, None, "400-000-0000", "https://a.b/?a=x&b=y"
    )  # fmt: skip
    root = ET.fromstring(plaque.svg(long, "A4"))
    assert (root.get("width"), root.get("height")) == ("297mm", "210mm")
    for line in root.iter("{http://www.w3.org/2000/svg}text"):
        text, size = line.text or "", int(line.get("font-size", "0"))
        wide = sum(1.0 if ord(letter) > 0x2E7F else 0.56 for letter in text) * size
        left = int(line.get("x", "0")) - (wide / 2 if line.get("text-anchor") == "middle" else 0)
        assert left > 112 and left + wide < (2900 if line.get("text-anchor") == "start" else 4090), text
