"""The desk of bases: forms, conflicts, imports and archives, each within one's own part of the tree."""

import io
import re
import zipfile

import pytest
from flask.testing import FlaskClient

from campaign.base import archives, keeping
from campaign.base.carrying import Archives
from core import clock
from core.cells import to_csv
from core.database import Database
from tests import factories
from tests.campaign.conftest import Desk, token
from webapp.runtime import Runtime

OUTLET, BASE = factories.OUTLET_A, "/desk/base"
pytestmark = pytest.mark.usefixtures("cast")


@pytest.fixture
def branch(desk: Desk) -> FlaskClient:
    return desk(factories.BRANCH_MANAGER)


@pytest.fixture
def clerk(desk: Desk) -> FlaskClient:
    return desk(factories.OUTLET_STAFF)


def _base(client: FlaskClient, path: str) -> dict[str, str]:
    found = re.search(r'name="base" value="([^"]*)"', client.get(path).text)
    assert found
    return {"csrf_token": token(client, path), "base": found[1]}


def test_the_staff_of_an_outlet_keep_their_own_and_see_no_other(clerk: FlaskClient) -> None:
    page = f"{BASE}/{OUTLET}"
    said = _base(clerk, page) | {"services": ["lecture", "policy", "nonsense"], "services_text": "下午也讲。"}
    assert clerk.post(page, data=said).status_code == 303
    assert "下午也讲。" in clerk.get(f"/o/{OUTLET}").text
    assert "保单读懂与整理" in clerk.get(page).text
    for other in (factories.OUTLET_B, factories.COUNTY, factories.OUTSIDE_OUTLET, "99999999"):
        assert clerk.get(f"{BASE}/{other}").status_code == 404, other
        assert clerk.post(f"{BASE}/{other}", data=said).status_code == 404
    listed = clerk.get(BASE).text
    assert "西湖文三路柜面" in listed and "西湖古荡柜面" not in listed


def test_a_fault_keeps_what_was_typed(branch: FlaskClient) -> None:
    page = f"{BASE}/{OUTLET}"
    said = _base(branch, page) | {"services": ["screen"], "facilities_text": "字" * 301}
    answer = branch.post(page, data=said)
    assert answer.status_code == 400
    assert "最多 300 个字" in answer.text and "字" * 301 in answer.text
    assert re.search(r'value="screen" checked', answer.text)


def test_who_comes_second_sees_both_versions(branch: FlaskClient, clerk: FlaskClient) -> None:
    page = f"{BASE}/{factories.OUTLET_A}"
    mine, theirs = _base(branch, page), _base(clerk, page)
    assert (
        clerk.post(page, data=theirs | {"services": ["check"], "services_text": "先来的"}).status_code == 303
    )
    answer = branch.post(page, data=mine | {"services": ["screen"], "services_text": "后到的"})
    assert answer.status_code == 409
    assert "先来的" in answer.text and "后到的" in answer.text and "大屏循环播放" in answer.text
    now = re.search(r'name="base" value="([^"]*)"', answer.text)
    assert now
    chosen = mine | {"base": now[1], "services": ["screen"], "services_text": "后到的"}
    assert branch.post(page, data=chosen).status_code == 303


def test_a_shelf_is_arranged_by_buttons(branch: FlaskClient, runtime: Runtime) -> None:
    page, code = f"{BASE}/{factories.OUTLET_B}", factories.OUTLET_B
    secret = {"csrf_token": token(branch, page)}
    for said in (
        {"piece": "full-surrender", "add": "1"},
        {"piece": "ai-voice", "add": "1"},
        {"up": "ai-voice"},
    ):
        assert branch.post(f"{page}/shelf", data=secret | said).status_code == 303
    with runtime.service(Database).reading() as session:
        assert [one.key for one in keeping.shelf(session, code).pieces] == ["ai-voice", "full-surrender"]
    assert branch.post(f"{page}/shelf", data=secret | {"piece": "no-such"}).status_code == 404
    for key in ("ai-voice", "full-surrender"):
        branch.post(f"{page}/shelf", data=secret | {"out": key})
    assert "西湖支公司" in branch.get(page).text, "the shelf of the county is told again"


def test_a_pairing_code_is_shown_once(branch: FlaskClient) -> None:
    page = f"{BASE}/{OUTLET}"
    secret = {"csrf_token": token(branch, page)}
    answer = branch.post(f"{page}/screens", data=secret | {"name": "入口"})
    found = re.search(r'class="code">(\w{4}-\w{4})<', answer.text)
    assert found and found[1] not in branch.get(page).text
    number = re.findall(r"/screens/(\d+)/end", answer.text)[-1]
    assert branch.post(f"{BASE}/{factories.OUTLET_B}/screens/{number}/end", data=secret).status_code == 404
    assert branch.post(f"{page}/screens/{number}/end", data=secret).status_code == 303
    assert branch.post(f"{page}/screens", data=secret | {"name": ""}).status_code == 400


def test_a_file_is_previewed_then_applied_within_ones_part(branch: FlaskClient) -> None:
    path = f"{BASE}/import"
    rows = [[OUTLET, "讲座"], [factories.OUTSIDE_OUTLET, "讲座"]]
    data = {"csrf_token": token(branch, path)}
    upload = {"file": (io.BytesIO(to_csv(["网点编号", "服务项目"], rows)), "a.csv")}
    first = branch.post(path, data=data | upload)
    preview = branch.get(first.headers["Location"])
    assert "第 3 行“网点编号”" in preview.text and "春熙路" not in preview.text
    assert branch.post(first.headers["Location"], data=data).status_code == 400
    upload = {"file": (io.BytesIO(to_csv(["网点编号", "服务项目"], rows[:1])), "a.csv")}
    second = branch.post(path, data=data | upload).headers["Location"]
    assert branch.post(second, data=data).headers["Location"] == BASE
    assert branch.get(f"{BASE}/example?export=xlsx").data[:2] == b"PK"


def test_an_archive_holds_ones_own_outlets_and_is_handed_to_nobody_outside(
    branch: FlaskClient, clerk: FlaskClient, desk: Desk, runtime: Runtime
) -> None:
    path = f"{BASE}/plaques"
    said = {"csrf_token": token(branch, path), "outlet_code": factories.PROVINCE, "size": "A4", "form": "svg"}
    assert branch.post(path, data=said | {"outlet_code": ""}).status_code in (400, 403)
    assert branch.post(path, data=said | {"outlet_code": factories.OUTSIDE_PROVINCE}).status_code in (
        400,
        403,
    )
    asked = branch.post(path, data=said)
    assert asked.status_code == 303
    page = asked.headers["Location"]
    assert branch.get(f"{page}/plaques.zip").status_code == 404, "not before it is made"
    moving = branch.get(page).text
    assert 'http-equiv="refresh"' in moving, "without a script it loads itself anew"
    assert branch.get(f"{page}/progress").get_json()["moving"] is True
    runtime.service(Archives).run_once()
    answer = branch.get(f"{page}/plaques.zip")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as file:
        text = "".join(file.namelist())
    answer.close()
    assert OUTLET in text and factories.OUTSIDE_OUTLET not in text
    assert 'http-equiv="refresh"' not in branch.get(page).text
    for other in (clerk, desk(factories.OUTSIDER)):
        for where in (page, f"{page}/progress", f"{page}/plaques.zip"):
            assert other.get(where).status_code == 404
        assert page not in other.get(path).text
    assert desk(factories.REVIEWER).get(f"{page}/plaques.zip").status_code == 403


def test_one_that_moves_can_be_cancelled(branch: FlaskClient, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        codes = [OUTLET]
        one = archives.ask(session, factories.CITY, codes, size="A3", pdf=False, by=None, now=clock.now())
    page = f"{BASE}/plaques/{one.id}"
    secret = {"csrf_token": token(branch, page)}
    assert branch.post(f"{page}/cancel", data=secret).status_code == 303
    assert branch.post(f"{page}/cancel", data=secret).status_code == 409


def test_one_plaque_as_a_drawing(branch: FlaskClient) -> None:
    answer = branch.get(f"{BASE}/{OUTLET}/plaque.svg?size=A4")
    assert (
        answer.mimetype == "image/svg+xml"
        and "西湖文三路柜面" in answer.text
        and 'width="297mm"' in answer.text
    )
    assert branch.get(f"{BASE}/{OUTLET}/plaque.svg?size=A0").status_code == 400
    assert branch.get(f"{BASE}/{factories.OUTSIDE_OUTLET}/plaque.svg").status_code == 404
