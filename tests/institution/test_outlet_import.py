"""From a sheet to the tree: idempotent, dated, all or nothing."""

import threading
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError

from core.database import Database
from core.errors import Invalid
from institution import outlet_changes, outlet_files, outlet_output, outlets
from institution.models import Outlet, OutletSpan
from institution.outlet_changes import Plan
from tests import factories
from tests.factories import CITY, COUNTY, HEAD_OFFICE, OUTLET_A, OUTLET_B, OUTSIDE_PROVINCE, PROVINCE

TODAY = date(2026, 9, 15)
HEADING = "code,name,kind,parent,open since,closed on\n"


def run(database: Database, text: str, now: datetime, *, day: date = TODAY, skip_bad: bool = False) -> Plan:
    with database.transaction() as session:
        outlet_changes.lock(session)
        planned = outlet_changes.plan(session, outlet_files.read(text.encode()), day, skip_bad=skip_bad)
        if not planned.blocked:
            outlet_changes.apply(session, planned, now)
    return planned


def state(database: Database) -> tuple[list[Any], list[Any]]:
    with database.reading() as session:
        spans = [
            (s.code, s.name, s.kind, s.parent_code, s.closed, s.valid_from, s.valid_to)
            for s in outlets.spans(session)
        ]
        return [outlet_output.outlet_cells(each) for each in outlets.everything(session)], spans


@pytest.fixture
def cast(database: Database, now: datetime) -> Database:
    with database.transaction() as session:
        factories.tree(session, now)
    return database


def test_a_first_import_names_the_time_before_it(database: Database, now: datetime) -> None:
    run(
        database,
        HEADING + "1,总公司,head_office,,,\n2,甲省,province,1,2005-04-01,\n3,乙柜面,outlet,2,,2024-06-30\n",
        now,
    )
    with database.reading() as session:
        assert outlets.named_on(session, "1", date(1999, 1, 1)).name == "总公司"  # type: ignore[union-attr]
        assert [s.valid_from for s in outlets.history(session, "2")] == [date(2005, 4, 1)]
        shut, was_open = outlets.history(session, "3")
        assert (shut.closed, shut.valid_from, shut.valid_to) == (True, date(2024, 6, 30), None)
        assert (was_open.closed, was_open.valid_to) == (False, date(2024, 6, 30))


def test_the_export_imported_again_changes_nothing(cast: Database, now: datetime) -> None:
    before = state(cast)
    for xlsx in (False, True):
        with cast.reading() as session:
            data = outlet_output.export(outlets.everything(session), xlsx=xlsx)
        with cast.transaction() as session:
            planned = outlet_changes.plan(session, outlet_files.read(data), TODAY)
            assert (planned.changes, planned.faults, planned.same) == ([], [], 8)
            outlet_changes.apply(session, planned, now)
    assert state(cast) == before


def test_renamed_today_last_year_is_still_named(cast: Database, now: datetime) -> None:
    planned = run(cast, f"code,name\n{OUTLET_A},西湖文三数字柜面\n", now)
    assert [change.sorts for change in planned.changes] == [("renamed",)]
    with cast.reading() as session:
        assert outlets.get(session, OUTLET_A).name == "西湖文三数字柜面"
        assert outlets.named_on(session, OUTLET_A, date(2025, 9, 15)).name == "西湖文三路柜面"  # type: ignore[union-attr]
        assert outlets.named_on(session, OUTLET_A, TODAY).name == "西湖文三数字柜面"  # type: ignore[union-attr]
        assert outlets.get(session, OUTLET_A).hours  # a column the file does not have stays


def test_a_move_closes_one_span_and_opens_the_next(cast: Database, now: datetime) -> None:
    run(cast, f"code,name,parent\n{COUNTY},西湖支公司,{OUTSIDE_PROVINCE}\n", now, day=date(2026, 1, 1))
    with cast.reading() as session:
        new, old = outlets.history(session, COUNTY)
        assert (old.parent_code, old.valid_to) == (CITY, date(2026, 1, 1))
        assert (new.parent_code, new.valid_from, new.valid_to) == (OUTSIDE_PROVINCE, date(2026, 1, 1), None)
        assert OUTLET_A in outlets.subtree(session, OUTSIDE_PROVINCE)


def test_the_same_day_again_updates_the_same_span(cast: Database, now: datetime) -> None:
    run(cast, f"code,name\n{OUTLET_A},错名\n", now)
    run(cast, f"code,name\n{OUTLET_A},对名\n", now)
    with cast.reading() as session:
        assert [span.name for span in outlets.history(session, OUTLET_A)] == ["对名", "西湖文三路柜面"]


def test_a_change_dated_before_a_recorded_one_is_refused(cast: Database, now: datetime) -> None:
    run(cast, f"code,name\n{OUTLET_A},新名\n", now)
    planned = run(cast, f"code,name\n{OUTLET_A},更新名\n", now, day=date(2026, 9, 14))
    assert planned.blocked and "不能早于" in planned.faults[0].sentence()


def test_closing_and_reopening(cast: Database, now: datetime) -> None:
    assert run(cast, f"code,name,closed on\n{OUTLET_B},西湖古荡柜面,2026-03-01\n", now).changes[0].sorts == (
        "closed",
    )
    with cast.reading() as session:
        wanted = outlets.Filter(province="浙江省", kind="outlet", state="closed", today=TODAY)
        assert [each.code for each in outlets.listing(session, wanted).outlets] == [OUTLET_B]
        assert not outlets.is_open(outlets.get(session, OUTLET_B), TODAY)
    planned = run(cast, f"code,name,closed on\n{OUTLET_B},西湖古荡柜面,\n", now, day=TODAY)
    assert planned.changes[0].sorts == ("reopened",)
    with cast.reading() as session:
        assert [span.closed for span in outlets.history(session, OUTLET_B)] == [False, True, False]


@pytest.mark.parametrize(
    ("rows", "place", "words"),
    [
        ("9,甲,outlet,77,,\n", (2, "parent_code"), "没有编号为 77 的上级"),
        ("9,甲,outlet,,,\n", (2, "parent_code"), "缺少上级编号"),
        (f"9,甲,outlet,{HEAD_OFFICE},,\n9,乙,outlet,{HEAD_OFFICE},,\n", (3, "code"), "与第 2 行重复"),
        ("9,甲,head_office,,,\n", (2, "kind"), "只能有一个"),
        (f"9,甲,city,{OUTLET_A},,\n", (2, "parent_code"), "级别要更高"),
        (f"9,甲,county,{COUNTY},,\n", (2, "parent_code"), "级别要更高"),
        (f"8,甲,city,9,,\n9,乙,county,8,,\n{PROVINCE},丙,province,9,,\n", (4, "parent_code"), "级别要更高"),
        ("8,甲,city,9,,\n9,乙,county,8,,\n", (3, "parent_code"), "一个圈：9 → 8 → 9"),
        (f"{COUNTY},西湖支公司,outlet,{CITY},,\n", (2, "kind"), "管不了下级"),
        (f"{HEAD_OFFICE},总,head_office,{OUTLET_A},,\n", (2, "parent_code"), "一个圈"),
    ],
)
def test_a_wrong_tree_is_named_and_nothing_is_applied(
    cast: Database, now: datetime, rows: str, place: tuple[int, str], words: str
) -> None:
    before = state(cast)
    planned = run(cast, HEADING + rows, now)
    told = [(fault.row, fault.field) for fault in planned.faults]
    assert planned.blocked and place in told
    assert any(words in fault.line() for fault in planned.faults)
    assert state(cast) == before
    with pytest.raises(Invalid), cast.transaction() as session:
        outlet_changes.apply(session, planned, now)


def test_a_real_tree_over_the_demo_says_how_to_clear_it(cast: Database, now: datetime) -> None:
    with cast.transaction() as session:
        outlets.get(session, HEAD_OFFICE).demo = True
    planned = run(cast, HEADING + "0001,自己的总公司,head_office,,,\n", now)
    assert planned.blocked and "demo clear" in planned.faults[0].line()


def test_an_unknown_or_missing_column_blocks_even_with_skip_bad(cast: Database, now: datetime) -> None:
    planned = run(cast, "code,naam\n1,x\n", now, skip_bad=True)
    assert planned.blocked and [fault.field for fault in planned.faults][:2] == ["naam", "name"]


def test_skip_bad_applies_the_rest_and_gives_back_the_rows_with_reasons(
    cast: Database, now: datetime
) -> None:
    text = HEADING + (
        f"7,=坏省,province,{HEAD_OFFICE},去年,\n"  # bad date: falls, and takes its children with it
        "71,坏省的城市,city,7,,\n"
        "711,坏省的柜面,outlet,71,,\n"
        f"33010603,好柜面,outlet,{COUNTY},,\n"
    )
    planned = run(cast, text, now, skip_bad=True)
    assert [(fault.row, fault.field) for fault in planned.faults] == [(2, "open_on")]
    assert [row.number for row, _faults in planned.rejected] == [2, 3, 4]
    with cast.reading() as session:
        assert outlets.find(session, "33010603") and not outlets.find(session, "71")
    lines = outlet_output.rejected(HEADING.strip().split(","), planned).decode("utf-8-sig").splitlines()
    assert "不是日期" in lines[1] and ",'=坏省," in lines[1] and "没有导入" in lines[2]


def test_skip_bad_rejects_a_row_that_only_stood_through_a_rejected_one(cast: Database, now: datetime) -> None:
    # The move of A would be fine only if the rejected change of B's level took place.
    text = f"code,name,kind,parent,open since\n{OUTLET_B},古荡,county,{CITY},乱\n{OUTLET_A},文三,outlet,{OUTLET_B},\n"
    planned = run(cast, text, now, skip_bad=True)
    assert [row.number for row, _faults in planned.rejected] == [2, 3] and not planned.changes


kinds = st.sampled_from(["head_office", "province", "city", "county", "outlet", "bad"])
codes = st.sampled_from(["1", "2", "3", "4", "5", "6"])
rows = st.tuples(codes, st.sampled_from(["甲", "乙", ""]), kinds, st.just("") | codes | st.just("99"))
start = st.lists(rows, max_size=6)


@given(first=start, second=start, skip_bad=st.booleans())
@hypothesis_settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_file_is_applied_whole_or_not_at_all_and_the_tree_stays_a_tree(
    database: Database,
    now: datetime,
    first: list[tuple[str, ...]],
    second: list[tuple[str, ...]],
    skip_bad: bool,
) -> None:
    with database.transaction() as session:
        session.execute(delete(OutletSpan))
        session.execute(delete(Outlet))
    heading = "code,name,kind,parent\n"
    run(
        database,
        heading + "".join(",".join(row) + "\n" for row in first),
        now,
        day=date(2026, 1, 1),
        skip_bad=True,
    )
    before = state(database)
    text = heading + "".join(",".join(row) + "\n" for row in second)
    planned = run(database, text, now, skip_bad=skip_bad)
    after = state(database)
    if planned.blocked:
        assert planned.faults and after == before and not skip_bad
    elif not skip_bad:
        assert not planned.faults
        assert {row[0] for row in second} <= {cells[0] for cells in after[0]}
    assert bool(planned.faults) == bool(planned.rejected) or not skip_bad
    assert_is_tree(database)
    again = run(database, text, now, skip_bad=skip_bad)
    assert state(database) == after and not again.changes


def assert_is_tree(database: Database) -> None:
    with database.reading() as session:
        nodes = {each.code: each for each in outlets.everything(session)}
        assert sum(each.parent_code is None for each in nodes.values()) == bool(nodes)
        for each in nodes.values():
            if each.parent_code is not None:
                assert outlets.LEVELS[nodes[each.parent_code].kind] < outlets.LEVELS[each.kind]
        last = {span.code: span for span in outlets.spans(session)}
        assert set(last) == set(nodes)
        for code, span in last.items():
            assert (span.name, span.kind, span.parent_code) == (
                nodes[code].name,
                nodes[code].kind,
                nodes[code].parent_code,
            )
            assert span.valid_to is None


def race(database: Database, now: datetime, *, guarded: bool) -> tuple[list[Plan], list[Exception]]:
    """Two imports of the same new outlets at the same moment; unguarded, both plan before either applies."""
    text = HEADING + "1,总公司,head_office,,,\n2,甲省,province,1,,\n"
    together, done, failed = threading.Barrier(2, timeout=20), [], []

    def run_one() -> None:
        try:
            with database.transaction() as session:
                if guarded:
                    together.wait()
                    outlet_changes.lock(session)
                planned = outlet_changes.plan(session, outlet_files.read(text.encode()), TODAY)
                if not guarded:
                    together.wait()
                outlet_changes.apply(session, planned, now)
            done.append(planned)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=run_one) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return done, failed


def test_of_two_imports_at_once_the_second_sees_the_first(database: Database, now: datetime) -> None:
    if database.is_sqlite:
        pytest.skip("a write transaction of SQLite waits for another before it begins")
    done, failed = race(database, now, guarded=True)
    assert not failed and sorted(len(planned.changes) for planned in done) == [0, 2]


def test_control_without_the_lock_two_imports_at_once_collide(database: Database, now: datetime) -> None:
    if database.is_sqlite:
        pytest.skip("a write transaction of SQLite waits for another before it begins")
    _done, failed = race(database, now, guarded=False)
    assert [type(error) for error in failed] == [IntegrityError]
