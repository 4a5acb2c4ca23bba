"""`signpost reach ranges|definitions|import` as a person runs them."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from core import clock
from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditRecord
from tests import factories
from tests.tracking.imports import cast
from tests.webapp.conftest import Run
from tracking import ranges
from tracking.imports.models import ReachImport

YESTERDAY = (clock.today(cast.ZONE) - timedelta(days=1)).isoformat()


@pytest.fixture
def known(database: Database) -> Database:
    with database.transaction() as session:
        cast.keys(session)
    return database


def test_ranges_are_tried_loaded_shown_and_undone(
    run: Run, settings: Settings, database: Database, tmp_path: Path
) -> None:
    file = tmp_path / "clouds.txt"
    file.write_text("198.51.100.0/24 某云\n10.0.0.0/8\n", encoding="utf-8")
    bad = run("reach", "ranges", "load", file)
    assert bad.exit_code == 1 and "第 2 行" in bad.output
    assert ranges.in_force(settings.home).networks == ()
    file.write_text("198.51.100.0/24 某云\n198.51.100.7\n", encoding="utf-8")
    assert "没有更换清单" in run("reach", "ranges", "load", file, "--dry-run").output
    assert ranges.in_force(settings.home).networks == ()
    assert "2 行，合并为 1 段" in run("reach", "ranges", "load", file).output
    assert run("reach", "ranges", "show").output == "198.51.100.0/24\n"
    assert "共 0 段" in run("reach", "ranges", "undo").output
    assert run("reach", "ranges", "show").output == ""
    with database.reading() as session:
        assert session.exec(select(AuditRecord.action)).all() == ["reach.ranges"] * 2


def test_definitions_are_listed(run: Run, database: Database) -> None:
    done = run("reach", "definitions")
    assert done.exit_code == 0
    assert done.output.startswith("2023-1\t2023-01-01\t送达＋访问＋到场\t")
    assert "现行" in done.output


def test_an_import_is_tried_and_handed_in(run: Run, known: Database, tmp_path: Path) -> None:
    file = tmp_path / "wechat.csv"
    file.write_text(f"日期,标题,阅读次数\n{YESTERDAY},ai-voice,12\n", encoding="utf-8")
    tried = run("reach", "import", file, "--source", "wechat", "--set", "campaign=金融教育宣传月")
    assert tried.exit_code == 0 and "没有写入" in tried.output and "campaign: month-2026 12" in tried.output
    with known.reading() as session:
        assert session.exec(select(ReachImport)).all() == []
    done = run("reach", "import", file, "--source", "wechat", "--submit")
    assert done.exit_code == 0 and "第 1 号导入" in done.output
    again = run("reach", "import", file, "--source", "wechat", "--submit")
    assert again.exit_code == 1 and "第 1 号导入" in again.output


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--set", "nonsense=1"], "--set"), (["--mapping", "没有的"], "没有的"), (["--outlet", "nowhere"], "nowhere"),
        (["--outlet", factories.OUTSIDE_PROVINCE], "共 1 处错误"), (["--set", "campaign=nope"], "共 1 处错误"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_and_nothing_is_written(
    run: Run, known: Database, tmp_path: Path, more: list[str], words: str
) -> None:
    file = tmp_path / "screens.csv"
    file.write_text(f"日期,网点编号,点播次数\n{YESTERDAY},{factories.OUTLET_A},12\n", encoding="utf-8")
    done = run("reach", "import", file, "--source", "screens", "--submit", *more)
    assert done.exit_code == 1 and words in done.output
    with known.reading() as session:
        assert session.exec(select(ReachImport)).all() == []
