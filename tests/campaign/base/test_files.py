"""Bases from a file: named by row and column, all or nothing, only one's own; 2,500 at once."""

import time
from datetime import datetime

import pytest
from sqlmodel import select

from campaign.base import files, keeping
from campaign.base.models import EducationBase
from core.cells import to_csv, to_xlsx
from core.database import Database
from core.errors import Invalid
from core.i18n import set_locale
from institution.audit_models import AuditRecord
from institution.outlets import EVERYWHERE
from institution.powers import Scope
from tests import factories

HEAD = ["网点编号", "服务项目", "无障碍设施", "设施说明"]


def _file(*rows: list[str], head: list[str] | None = None) -> bytes:
    return to_csv(head or HEAD, rows)


def test_a_good_file_is_planned_and_applied_once(tree: Database, now: datetime) -> None:
    row = [factories.OUTLET_A, "讲座、一对一讲解；lending", "坡道 / 老花镜", "东门"]
    for data in (_file(row), to_xlsx(HEAD, [row])):
        with tree.transaction() as session:
            planned = files.plan(session, data, EVERYWHERE)
            assert [one.code for one in planned.changes] == [factories.OUTLET_A], planned.faults
            session.rollback()
    with tree.transaction() as session:
        files.apply(session, files.plan(session, _file(row), EVERYWHERE), node="", now=now)
        one = keeping.find(session, factories.OUTLET_A)
        assert one is not None
        assert (one.services, one.facilities) == (["lecture", "one_to_one", "lending"], ["ramp", "glasses"])
        again = files.plan(session, _file(row), EVERYWHERE)
        assert not again.changes and again.same == 1
    with tree.reading() as session:
        records = session.exec(select(AuditRecord).where(AuditRecord.action == "base.import")).all()
        assert len(records) == 1


def test_a_column_that_is_not_there_changes_nothing_and_an_empty_cell_empties(
    tree: Database, now: datetime
) -> None:
    with tree.transaction() as session:
        keeping.save(session, factories.OUTLET_A, keeping.Offer(["lecture"], ["ramp"]), now=now)
        data = _file([factories.OUTLET_A, ""], head=["网点编号", "无障碍设施"])
        files.apply(session, files.plan(session, data, EVERYWHERE), node="", now=now)
        one = keeping.find(session, factories.OUTLET_A)
        assert one is not None and one.services == ["lecture"] and one.facilities == []


def test_faults_name_row_column_and_rule_and_nothing_is_applied(tree: Database, now: datetime) -> None:
    data = _file(
        [factories.OUTLET_A, "讲座", "", ""],
        [factories.OUTLET_B, "喝茶", "坡道", "字" * 301],
        ["99999999", "讲座", "", ""],
        [factories.OUTLET_A, "", "", ""],
    )
    with tree.transaction() as session:
        planned = files.plan(session, data, EVERYWHERE)
        lines = [fault.line() for fault in planned.faults]
        assert len(lines) == 4
        assert lines[0].startswith("第 3 行“服务项目”：没有“喝茶”这一项")
        assert lines[1].startswith("第 3 行“设施说明”：最多 300 个字")
        assert lines[2].startswith("第 4 行“网点编号”：没有编号为“99999999”的网点")
        assert lines[3].startswith("第 5 行“网点编号”：与第 2 行是同一个网点")
        with pytest.raises(Invalid):
            files.apply(session, planned, node="", now=now)
        assert session.exec(select(EducationBase)).all() == []


def test_what_lies_outside_is_answered_like_what_does_not_exist(tree: Database) -> None:
    scope = Scope(frozenset({factories.PROVINCE}))
    with tree.reading() as session:
        wrong = [
            files.plan(session, _file([code, "讲座", "", ""]), scope).faults[0].line().replace(code, "…")
            for code in (factories.OUTSIDE_OUTLET, "88888888")
        ]
    assert wrong[0] == wrong[1]


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (["服务项目"], "缺少这些列"),
        (["网点编号", "颜色"], "颜色"),
        (["网点编号", "编号"], "出现了两次"),
        ([], "空"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tree: Database, head: list[str], words: str) -> None:
    data = _file(["1"], head=head) if head else b"\xd0\xcf\x11\xe0"
    with tree.reading() as session, pytest.raises(Invalid) as found:
        files.plan(session, data, EVERYWHERE)
    assert words in str(found.value) or "xls" in str(found.value)


def test_the_example_is_a_good_file_in_both_languages(tree: Database) -> None:
    with tree.reading() as session:
        for locale in ("zh", "en"):
            set_locale(locale)
            head, rows = files.example()
            planned = files.plan(session, to_csv(head[:-1], [row[:-1] for row in rows]), EVERYWHERE)
            assert not planned.faults and len(planned.changes) == 2, [one.line() for one in planned.faults]


def test_2500_outlets_are_imported_in_seconds(tree: Database, now: datetime) -> None:
    rows = []
    with tree.transaction() as session:
        for number in range(2_500):
            code = f"3301069{number:04}"
            factories.outlet(session, code, f"西湖{number}柜面", "outlet", factories.COUNTY, now=now)
            rows.append([code, "讲座、借阅", "坡道、老花镜", f"第 {number} 号"])
    began = time.monotonic()
    with tree.transaction() as session:
        planned = files.plan(session, _file(*rows), EVERYWHERE)
        files.apply(session, planned, node="", now=now)
    assert len(planned.changes) == 2_500
    assert time.monotonic() - began < 20
