"""`signpost reach` as people call it: a process of its own, beside a server or without one."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from werkzeug.serving import make_server

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from tests import factories, forked
from tests.tracking.fronts import Fronts
from tests.tracking.rows import event, ship
from tracking import subscriptions
from tracking.reports import InternalToken
from tracking.store import ReachStore
from tracking.subscriptions import SubscriptionForm
from webapp.create_app import create_app
from webapp.runtime import build

ROOT = Path(__file__).resolve().parent.parent.parent
REPORT = ("report", "--from", "2023-01-01", "--to", "2023-12-31")


def signpost(settings: Settings, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run `signpost reach …` on this installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")}
    environment = {
        **kept,
        "SIGNPOST_HOME": str(settings.home),
        "SIGNPOST_DATABASE_URL": settings.database_url,
        "SIGNPOST_SECRET_KEY": "test-secret-of-no-value",
        "PYTHONIOENCODING": "utf-8",
        **more,
    }
    command = [sys.executable, "-c", "from webapp.cli import main; main()", "reach", *arguments]
    return forked.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)


@pytest.fixture
def filled(settings: Settings, database: Database, now: datetime) -> Settings:
    """An installation with the named tree and three visits in 2023, two in 2022; nobody holds its store."""
    with database.transaction() as session:
        factories.tree(session, now)
    store = ReachStore.open(settings)
    visits = [("2023-05-02", 1), ("2023-05-02", 2), ("2023-05-03", 3), ("2022-05-03", 1), ("2022-05-03", 2)]
    ship(store, "seg-1", [event(day, visitor=visitor, outlet=factories.OUTLET_A) for day, visitor in visits])
    store.close()
    return settings


@contextmanager
def serving(settings: Settings) -> Iterator[None]:
    """A server that holds the store, with `server.json` as `signpost serve` writes it."""
    runtime = build(settings)
    runtime.offer(InternalToken, lambda _r: InternalToken("token-of-this-start"))
    runtime.service(ReachStore)
    server = make_server("127.0.0.1", 0, create_app(runtime), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    known = {"url": f"http://127.0.0.1:{server.port}", "token": "token-of-this-start"}
    (settings.home / "server.json").write_text(json.dumps(known), encoding="utf-8")
    try:
        yield
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
        runtime.close()
        (settings.home / "server.json").unlink()


def test_the_answer_is_the_same_beside_a_server_and_without_one(filled: Settings) -> None:
    alone = signpost(filled, *REPORT, "--by", "outlet", "--format", "json")
    assert alone.returncode == 0, alone.stderr
    found = json.loads(alone.stdout)
    assert found["total"]["gross"] == 3
    assert found["total"]["growth"] == 0.5
    assert [row["name"] for row in found["rows"]] == ["西湖文三路柜面"]
    with serving(filled):
        beside = signpost(filled, *REPORT, "--by", "outlet", "--format", "json")
    assert beside.returncode == 0, beside.stderr
    assert json.loads(beside.stdout) == found


def test_files_and_tables(filled: Settings, tmp_path: Path) -> None:
    table = signpost(filled, *REPORT, "--by", "month", "--compare", "none")
    assert table.returncode == 0, table.stderr
    assert "2023-05" in table.stdout
    assert "—" in table.stdout
    target = tmp_path / "reach.xlsx"
    sheet = signpost(filled, *REPORT, "--format", "xlsx", "--output", str(target))
    assert sheet.returncode == 0, sheet.stderr
    assert load_workbook(target).worksheets[0].cell(2, 3).value == 3
    assert signpost(filled, *REPORT, "--format", "xlsx").returncode == 2, "not onto a terminal"


def test_mistakes_are_answered_in_a_sentence(filled: Settings) -> None:
    wrong = signpost(filled, "report", "--from", "2023-02-30", "--to", "2023-12-31")
    assert wrong.returncode == 1
    assert "日期“2023-02-30”不对" in wrong.stderr
    assert "Traceback" not in wrong.stderr
    with serving(filled):
        unknown = signpost(filled, *REPORT, "--within", "999999")
    assert unknown.returncode == 1
    assert "没有找到编号为“999999”的机构" in unknown.stderr


def test_a_store_held_by_something_else_is_said(filled: Settings) -> None:
    store = ReachStore.open(filled)
    try:
        answer = signpost(filled, "status")
    finally:
        store.close()
    assert answer.returncode == 1
    assert "触达库正由另一个进程使用" in answer.stderr


def test_status_drain_and_rebuild_work_both_ways(filled: Settings) -> None:
    (filled.spool_dir).mkdir(exist_ok=True)
    line = "x\t2023-05-04 04:00:00.000\t2023-05-04\tvisited\t1\t9\t\t\t\tweb\tweb\tseg-9\n"
    (filled.spool_dir / "seg-9.tsv").write_text(line, encoding="utf-8")
    assert "已入库 1 段" in signpost(filled, "drain").stdout
    with serving(filled):
        assert "已入库 0 段" in signpost(filled, "drain").stdout
        rebuilt = signpost(filled, "rebuild")
        assert "已重算 4 天" in rebuilt.stdout, rebuilt.stderr
        status = signpost(filled, "status").stdout
    assert "事件：6" in status
    assert "已汇总的天数：4" in status


def test_reports_by_mail_say_first_and_are_sent_once(
    filled: Settings, database: Database, now: datetime
) -> None:
    mailing = {"SIGNPOST_SMTP_HOST": "127.0.0.1", "SIGNPOST_MAIL_FROM": "r@example.com"}
    long_ago = now - timedelta(days=300)
    with database.transaction() as session:
        reader = factories.staff(session, factories.BRANCH_MANAGER, now)
        reader.email = Vault(Keys(load_secret(filled))).encrypt("r@example.com")
        form = SubscriptionForm("周报", "", "week", "outlet", "year", "weekly", (reader.id or 0,))
        subscriptions.save(session, None, form, by=None, now=long_ago)
    said = signpost(filled, "reports", "run", "--dry-run", **mailing)
    assert said.stdout.split("\t")[::2] == ["周报", factories.BRANCH_MANAGER], said.stderr
    assert factories.PROVINCE in said.stdout
    assert "1 封" in signpost(filled, "reports", "run", **mailing).stdout
    assert signpost(filled, "reports", "run", "--dry-run", **mailing).stdout == ""
    with serving(filled):
        assert "0 封" in signpost(filled, "reports", "run", **mailing).stdout


def test_the_statements_for_a_cluster_are_printed_without_a_server(settings: Settings) -> None:
    url = "clickhouse://u:hidden@no-such-host.invalid/reach?cluster=main"
    printed = signpost(settings, "schema", "--url", url, "--print", "--from", "1")
    assert printed.returncode == 0
    assert "hidden" not in printed.stdout
    statements = [one.strip() for one in printed.stdout.split(";\n") if one.strip()]
    assert statements[0].startswith("ALTER TABLE `reach`.reach_event_local ON CLUSTER 'main' ADD COLUMN")
    assert all(" ON CLUSTER 'main'" in one for one in statements)
    embedded = signpost(settings, "schema", "--print").stdout
    assert "CREATE TABLE IF NOT EXISTS reach_event (" in embedded
    assert "CLUSTER" not in embedded
    assert not (settings.home / "reach").exists()


def test_a_store_is_made_on_a_server_or_told_why_not(settings: Settings, running: Fronts) -> None:
    made = signpost(settings, "schema", "--url", running["cluster"].url())
    assert (made.returncode, "版本 2" in made.stdout) == (0, True)
    refused = signpost(settings, "schema", "--url", running["cluster"].url(password="wrong"))
    assert refused.returncode == 1
    assert "用户名或密码" in refused.stderr
    assert "Traceback" not in refused.stderr
