"""收集状态 on the desk and on the command line: seen, looked at, handed in again, thrown away; all of it audited."""

import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.tracking.rows import event
from tests.tracking.test_report_command import signpost
from tracking import aside
from tracking.drain import Drain
from tracking.events import to_line
from tracking.recorder import Recorder
from tracking.spool import REJECTED, TORN, Spool
from tracking.store import ReachStore
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

NAME = "seg-7.tsv"
GOOD = to_line(event("2026-09-15", id="good"))
BAD = GOOD.replace(b"visited", b"glanced").replace(b"good", b"bad")


@pytest.fixture
def runtime(settings: Settings, now: datetime) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
    folder = runtime.service(Spool).folder
    (folder / REJECTED / NAME).write_bytes(GOOD + BAD)
    (folder / TORN / "seg-8").write_bytes(GOOD[:40])
    yield runtime
    runtime.close()


def desk(runtime: Runtime, login: str = factories.ADMINISTRATOR) -> FlaskClient:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return entering.client(app, login)


def stored(runtime: Runtime) -> int:
    runtime.service(Drain).run_once()
    return int(runtime.service(ReachStore).query("SELECT count() FROM reach_event")[0][0])


def actions(runtime: Runtime) -> list[tuple[str, str, str]]:
    with runtime.service(Database).reading() as session:
        rows = session.exec(select(AuditRecord).where(AuditRecord.kind == "reach")).all()
        return [(row.action, row.subject, row.note) for row in rows]


def test_the_page_says_how_collecting_stands_and_the_first_page_leads_there(runtime: Runtime) -> None:
    runtime.service(Recorder).count_drop("bot", 12)
    client = desk(runtime)
    page = client.get("/desk/reach/keeping").text
    assert "有 3 行触达不能入库" in page
    assert NAME in page and "seg-8" in page
    assert "机器访问" in page and re.search(r">12<", page)
    first = client.get("/desk").text
    assert "触达收集异常" in first and 'href="/desk/reach/keeping"' in first


def test_nothing_is_said_when_all_is_well(runtime: Runtime) -> None:
    folder = runtime.service(Spool).folder
    (folder / REJECTED / NAME).unlink()
    (folder / TORN / "seg-8").unlink()
    client = desk(runtime)
    assert "收集正常。" in client.get("/desk/reach/keeping").text
    assert "触达收集异常" not in client.get("/desk").text


def test_lines_are_looked_at_with_what_is_wrong(runtime: Runtime) -> None:
    client = desk(runtime)
    page = client.get(f"/desk/reach/keeping/{REJECTED}/{NAME}").text
    assert "第 4 列 kind：不认识的种类" in page
    assert "现在可以入库" in page
    assert "行尾缺换行符" in client.get(f"/desk/reach/keeping/{TORN}/seg-8").text
    for wrong in (f"{REJECTED}/none.tsv", f"{REJECTED}/..", "spool/seg-8", f"{REJECTED}/.hidden"):
        assert client.get(f"/desk/reach/keeping/{wrong}").status_code == 404


def test_what_fits_is_handed_in_once_however_often_and_the_rest_stays(runtime: Runtime) -> None:
    client, folder = desk(runtime), runtime.service(Spool).folder
    address = f"/desk/reach/keeping/{REJECTED}/{NAME}/resubmit"
    assert client.post(address).status_code == 302
    assert (folder / REJECTED / NAME).read_bytes() == BAD
    assert stored(runtime) == 1
    (folder / REJECTED / NAME).write_bytes(GOOD + BAD)  # as after a crash before the file was written anew
    assert client.post(address).status_code == 302
    assert stored(runtime) == 1
    refused = client.post(address)
    assert refused.status_code == 409 and "仍然不能入库" in refused.text
    assert [action for action, _, _ in actions(runtime)] == ["reach.resubmit"] * 2


def test_throwing_away_needs_a_reason_which_is_recorded(runtime: Runtime) -> None:
    client, path = desk(runtime), runtime.service(Spool).folder / TORN / "seg-8"
    address = f"/desk/reach/keeping/{TORN}/seg-8/discard"
    assert client.post(address).status_code in (400, 422)
    assert path.exists()
    assert client.post(address, data={"note": "断电所致"}).status_code == 302
    assert not path.exists()
    assert actions(runtime) == [("reach.discard", "seg-8", "断电所致")]
    assert client.post(address, data={"note": "again"}).status_code == 404


def test_it_is_the_whole_institutions(runtime: Runtime, now: datetime) -> None:
    with runtime.service(Database).transaction() as session:
        factories.person(session, "of.zhejiang", "某人", "branch_manager", now, at=factories.PROVINCE)
    client = desk(runtime, "of.zhejiang")
    assert client.get("/desk/reach/keeping").status_code == 404
    assert "触达收集异常" not in client.get("/desk").text


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (GOOD, ""), (GOOD[:-1], "没有写完"), (b"a\tb\n", "应有 14 列，却有 2 列"), (BAD, "第 4 列 kind"),
        (GOOD.replace(b"2026-09-15 0", b"2026-9-15 0"), "第 2 列 at"), (GOOD.replace(b"\t1\t1\t", b"\t1.5\t1\t"), "第 5 列"),
        (GOOD.replace(b"good", b""), "第 1 列 id"), (GOOD.replace(b"web", b"\xff"), "UTF-8"),
    ],
)  # fmt: skip
def test_a_fault_names_its_column_and_rule(line: bytes, said: str) -> None:
    assert said in aside.fault(line)
    assert bool(said) == bool(aside.fault(line))


def test_the_command_line_says_the_same(runtime: Runtime, settings: Settings) -> None:
    runtime.service(Spool).append(GOOD)
    runtime.close()
    told = signpost(settings, "status")
    assert told.returncode == 0, told.stderr
    assert f"rejected/{NAME} (2)" in told.stdout and "torn/seg-8 (1)" in told.stdout
    assert "有 3 行触达不能入库" in told.stdout
    assert f"等待的字节：{len(GOOD)}" in told.stdout
    assert "磁盘余量" in told.stdout
