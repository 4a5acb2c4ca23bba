"""The desk of imports and of the definition through HTTP: from a file to the books, faults, files, and whose they are."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from core import clock
from core.database import Database
from core.settings import Settings
from institution import approvals
from tests import entering, factories
from tests.tracking.imports import cast
from tracking import proposing
from tracking.drain import Drain
from tracking.imports import register, sources
from tracking.imports.depositing import Depositor
from tracking.store import ReachStore
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

YESTERDAY = (clock.today(cast.ZONE) - timedelta(days=1)).isoformat()
GOOD = f"日期,网点编号,内容,点播次数\n{YESTERDAY},{factories.OUTLET_A},full-surrender,64\n{YESTERDAY},{factories.OUTLET_B},,7\n"


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        cast.people(session)
        factories.person(session, "he.branch", "何省级", "branch_manager", cast.NOW, at=factories.PROVINCE)
        factories.person(
            session, "wei.outside", "魏外省", "branch_manager", cast.NOW, at=factories.OUTSIDE_PROVINCE
        )
    yield runtime
    runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return entering.client(app, cast.ANALYST)


def upload(client: FlaskClient, text: str = GOOD, source: str = "screens") -> str:
    """Upload a file; the address of its dry run."""
    given = {"source": source, "file": (io.BytesIO(text.encode()), "counts.csv")}
    answer = client.post("/desk/reach/imports/new", data=given)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def form_of(page: str) -> dict[str, str]:
    """What the form of the mapping would send as it stands."""
    found = {}
    for name, inner in re.findall(r'<select [^>]*name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'value="([^"]*)" selected', inner)
        found[name] = chosen[1] if chosen else ""
    return {
        name: value
        for name, value in found.items()
        if name.startswith(("column-", "constant-", "outlet_code"))
    }


def test_from_the_file_to_the_books(app: Flask, client: FlaskClient, runtime: Runtime) -> None:
    path = upload(client)
    page = client.get(path).text
    assert "每一行都没有问题" in page and "西湖文三路柜面" in page and "71" in page
    answer = client.post(path, data={**form_of(page), "action": "submit", "note": "科技部导出"})
    assert answer.status_code == 303, answer.text
    one = client.get(answer.headers["Location"]).text
    assert "待审批" in one and "科技部导出" in one
    with runtime.service(Database).reading() as session:
        request = approvals.open_request(session, kind=register.IMPORT, subject="1")
        assert request is not None
    decider = entering.client(app, cast.DECIDER)
    assert "导入触达数据" in decider.get("/desk/approvals").text
    asked = decider.get(f"/desk/approvals/{request.id}").text
    assert "柜面屏幕 · counts.csv" in asked and "访问 71" in asked
    done = decider.post(
        f"/desk/approvals/{request.id}/decide", data={"decision": "approved", "seen": request.subject_hash}
    )
    assert done.status_code == 302, done.text
    assert client.get("/desk/reach/imports/1/progress").json == {
        "share": 0.0,
        "moving": True,
        "parts": "0 / 1",
    }
    assert "data-moving" in client.get("/desk/reach/imports/1").text
    assert runtime.service(Depositor).run_once() == 1
    runtime.service(Drain).run_once()
    page = client.get("/desk/reach/imports/1").text
    assert "已入账" in page and "申请撤销" in page
    report = client.get(
        f"/desk/reach/download?from={YESTERDAY}&to={YESTERDAY}&by=outlet&compare=none&format=json"
    ).json
    assert report is not None and report["total"]["gross"] == 71
    assert client.post("/desk/reach/imports/1/undo", data={"reason": ""}).status_code == 400
    back = client.post("/desk/reach/imports/1/undo", data={"reason": "重报"})
    assert back.headers["Location"].endswith("/imports/2")
    assert "与原导入数量相反" in client.get("/desk/reach/imports/2").text
    assert client.post("/desk/reach/imports/1/undo", data={"reason": "再来"}).status_code == 400


def test_every_fault_is_listed_and_nothing_is_written(client: FlaskClient, runtime: Runtime) -> None:
    path = upload(client, GOOD + f"{YESTERDAY},99999999,nope,-3\n2099-01-01,{factories.OUTLET_A},,1\n")
    page = client.get(path).text
    for words in ("没有叫“99999999”的网点", "没有叫“nope”的内容", "不能是负数", "2099-01-01 还没有到"):
        assert words in page
    assert "提交审批" not in page
    form = form_of(page)
    refused = client.post(path, data={**form, "action": "submit"})
    assert refused.status_code == 400 and "一行也没有导入" in refused.text
    file = client.post(path, data={**form, "action": "faults"})
    assert file.mimetype == "text/csv" and len(file.data.decode("utf-8-sig").splitlines()) == 5
    with runtime.service(Database).reading() as session:
        assert register.earlier(session, "") is None
    assert "还没有导入过" in client.get("/desk/reach/imports").text


def test_the_mapping_is_mended_saved_and_used_again(client: FlaskClient) -> None:
    odd = f"日子,哪儿,多少\n{YESTERDAY},{factories.OUTLET_A},5\n"
    path = upload(client, odd)
    page = client.get(path).text
    assert "没有一列是日期" in page and "没有一列是数量" in page
    form = form_of(page) | {
        "column-0": "day",
        "column-1": "outlet",
        "column-2": "quantity",
        "constant-kind": "visited",
    }
    assert "每一行都没有问题" in client.post(path, data={**form, "action": "check"}).text
    saved = client.post(path, data={**form, "action": "save", "name": "自制表"})
    assert "已存为“自制表”" in saved.text
    assert client.post(path, data={**form, "action": "save", "name": ""}).status_code == 400
    again = upload(client, odd.replace(",5", ",6"))
    assert "自制表" in client.get(again).text
    assert "每一行都没有问题" in client.get(again + "?mapping=1").text
    assert client.get(again + "?mapping=77").status_code == 404
    assert "自制表" in client.get("/desk/reach/imports/new").text
    assert client.post("/desk/reach/imports/mappings/1/remove").status_code == 303
    assert "自制表" not in client.get("/desk/reach/imports/new").text
    broken = client.post(path, data={**form, "column-0": "nonsense", "action": "check"})
    assert broken.status_code == 400 and "对应关系不完整" in broken.text


def test_the_same_content_points_to_the_earlier_import(client: FlaskClient) -> None:
    path = upload(client)
    form = form_of(client.get(path).text)
    assert client.post(path, data={**form, "action": "submit"}).status_code == 303
    again = upload(client, GOOD.replace("\n", "\r\n"))
    page = client.get(again).text
    assert '<a href="/desk/reach/imports/1">' in page
    refused = client.post(again, data={**form, "action": "submit"})
    assert refused.status_code == 400 and "第 1 号导入" in refused.text


def test_a_branch_imports_for_its_part_alone(app: Flask, client: FlaskClient) -> None:
    branch, outside = entering.client(app, "he.branch"), entering.client(app, "wei.outside")
    path = upload(branch)
    page = branch.get(path).text
    assert "每一行都没有问题" in page
    form = form_of(page) | {"outlet_code": factories.PROVINCE, "action": "submit"}
    assert branch.post(path, data={**form, "outlet_code": ""}).status_code == 400
    assert branch.post(path, data={**form, "outlet_code": factories.OUTSIDE_PROVINCE}).status_code == 400
    assert client.get(path).status_code == 404, "an upload is its owner's alone"
    assert branch.post(path, data=form).status_code == 303
    for address in ("", "/progress", "/file"):
        assert branch.get(f"/desk/reach/imports/1{address}").status_code == 200
        assert outside.get(f"/desk/reach/imports/1{address}").status_code == 404
    assert outside.post("/desk/reach/imports/1/undo", data={"reason": "x"}).status_code == 404
    assert "counts.csv" not in outside.get("/desk/reach/imports").text
    stranger = upload(outside)
    assert "不在这次导入所属的机构里" in outside.get(stranger).text


def test_the_original_the_lines_and_the_list_come_as_files(client: FlaskClient) -> None:
    path = upload(client)
    client.post(path, data={**form_of(client.get(path).text), "action": "submit"})
    assert client.get("/desk/reach/imports/1/file").data == GOOD.encode()
    lines = client.get("/desk/reach/imports/1?export=csv").data.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("day,kind,outlet") and len(lines) == 3
    book = load_workbook(io.BytesIO(client.get("/desk/reach/imports?export=xlsx").data))
    values = [[cell.value for cell in row] for row in book.worksheets[0]]
    assert values[1][:3] == [1, "柜面屏幕 · counts.csv", "待审批"]
    for query in ("?source=sms", "?state=applied"):
        assert "没有符合条件的导入" in client.get(f"/desk/reach/imports{query}").text
    assert "counts.csv" in client.get("/desk/reach/imports?source=screens&state=waiting&sort=-quantity").text


@pytest.mark.parametrize("source", sources.SOURCES)
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_each_source_has_a_template_that_can_be_uploaded(client: FlaskClient, source: str, form: str) -> None:
    file = client.get(f"/desk/reach/imports/template?source={source}&export={form}")
    assert file.status_code == 200
    given = {"source": source, "file": (io.BytesIO(file.data), f"t.{form}")}
    answer = client.post("/desk/reach/imports/new", data=given)
    assert answer.status_code == 303
    assert "没有一列是" not in client.get(answer.headers["Location"]).text


@pytest.mark.parametrize("content", [b"", b"\xd0\xcf\x11\xe0old", b"PK\x03\x04no"])
def test_a_file_that_is_none_is_refused_with_a_sentence(client: FlaskClient, content: bytes) -> None:
    answer = client.post(
        "/desk/reach/imports/new", data={"source": "wechat", "file": (io.BytesIO(content), "x.csv")}
    )
    assert answer.status_code == 400 and 'role="alert"' in answer.text


def test_a_cell_is_shown_as_text(client: FlaskClient) -> None:
    path = upload(client, f"日期,<script>alert(1)</script>,数\n{YESTERDAY},<img src=x>,1\n")
    page = client.get(path).text
    assert "<script>alert" not in page and "<img src=x" not in page and "&lt;script&gt;" in page


def test_a_definition_is_tried_proposed_and_adopted(
    app: Flask, client: FlaskClient, runtime: Runtime
) -> None:
    refused = client.post("/desk/reach/definitions/propose", data={"action": "trial"})
    assert refused.status_code == 403  # who analyses reads; the definition is head office's to propose
    with runtime.service(Database).transaction() as session:
        factories.person(session, "li.lead", "李主管", "campaign_manager", cast.NOW)
    client = entering.client(app, "li.lead")
    page = client.get("/desk/reach/definitions")
    assert "2023-1" in page.text and "现行" in page.text
    runtime.service(ReachStore)
    form = {"kinds": ["visited", "shared"], "head_counts": ["import"]}
    tried = client.post(
        "/desk/reach/definitions/propose", data={**form, "action": "trial"}, follow_redirects=True
    )
    assert (
        tried.status_code == 200
        and "触达人次，按事件类别" in tried.text
        and "csrf_token=" not in tried.request.url
    )
    long = {**form, "action": "trial", "from": "2026-01-01", "to": "2026-06-30"}
    assert (
        "最多试算 31 天"
        in client.post("/desk/reach/definitions/propose", data=long, follow_redirects=True).text
    )
    more = {"version": "next", "valid_from": "2099-01-01", "note": "送达不算"}
    wrong = client.post("/desk/reach/definitions/propose", data={**form, **more, "valid_from": "2020-01-01"})
    assert wrong.status_code == 400 and "生效日期要在今天之后" in wrong.text
    assert client.post("/desk/reach/definitions/propose", data={**form, **more}).status_code == 303
    assert "待审的版本 next" in client.get("/desk/reach/definitions").text
    with runtime.service(Database).reading() as session:
        request = approvals.open_request(session, kind=proposing.KIND, subject=proposing.SUBJECT)
        assert request is not None
    decider = entering.client(app, cast.DECIDER)
    assert "访问＋转发" in decider.get(f"/desk/approvals/{request.id}").text
    assert decider.get("/desk/reach/definitions/propose?trial=1&kinds=visited").status_code == 200
    given = {"decision": "approved", "seen": request.subject_hash}
    assert decider.post(f"/desk/approvals/{request.id}/decide", data=given).status_code == 302
    after = client.get("/desk/reach/definitions").text
    assert "next" in after and "李主管" in after and "钱审批" in after


def test_a_branch_neither_proposes_nor_tries_out_the_nations_definition(app: Flask, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        factories.person(session, "du.analyst", "杜分析", "analyst", cast.NOW, at=factories.PROVINCE)
    branch = entering.client(app, "du.analyst")
    assert branch.get("/desk/reach/definitions").status_code == 200
    assert branch.get("/desk/reach/definitions/propose?trial=1").status_code == 302
    given = {"version": "x", "valid_from": "2099-01-01", "note": "x", "kinds": "visited"}
    assert branch.post("/desk/reach/definitions/propose", data=given).status_code == 403
