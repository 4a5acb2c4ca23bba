"""A contact file in the background: read once and deleted, checked, confirmed or given up, in any encoding."""

import io
import json
import marshal
import signal
import zipfile
from concurrent.futures import Future
from datetime import datetime, timedelta
from io import BytesIO
from types import ModuleType
from typing import Any

import pytest
from openpyxl import Workbook
from sqlmodel import func, select

from campaign import audience, audience_rows, contact_files
from campaign.contact_imports import carrying, pages, reading, register
from campaign.contact_imports.carrying import KEPT, LEASE, Imports
from campaign.contact_imports.models import APPLYING, CANCELLED, CHECKED, DONE, FAILED, READING, ContactImport
from campaign.contacts import Consent, Contact, ContactMember
from core.beside import Beside
from core.database import Database
from core.errors import Conflict, Invalid
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution.audit_models import AuditRecord

HEAD = "姓名,邮箱,手机,同意用途,同意时间,同意来源\n"


def rows_of(count: int, first: int = 0) -> str:
    return "".join(
        f"张{n},p{n}@example.com,,education,2026-03-01,柜面\n" for n in range(first, first + count)
    )


class Bench:
    """Imports of one installation, at a time that the test sets."""

    def __init__(self, settings: Settings, database: Database, now: datetime) -> None:
        self.settings, self.database, self.now = settings, database, now
        self.vault = Vault(Keys(load_secret(settings)))
        self.imports = Imports(settings, database, self.vault, lambda: self.now, page_rows=100)

    def ask(self, data: bytes | str, **more: Any) -> int:
        """Hand a file in."""
        folder, size = self.imports.save(BytesIO(data.encode() if isinstance(data, str) else data))
        one = ContactImport(list_name="老客户", folder=folder, bytes=size, asked_at=self.now, **more)
        with self.database.transaction() as session:
            return register.ask(session, one).id or 0

    def run(self, data: bytes | str, **more: Any) -> ContactImport:
        """Hand a file in and carry it as far as it goes."""
        number = self.ask(data, **more)
        self.imports.run_once()
        return self.get(number)

    def get(self, number: int) -> ContactImport:
        with self.database.reading() as session:
            return register.get(session, number)

    def count(self, table: type[Any]) -> int:
        with self.database.reading() as session:
            return session.exec(select(func.count()).select_from(table)).one()

    def upload_is_there(self, one: ContactImport) -> bool:
        return self.imports.staged(one).upload.exists()


@pytest.fixture
def bench(settings: Settings, database: Database, now: datetime) -> Bench:
    return Bench(settings, database, now)


class Begun(Beside):
    """There from the first page on: a small file would be written before another process has started."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._begun.result()


@pytest.fixture
def with_help(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """The same with a process beside, which small files have no need of, also where there is one core."""
    monkeypatch.setattr(reading, "_BLOCK", 50)
    monkeypatch.setattr(carrying, "has_room", lambda: True)
    monkeypatch.setattr(pages, "Beside", Begun)
    bench.imports = Imports(
        bench.settings, bench.database, bench.vault, lambda: bench.now, page_rows=100, beside_from=0
    )
    return bench


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_a_file_in_any_encoding_ends_in_the_list(bench: Bench, encoding: str) -> None:
    one = bench.run((HEAD + rows_of(30)).encode(encoding))
    assert (one.state, one.rows, one.added, one.bad) == (DONE, 30, 30, 0)
    assert (bench.count(Contact), bench.count(ContactMember)) == (30, 30)
    assert not bench.upload_is_there(one)


def test_twice_is_once_and_the_second_says_so(bench: Bench) -> None:
    bench.run(HEAD + rows_of(500))
    again = bench.run(HEAD + rows_of(600))
    assert (again.pages > 1, again.added, again.changed, again.unchanged) == (True, 100, 0, 500)
    assert (bench.count(Contact), bench.count(ContactMember)) == (600, 600)


def test_with_a_process_beside_it_is_the_same(with_help: Bench) -> None:
    bench = with_help
    one = bench.run(
        HEAD + rows_of(700) + "李四,wrong,,education,2026-03-01,柜面\n" + rows_of(1), skip_bad=True
    )
    bad = bench.imports.staged(one).faults()
    assert [(row.line, row.column) for row in bad] == [(702, "邮箱"), (703, "邮箱")]
    assert "第 2 行" in bad[1].rule, "its twin was put there by the other process"
    assert (one.state, one.rows, one.added, one.bad) == (DONE, 702, 700, 2)
    again = bench.run((HEAD + rows_of(800)).replace("张7,", "王五,"))
    assert (again.added, again.changed, again.unchanged) == (100, 1, 699)
    assert (bench.count(Contact), bench.count(ContactMember), bench.count(Consent)) == (800, 800, 800)
    with bench.database.reading() as session:
        people = session.exec(select(Contact)).all()
    names = {bench.vault.decrypt(each.email_sealed): bench.vault.decrypt(each.name_sealed) for each in people}
    assert names == {f"p{n}@example.com": "王五" if n == 7 else f"张{n}" for n in range(800)}
    assert all(each.identity == each.email_index for each in people)


def test_pages_are_written_while_a_process_beside_still_starts(
    with_help: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = with_help
    started: list[float] = []

    class Late(Beside):
        """Never starts."""

        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            self._process.send_signal(signal.SIGSTOP)
            started.append(1)

    monkeypatch.setattr(pages, "Beside", Late)
    one = bench.run(HEAD + rows_of(300))
    assert (one.state, one.added, started) == (DONE, 300, [1])


@pytest.mark.parametrize("stage", [reading, pages])
def test_a_process_beside_that_dies_loses_nothing(
    with_help: Bench, monkeypatch: pytest.MonkeyPatch, stage: ModuleType
) -> None:
    bench = with_help

    class Dying(Begun):
        """Ends before it answers a second time."""

        asked = 0

        def ask(self, verb: str, *given: Any) -> "Future[Any]":
            self.asked += 1
            if self.asked == 2:
                self._process.kill()
            return super().ask(verb, *given)

    monkeypatch.setattr(stage, "Beside", Dying)  # here every one does: the second time it is done alone
    one = bench.run(HEAD + rows_of(700))
    assert one.state == (READING if stage is reading else APPLYING) and not bench.imports.run_once()
    bench.now += LEASE + timedelta(seconds=1)
    assert bench.imports.run_once() == 1
    assert (bench.get(one.id or 0).state, bench.get(one.id or 0).added) == (DONE, 700)
    assert (bench.count(Contact), bench.count(ContactMember), bench.count(Consent)) == (700, 700, 700)


@pytest.mark.parametrize("count", [1, 91, 100, 191])
def test_any_number_of_rows_in_a_page_is_read_again(bench: Bench, count: int) -> None:
    """91 among them: as the first byte of a length it is the bracket with which JSON begins."""
    one = bench.run(HEAD + rows_of(count), preview=True)
    assert (one.state, one.pages) == (CHECKED, 1)
    assert [row.line for row in bench.imports.staged(one).page(0)] == list(range(2, count + 2))


@pytest.mark.parametrize("older", [True, False])
def test_a_page_that_a_former_version_staged_is_written(bench: Bench, *, older: bool) -> None:
    one = bench.run(HEAD + rows_of(3), preview=True)
    staged = bench.imports.staged(one)
    rows = staged.page(0)
    staged.forget_rows()
    kept = [(*row[:-3], row.given_at.isoformat(), *row[-2:]) for row in rows]
    text = json.dumps(kept, ensure_ascii=False) if older else marshal.dumps(kept).decode("latin-1")
    name = "page-0000" if older else "page-0000-0"
    (staged.folder / name).write_text(bench.vault.encrypt(text) + "\n", encoding="ascii")
    assert staged.page(0) == rows
    with bench.database.transaction() as session:
        register.confirm(session, one.id or 0, by=None, now=bench.now)
    bench.imports.run_once()
    assert (bench.get(one.id or 0).state, bench.count(Contact)) == (DONE, 3)


def test_it_says_how_many_take_nothing_and_changes_none_of_that(bench: Bench) -> None:
    said_no = [bench.vault.index("email", f"p{number}@example.com") for number in (3, 7)]
    with bench.database.transaction() as session:
        audience.refuse(session, "email", said_no[0], via="link", now=bench.now)
        audience.close_address(session, "email", said_no[1], "gone", via="bounce", now=bench.now)
    one = bench.run(HEAD + rows_of(10))
    assert (one.state, one.added, one.refused) == (DONE, 10, 2)
    with bench.database.reading() as session:
        assert audience.refused_among(session, "email", said_no) == set(said_no)


def test_bad_rows_and_twins_wait_for_a_person(bench: Bench) -> None:
    evil = '"=HYPERLINK(1)",x,,education,2026-03-01,柜面\n'
    one = bench.run(HEAD + rows_of(500) + evil + rows_of(1))
    assert (one.state, one.rows, one.bad, one.added) == (CHECKED, 502, 2, 500)
    assert bench.count(Contact) == 0 and not bench.upload_is_there(one)
    staged = bench.imports.staged(one)
    bad = staged.faults()
    assert [(row.line, row.column) for row in bad] == [(502, "邮箱"), (503, "邮箱")]
    assert "第 2 行" in bad[1].rule
    file = audience_rows.rejected_csv(staged.header(), bad).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in file and ",502,邮箱," in file
    with bench.database.transaction() as session:
        register.confirm(session, one.id or 0, by=None, now=bench.now)
    bench.imports.run_once()
    assert (bench.get(one.id or 0).state, bench.count(ContactMember)) == (DONE, 500)


def test_nothing_on_disk_or_in_the_log_can_be_read(bench: Bench) -> None:
    one = bench.run(HEAD + rows_of(20) + "李四,wrong,,education,2026-03-01,柜面\n", preview=True)
    folder = bench.imports.staged(one).folder
    assert folder.stat().st_mode & 0o077 == 0
    kept = b"".join(path.read_bytes() for path in folder.iterdir())
    assert kept and b"example.com" not in kept and "李四".encode() not in kept
    with bench.database.reading() as session:
        said = str([record.model_dump() for record in session.exec(select(AuditRecord))])
    assert "list.import.ask" in said and "example" not in said and "李四" not in said


def test_giving_up_and_forgetting_leave_nothing(bench: Bench) -> None:
    first, second = (bench.run(HEAD + rows_of(5), preview=True) for _ in range(2))
    assert (first.state, first.added) == (CHECKED, 5)
    with bench.database.transaction() as session:
        register.cancel(session, first.id or 0, now=bench.now)
        with pytest.raises(Conflict):
            register.confirm(session, first.id or 0, by=None, now=bench.now)
    bench.now += KEPT + timedelta(minutes=1)
    bench.imports.tidy()
    bench.imports.tidy()
    assert bench.get(second.id or 0).state == CANCELLED
    assert list((bench.settings.home / "contact-imports").iterdir()) == []
    assert bench.count(Contact) == 0


def test_writing_cannot_be_given_up(bench: Bench) -> None:
    number = bench.ask(HEAD + rows_of(1), state=APPLYING)
    with bench.database.transaction() as session, pytest.raises(Conflict):
        register.cancel(session, number, now=bench.now)


@pytest.mark.parametrize(
    "data", ["", "姓名,邮箱\n张三,a@example.com\n", b"\x00\xff\x00", b"PK\x03\x04 no book"]
)
def test_what_cannot_be_read_fails_in_a_sentence_and_is_deleted(bench: Bench, data: bytes | str) -> None:
    one = bench.run(data)
    fault = bench.imports.fault(one)
    assert one.state == FAILED and fault is not None and str(fault).endswith("。")
    assert not bench.imports.staged(one).folder.exists()


def test_a_workbook_is_read_and_a_bomb_is_not(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    book = Workbook()
    assert book.active is not None
    for line in (HEAD + rows_of(12)).splitlines():
        book.active.append(line.split(","))
    out = io.BytesIO()
    book.save(out)
    assert bench.run(out.getvalue()).added == 12
    monkeypatch.setattr(contact_files, "_MOST_UNPACKED", 1 << 20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * (2 << 20))
    one = bench.run(bomb.getvalue())
    assert one.state == FAILED and "展开后过大" in str(bench.imports.fault(one))


def test_a_file_that_kills_its_reader_is_not_read_for_ever(bench: Bench) -> None:
    one = bench.run(HEAD + rows_of(1), attempts=3)
    assert one.state == FAILED and "几次都没有读完" in str(bench.imports.fault(one))


def test_too_many_at_once_are_refused(bench: Bench) -> None:
    for _ in range(register.MOST_AT_ONCE):
        bench.ask(HEAD)
    with pytest.raises(Conflict):
        bench.ask(HEAD)
    with pytest.raises(Invalid), bench.database.transaction() as session:
        register.ask(session, ContactImport(list_name=" ", folder="x", asked_at=bench.now))
