"""`signpost audit` as a person runs it: verify, show, export; and that commands leave a trace themselves."""

import json
from pathlib import Path

import pytest
from sqlmodel import text

from core import clock
from core.database import Database
from core.settings import Settings
from institution import audit_chain
from institution.audit_chain import ANCHORS
from tests.webapp.conftest import Run


@pytest.fixture
def imported(run: Run, tmp_path: Path) -> Run:
    """Two acts of the command line: an import of four outlets, a rename of one."""
    file = tmp_path / "outlets.csv"
    assert run("outlets", "template", file).exit_code == 0
    assert run("outlets", "import", file).exit_code == 0
    file.write_text("编号,名称\n33010601,新名字\n", encoding="utf-8")
    assert run("outlets", "import", file).exit_code == 0
    return run


def test_a_whole_log_is_said_to_be_whole(imported: Run, settings: Settings, database: Database) -> None:
    done = imported("audit", "verify")
    assert done.exit_code == 0 and "2 条记录首尾相连" in done.output and "没有锚点" in done.output
    assert audit_chain.anchor(database, settings.home, clock.now())
    assert "与 1 个锚点相符" in imported("audit", "verify").output


def test_an_empty_log_is_whole(run: Run) -> None:
    assert run("audit", "verify").exit_code == 0


def test_tampering_is_named_and_ends_with_a_fault(
    imported: Run, settings: Settings, database: Database, tmp_path: Path
) -> None:
    audit_chain.anchor(database, settings.home, clock.now())
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes((settings.home / ANCHORS).read_bytes())
    with database.transaction() as session:
        connection, on = session.connection(), "" if database.is_sqlite else " ON audit_record"
        for name in ("immutable", "kept"):
            connection.execute(text(f"DROP TRIGGER audit_record_{name}{on}"))
        connection.execute(text("DELETE FROM audit_record WHERE id = 2"))
    done = imported("audit", "verify")
    assert done.exit_code == 1 and "锚点记着第 2 条" in done.output
    (settings.home / ANCHORS).unlink()
    assert "第 2 条记录不见了" in imported("audit", "verify").output
    assert imported("audit", "verify", "--anchors", copy).exit_code == 1
    none = imported("audit", "verify", "--anchors", tmp_path / "none")
    assert none.exit_code == 1 and "没有锚点" in none.output


def test_what_was_done_is_shown_in_words(imported: Run) -> None:
    shown = imported("audit", "show").output
    assert "导入网点" in shown and "修改网点" in shown and shown.index("修改") < shown.index("导入")
    assert "共 1 条" in imported("audit", "show", "--action", "outlet.edit").output
    assert "共 0 条" in imported("audit", "show", "--until", "2000-01-01").output
    one = imported("audit", "show", 2).output
    assert "命令行" in one and "名称: 西湖文三路柜面 → 新名字" in one
    assert imported("audit", "show", 99).exit_code == 1


@pytest.mark.parametrize("form", ["csv", "xlsx", "jsonl"])
def test_a_file_holds_what_was_asked_for_and_leaves_a_trace(imported: Run, tmp_path: Path, form: str) -> None:
    file = tmp_path / f"audit.{form}"
    assert imported("audit", "export", file, "--action", "outlet.edit").exit_code == 0
    if form == "jsonl":
        (line,) = file.read_text(encoding="utf-8").splitlines()
        assert json.loads(line)["after"] == {"name": "新名字"}
    assert file.stat().st_size > 100
    assert "导出操作记录" in imported("audit", "show", "--action", "audit.export").output
    assert imported("audit", "export", tmp_path / "x.pdf").exit_code == 1
    assert imported("audit", "export", tmp_path / "none" / f"x.{form}").exit_code == 1
