"""`signpost reach growth|funnel|targets` in a process of its own, beside a server and without one."""

import json
from datetime import datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook

from core.database import Database
from core.settings import Settings
from tests import factories
from tests.tracking.rows import event, ship
from tests.tracking.test_report_command import serving, signpost
from tracking import targets
from tracking.periods import named
from tracking.store import ReachStore
from tracking.targets import Aim

DAYS = ("--from", "2023-01-01", "--to", "2023-12-31")


@pytest.fixture
def filled(settings: Settings, database: Database, now: datetime) -> Settings:
    with database.transaction() as session:
        factories.tree(session, now)
        targets.put(session, Aim(factories.PROVINCE, named("2023"), "gross", 6), by=None, now=now)
    store = ReachStore.open(settings)
    days = [("2023-05-02", 1), ("2023-05-02", 2), ("2023-05-03", 3), ("2022-05-03", 1), ("2022-05-03", 2)]
    ship(store, "seg-1", [event(day, visitor=visitor, outlet=factories.OUTLET_A) for day, visitor in days])
    store.close()
    return settings


def test_the_answer_is_the_same_beside_a_server_and_without_one(filled: Settings) -> None:
    asked = (
        ("growth", *DAYS, "--by", "branch,outlet"),
        ("funnel", *DAYS),
        ("targets", "--period", "2023"),
    )
    alone = [signpost(filled, *one, "--format", "json") for one in asked]
    assert [one.returncode for one in alone] == [0, 0, 0], [one.stderr for one in alone]
    growth, funnel, target = (json.loads(one.stdout)["rows"] for one in alone)
    assert (growth[0]["key2"], growth[0]["change"], growth[-1]["points"]) == (factories.OUTLET_A, 1, 0.5)
    assert [row["now"] for row in funnel if row["key"] == "web"] == [None, 3, 0, 0, 0, 0]
    assert next(row for row in target if row["key"] == factories.PROVINCE)["attained"] == 0.5
    with serving(filled):
        beside = [signpost(filled, *one, "--format", "json") for one in asked]
    assert [json.loads(one.stdout) for one in beside] == [json.loads(one.stdout) for one in alone]


def test_files_and_mistakes(filled: Settings, tmp_path: Path) -> None:
    target = tmp_path / "growth.xlsx"
    made = signpost(filled, "growth", *DAYS, "--by", "channel", "--format", "xlsx", "--output", str(target))
    assert made.returncode == 0, made.stderr
    book = load_workbook(target)
    assert (book.worksheets[0].cell(2, 5).value, book.worksheets[1].title) == (1, "口径与筛选")
    wrong = signpost(filled, "growth", *DAYS, "--by", "month")
    assert (wrong.returncode, "增长可以按这些来看" in wrong.stderr) == (1, True)
    none = signpost(filled, "targets", "--period", "2024")
    assert (none.returncode, "没有设定目标" in none.stderr) == (1, True)
