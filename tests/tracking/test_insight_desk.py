"""The pages beside the report through HTTP: what they show, as files too, and to whom."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook
from sqlmodel import select

from core import clock
from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.tracking.rows import event, ship
from tracking import annotations, demo, targets
from tracking.insight_models import ReachAnnotation, ReachTarget
from tracking.periods import named
from tracking.store import ReachStore
from tracking.targets import Aim
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

PAGES = ("growth", "growth?by=branch,outlet", "funnel", "likes", "campaigns", "targets", "notes")
WHERE = "/desk/reach/"


@pytest.fixture
def runtime(settings: Settings, now: datetime) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.tree(session, now)
        for login in (factories.ADMINISTRATOR, factories.BRANCH_MANAGER, factories.OUTLET_STAFF):
            factories.staff(session, login, clock.now())
        demo.describe_keys(session)
    yield runtime
    runtime.close()


@pytest.fixture
def visited(runtime: Runtime) -> Runtime:
    """Two campaigns in both provinces: 2 and 3 visitors a day, Sichuan is new this year."""
    both = [
        event(f"{year}-09-{day:02d}", outlet=outlet, visitor=visitor, campaign="demo-september", piece="p")
        for year, visitors, length in ((2022, 2, 4), (2023, 3, 2))
        for day in range(5, 5 + length)
        for visitor in range(1, visitors + 1)
        for outlet in (factories.OUTLET_A, factories.OUTSIDE_OUTLET)[: year - 2021]
    ]
    ship(runtime.service(ReachStore), "seg-1", both)
    return runtime


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def head(app: Flask) -> FlaskClient:
    return entering.client(app, factories.ADMINISTRATOR)


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    return entering.client(app, factories.BRANCH_MANAGER)


def test_empty_pages_say_what_to_do(head: FlaskClient) -> None:
    for page in PAGES:
        answer = head.get(WHERE + page)
        assert answer.status_code == 200, page
        assert 'class="empty"' in answer.text or page == "likes", page


def test_full_pages_keep_to_the_policy(visited: Runtime, head: FlaskClient) -> None:
    for page in PAGES:
        answer = head.get(WHERE + page)
        assert answer.status_code == 200, page
        assert "style=" not in answer.text and "<script>" not in answer.text, page
        drawn = len(re.findall(r'<svg class="chart"', answer.text))
        assert drawn == (2 if page[:4] in ("grow", "funn", "camp") else 0), page


def test_growth_names_what_is_new_and_adds_up(visited: Runtime, head: FlaskClient) -> None:
    page = head.get(WHERE + "growth").text
    assert "新增" in page and "+75.00" in page and "-25.00" in page and "+50.00" in page
    answer = head.get(WHERE + "growth?export=csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [(row["名称"], row["增减"], row["拉动（百分点）"]) for row in rows] == [
        ("四川省分公司", "6", "0.75"), ("浙江省分公司", "-2", "-0.25"), ("合计", "4", "0.5"),
    ]  # fmt: skip


def test_outlets_stand_under_their_province(visited: Runtime, head: FlaskClient) -> None:
    rows = head.get(WHERE + "growth?by=branch,outlet&export=json").get_json()["rows"]
    assert [(row["key"], row["key2"], row["change"]) for row in rows] == [
        (factories.OUTSIDE_PROVINCE, factories.OUTSIDE_OUTLET, 6), (factories.PROVINCE, factories.OUTLET_A, -2), ("", "", 4),
    ]  # fmt: skip


def test_files_carry_definition_filters_and_notes(visited: Runtime, head: FlaskClient) -> None:
    add_note(visited, "", "机房断电")
    for page in ("growth?", "funnel?", "likes?", "campaigns?"):
        book = load_workbook(io.BytesIO(head.get(f"{WHERE}{page}export=xlsx").get_data()))
        facts = {str(row[0].value): str(row[1].value) for row in book.worksheets[1].iter_rows()}
        assert "2023-1（送达＋访问＋到场）" in facts["触达定义"], page
        assert any("机房断电" in str(row[1].value) for row in book.worksheets[1].iter_rows()), page
    typed = load_workbook(io.BytesIO(head.get(WHERE + "growth?export=xlsx").get_data())).worksheets[0]
    assert (typed.cell(2, 3).value, typed.cell(2, 3).number_format) == (6, "#,##0")


def test_campaigns_of_unequal_length_lie_day_on_day(visited: Runtime, head: FlaskClient) -> None:
    rows = head.get(WHERE + "campaigns?export=json").get_json()["rows"]
    assert [(row["now"], row["now_sum"], row["before_sum"], row["growth"]) for row in rows] == [
        (6, 6, 2, 2.0), (6, 12, 4, 2.0), (None, None, 6, None), (None, None, 8, None),
    ]  # fmt: skip
    narrowed = head.get(WHERE + "campaigns?export=json&from=2023-09-06&to=2023-09-06").get_json()["rows"]
    assert narrowed[0]["now"] == 6 and narrowed[1]["now"] is None
    assert head.get(WHERE + "campaigns?from=2023-09-07&to=2023-09-06").status_code == 400


# somebody who has a part of the tree


def test_a_part_shows_nothing_of_another(visited: Runtime, manager: FlaskClient) -> None:
    add_note(visited, factories.OUTSIDE_PROVINCE, "四川停电")
    for page in PAGES:
        path = f"{WHERE}{page}{'&' if '?' in page else '?'}"
        for tail in ("", "export=json"):
            shown = manager.get(path + tail).text
            assert "四川" not in shown and "春熙路" not in shown, page
        for code in (factories.OUTSIDE_PROVINCE, factories.HEAD_OFFICE, "no-such-place"):
            assert manager.get(f"{path}within={code}").status_code == 404, page


def aim(code: str, value: str = "500", period: str = "2023") -> dict[str, str]:
    return {"outlet_code": code, "period": period, "measure": "gross", "value": value}


def kept(runtime: Runtime) -> dict[str, int]:
    with runtime.service(Database).reading() as session:
        return {row.outlet_code: row.value for row in session.exec(select(ReachTarget))}


def test_a_target_is_set_split_and_deleted(visited: Runtime, head: FlaskClient) -> None:
    assert head.post(WHERE + "targets", data=aim(factories.HEAD_OFFICE, "1.2万")).status_code == 302
    page = head.get(WHERE + "targets").text
    assert "12,000" in page and "分解到下级" in page
    preview = head.get(WHERE + "targets/1/split?deep=1").text
    assert "分得的目标" in preview
    assert kept(visited) == {factories.HEAD_OFFICE: 12_000}, "a preview writes nothing"
    head.post(WHERE + "targets/1/split", data={"deep": "1"})
    found = kept(visited)
    assert found[factories.PROVINCE] == found[factories.OUTLET_A] == 12_000
    head.post(WHERE + "targets/1/remove")
    assert factories.HEAD_OFFICE not in kept(visited)
    with visited.service(Database).reading() as session:
        actions = [
            one.action for one in session.exec(select(AuditRecord).where(AuditRecord.kind == "target"))
        ]
    assert actions == ["target.set", "target.split", "target.remove"]


def test_a_wrong_form_comes_back_with_its_words(runtime: Runtime, head: FlaskClient) -> None:
    answer = head.post(WHERE + "targets", data=aim(factories.PROVINCE, "many"))
    assert answer.status_code == 400
    assert "“many”不是数" in answer.text and 'value="many"' in answer.text
    assert kept(runtime) == {}


def test_nobody_sets_their_own_target_or_anothers(runtime: Runtime, manager: FlaskClient) -> None:
    own = manager.post(WHERE + "targets", data=aim(factories.PROVINCE))
    assert own.status_code == 400 and "自己的目标由上级机构设定" in own.text
    outside, nowhere = (
        manager.post(WHERE + "targets", data=aim(code)) for code in (factories.OUTSIDE_OUTLET, "nowhere")
    )
    assert outside.status_code == nowhere.status_code == 400
    assert (
        f"没有编号为“{factories.OUTSIDE_OUTLET}”的机构" in outside.text
        and "没有编号为“nowhere”的机构" in nowhere.text
    )
    assert manager.post(WHERE + "targets", data=aim(factories.CITY)).status_code == 302
    assert kept(runtime) == {factories.CITY: 500}


def test_what_was_given_from_above_cannot_be_deleted_below(runtime: Runtime, manager: FlaskClient) -> None:
    with runtime.service(Database).transaction() as session:
        number = targets.put(
            session, Aim(factories.PROVINCE, named("2023"), "gross", 9), by=None, now=clock.now()
        ).id
    assert manager.post(f"{WHERE}targets/{number}/remove").status_code == 404
    assert manager.post(f"{WHERE}targets/{number}/split", data={"deep": "0"}).status_code == 302
    assert kept(runtime) == {factories.PROVINCE: 9, factories.CITY: 9}


def test_who_only_reads_sets_nothing(app: Flask, runtime: Runtime) -> None:
    client = entering.client(app, factories.OUTLET_STAFF)
    assert client.get(WHERE + "targets").status_code == 200
    for path, data in (
        ("targets", aim(factories.OUTLET_A)),
        ("notes", {"text": "x"}),
        ("targets/import", {}),
    ):
        assert client.post(WHERE + path, data=data).status_code == 403


def upload(client: FlaskClient, text: str) -> str:
    answer = client.post(
        WHERE + "targets/import",
        data={"file": (io.BytesIO(text.encode()), "t.csv")},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 302, answer.text
    return answer.headers["Location"]


def test_an_import_is_applied_whole_or_not_at_all(runtime: Runtime, manager: FlaskClient) -> None:
    head = "机构编号,时间,目标\n"
    bad = upload(manager, f"{head}{factories.CITY},2023,10\n{factories.OUTSIDE_OUTLET},2023,10\n")
    assert "第 3 行“机构编号”" in manager.get(bad).text
    assert manager.post(bad).status_code == 400
    assert kept(runtime) == {}
    good = upload(manager, f"{head}{factories.CITY},2023,10\n{factories.COUNTY},2023,6\n")
    assert "会设定 2 个目标" in manager.get(good).text
    assert manager.post(good).status_code == 302
    assert kept(runtime) == {factories.CITY: 10, factories.COUNTY: 6}
    assert "没有什么要变的" in manager.get(good).text


def add_note(runtime: Runtime, code: str, text: str) -> None:
    with runtime.service(Database).transaction() as session:
        annotations.add(
            session, outlet_code=code, kind="outage", first=datetime(2023, 9, 5).date(), last=None, text=text,  # noqa: DTZ001
            by=None, now=clock.now(),
        )  # fmt: skip


def test_notes_are_written_shown_and_deleted_where_one_may(visited: Runtime, manager: FlaskClient) -> None:
    note = {"outlet_code": factories.CITY, "kind": "outage", "first": "2023-09-05", "text": "断网一天"}
    assert manager.post(WHERE + "notes", data=note).status_code == 302
    assert "断网一天" in manager.get(f"{WHERE}growth?within={factories.CITY}").text
    assert "断网一天" not in manager.get(WHERE + "growth").text, "what a city notes is not the province's"
    days = f"from=2023-09-01&to=2023-09-30&format=csv&within={factories.CITY}"
    report = manager.get(f"/desk/reach/download?{days.replace('csv', 'xlsx')}").get_data()
    facts = load_workbook(io.BytesIO(report)).worksheets[1]
    assert any("断网一天" in str(row[1].value) for row in facts.iter_rows()), "the report's file shows it too"
    for wrong in ({"kind": "x"}, {"first": "5.9."}, {"text": " "}, {"outlet_code": factories.OUTSIDE_OUTLET}):
        assert manager.post(WHERE + "notes", data=note | wrong).status_code == 400
    add_note(visited, "", "全国停机")
    assert "全国停机" in manager.get(WHERE + "growth").text
    with visited.service(Database).reading() as session:
        numbers = {row.text: row.id for row in session.exec(select(ReachAnnotation))}
    assert manager.post(f"{WHERE}notes/{numbers['全国停机']}/remove").status_code == 404
    assert manager.post(f"{WHERE}notes/{numbers['断网一天']}/remove").status_code == 302
