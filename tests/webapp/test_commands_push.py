"""`signpost audience` and `signpost push` as a person runs them."""

from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import select

from campaign.contacts import Contact
from core import clock
from core.database import Database
from scheduler.models import Delivery
from tests.scheduler.audience_cast import plan, send_now
from tests.scheduler.receivers import WebhookReceiver
from tests.webapp.conftest import Run

HEAD = "姓名,邮箱,接口标识,同意用途,同意时间,同意来源"
GOOD = "张三,zhang@example.com,u1,education,2026-03-01,柜面"
BAD = "李四,wrong,,education,2026-03-01,柜面"


def _file(folder: Path, *rows: str) -> Path:
    path = folder / "people.csv"
    path.write_text("\n".join([HEAD, *rows]), encoding="utf-8")
    return path


def _people(database: Database) -> int:
    with database.reading() as session:
        return len(list(session.exec(select(Contact))))


def test_a_good_file_is_imported_and_twice_is_once(run: Run, database: Database, tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD)
    assert "没有导入" in run("audience", "import", file, "--list", "老客户", "--dry-run").output
    assert _people(database) == 0
    assert "新增 1" in run("audience", "import", file, "--list", "老客户").output
    assert "不变 1" in run("audience", "import", file, "--list", "老客户").output
    assert _people(database) == 1
    assert run("audience", "import", file, "--list", "老客户", "--at", "no-such").exit_code == 1
    assert _people(database) == 1
    listed = run("audience", "list")
    assert "老客户" in listed.output and "1" in listed.output


def test_a_bad_row_stops_everything_or_is_set_aside(run: Run, database: Database, tmp_path: Path) -> None:
    file = _file(tmp_path, GOOD, BAD)
    answer = run("audience", "import", file, "--list", "老客户")
    assert answer.exit_code == 1 and "第 3 行，邮箱：邮箱地址的写法不对。" in answer.output
    assert _people(database) == 0
    answer = run("audience", "import", file, "--list", "老客户", "--skip-bad")
    assert answer.exit_code == 0 and _people(database) == 1
    assert "李四" in (tmp_path / "people.rejected.csv").read_text(encoding="utf-8-sig")


def test_a_file_without_consent_is_refused_in_a_sentence(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_text("邮箱\na@example.com\n", encoding="utf-8")
    answer = run("audience", "import", path, "--list", "x")
    assert answer.exit_code == 1 and "同意用途" in answer.output and "Traceback" not in answer.output


def test_run_once_sends_what_is_due(run: Run, database: Database, tmp_path: Path, now: datetime) -> None:
    run("audience", "import", _file(tmp_path, GOOD), "--list", "老客户")
    with WebhookReceiver().serve() as receiver:
        with database.transaction() as session:
            made = plan(session, 1, now, target=receiver.url)
            send_now(session, made, clock.now() - timedelta(seconds=1))
        answer = run("push", "run-once")
        assert "发出 1 批" in answer.output, answer.output
        assert receiver.inbox.recipients == {"u1": 1}
    status = run("push", "status").output
    assert "九月提醒" in status and "已送达 1" in status and "已完成" in status
    with database.reading() as session:
        assert [row.state for row in session.exec(select(Delivery))] == ["sent"]
