"""`signpost outlets` and `signpost staff` as a person runs them."""

from datetime import datetime
from pathlib import Path

import pytest

from core.database import Database
from institution import outlets
from tests import factories
from tests.factories import COUNTY, OUTLET_A
from tests.webapp.conftest import Run
from webapp import commands


@pytest.fixture
def cast(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        factories.tree(session, now)
    return database


@pytest.mark.parametrize("name", ["outlets.csv", "outlets.xlsx"])
def test_the_example_is_imported_and_the_export_changes_nothing(run: Run, tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    assert run("outlets", "template", file).exit_code == 0
    assert "新增 4 个" in run("outlets", "import", file).output
    assert run("outlets", "export", file).exit_code == 0
    again = run("outlets", "import", file)
    assert again.exit_code == 0 and "没有变化；4 个不变" in again.output
    assert "西湖文三路柜面" in run("outlets", "list", "文三").output


def test_a_dry_run_prints_the_changes_and_writes_none(run: Run, cast: Database, tmp_path: Path) -> None:
    file = tmp_path / "changes.csv"
    file.write_bytes(f"编号,名称,上级编号,撤并日期\n{OUTLET_A},新名,330100,2026-08-01\n".encode("gb18030"))
    done = run("outlets", "import", file, "--dry-run")
    assert done.exit_code == 0
    for words in (
        "更名、调整上级、撤并",
        "名称: 西湖文三路柜面 → 新名",
        "撤并日期: （空） → 2026-08-01",
        "没有写入",
    ):
        assert words in done.output
    with cast.reading() as session:
        assert outlets.get(session, OUTLET_A).name == "西湖文三路柜面"
    assert run("outlets", "import", file, "--as-of", "2026-07-01").exit_code == 0
    with cast.reading() as session:
        dates = [span.valid_from.isoformat() for span in outlets.history(session, OUTLET_A)]
    assert dates == ["2026-08-01", "2026-07-01", "1900-01-01"]


def test_wrong_rows_are_named_and_exit_1(run: Run, cast: Database, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(
        f"code,name,kind,parent,open since\n7,甲,outlet,77,\n8,乙,outlet,{COUNTY},昨天\n9,丙,outlet,{COUNTY},\n"
    )
    done = run("outlets", "import", file)
    assert done.exit_code == 1 and "Traceback" not in done.output
    assert "第 2 行，“上级编号”" in done.stderr and "第 3 行，“开业日期”" in done.stderr
    skipped = run("outlets", "import", file, "--skip-bad")
    assert skipped.exit_code == 0 and "新增 1 个" in skipped.output
    rejected = (tmp_path / "bad.rejected.csv").read_text(encoding="utf-8-sig").splitlines()
    assert len(rejected) == 3 and rejected[1].startswith("2,") and rejected[2].endswith("昨天")


@pytest.mark.parametrize(
    "words",
    [("outlets", "import", "/nowhere.csv"), ("outlets", "export", "x.txt"), ("staff", "reset", "nobody")],
)
def test_a_mistake_is_one_sentence(run: Run, words: tuple[str, ...]) -> None:
    done = run(*words)
    assert done.exit_code == 1 and len(done.stderr.strip().splitlines()) == 1 and not done.stdout


def test_accounts_from_the_command_line(run: Run) -> None:
    added = run("staff", "add", "li.ming", "--name", "李明", "--role", "editor", "--role", "analyst")
    assert added.exit_code == 0 and "一次性密码: " in added.stdout
    assert run("staff", "add", "li.ming", "--name", "李明", "--role", "editor").exit_code == 1
    reset = run("staff", "reset", "li.ming")
    assert reset.exit_code == 0 and reset.stdout != added.stdout
    assert "分析（整个机构）、编辑（整个机构）" in run("staff", "list").stdout


def test_a_wrong_setting_is_said_in_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("staff", "list")
    commands.runtime().close()
    commands.runtime.cache_clear()
    with monkeypatch.context() as broken:
        broken.setenv("SIGNPOST_PORT", "ninety")
        done = run("staff", "list")
        assert done.exit_code == 1 and "设置有误" in done.stderr
