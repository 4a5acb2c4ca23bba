"""The desk of pushing: from an empty list to a push that is watched, through HTTP as staff use it."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import FlaskLoginClient
from sqlmodel import select

from core import clock
from core.database import Database
from core.settings import Settings
from institution import approvals
from scheduler import starting
from scheduler.jobs import Outgoing
from scheduler.models import Delivery, DeliveryState, Plan, Push
from tests import entering, factories
from tests.scheduler import audience_cast
from tests.scheduler.receivers import ACCEPT, DROP_AFTER, MailReceiver
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

CSV = """姓名,邮箱,手机,同意用途,同意时间,同意来源
张三,p1@example.com,13812345678,education,2026-03-01,柜面
李四,p2@example.com,,education,2026-03-01,柜面
""".encode()
BAD = CSV + "王五,wrong,,education,2026-03-01,柜面\n".encode()


@pytest.fixture
def runtime(mail_settings: Settings) -> Iterator[Runtime]:
    runtime = build(mail_settings)
    yield runtime
    runtime.service(Outgoing).stop()
    runtime.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    app.test_client_class = FlaskLoginClient
    return app


def _client(app: Flask, database: Database, login: str) -> FlaskClient:
    with database.transaction() as session:
        account = factories.staff(session, login, clock.now())
        person = entering.begun(session, account)
    return app.test_client(user=person)


@pytest.fixture
def admin(app: Flask, database: Database) -> FlaskClient:
    return _client(app, database, factories.ADMINISTRATOR)


def _upload(client: FlaskClient, action: str, data: bytes = CSV, name: str = "老客户") -> str:
    form = {"name": name, "action": action, "file": (BytesIO(data), "people.csv")}
    answer = client.post("/desk/audience/import", data=form, follow_redirects=True)
    return answer.text


def _approved(admin: FlaskClient, database: Database, plan_id: int = 1) -> None:
    """The administrator submits at the desk, a colleague approves."""
    assert "已提交审批" in admin.post(f"/desk/plans/{plan_id}/submit", follow_redirects=True).text
    with database.transaction() as session:
        by = audience_cast.colleague(session, "he.approver", "何批准", "reviewer", clock.now())
        request = approvals.open_request(session, kind=starting.KIND, subject=str(plan_id))
        assert request is not None and request.id is not None
        approvals.decide(session, request.id, decision=approvals.APPROVED, by=by, now=clock.now())


def _plan_form(**more: str) -> dict[str, str]:
    form = {
        "name": "九月提醒",
        "list_id": "1",
        "route": "email:",
        "first_at": "2099-09-15T15:00",
        "subject": "退保前先问一问",
        "body": "先停一停。",
        "rhythm": "",
        "stale_hours": "6",
    }
    return {**form, **more}


def test_a_list_is_previewed_then_imported_and_shown_masked(admin: FlaskClient) -> None:
    assert "还没有名单" in admin.get("/desk/audience").text
    assert "还没有导入" in _upload(admin, "preview")
    assert "还没有名单" in admin.get("/desk/audience").text
    assert "已导入：新增 2" in _upload(admin, "import")
    page = admin.get("/desk/audience/1").text
    assert "p***@example.com" in page and "138****5678" in page
    assert "p1@example.com" not in page and "张三" not in page


def test_bad_rows_are_shown_with_their_rule_and_can_be_had_back(admin: FlaskClient) -> None:
    page = _upload(admin, "import", BAD)
    assert "邮箱地址的写法不对" in page and "什么都还没有导入" in page
    assert "王五" in admin.get(re.findall(r'"([^"]+rejected.csv)"', page)[0]).text
    assert "已导入：新增 2" in _upload(admin, "skip", BAD)
    assert "请给名单起一个名字" in _upload(admin, "import", CSV, name=" ")
    assert admin.post("/desk/audience/import", data={"name": "x"}).status_code == 400


def test_a_refusal_and_an_erasure_at_the_desk(admin: FlaskClient) -> None:
    _upload(admin, "import")
    form = {"channel": "email", "list_id": "1"}
    page = admin.post("/desk/audience/contacts/1/refuse", data=form, follow_redirects=True).text
    assert "已登记退订" in page and "电子邮件：已退订" in page
    form = {"list_id": "1", "reason": "本人来电要求"}
    assert admin.post("/desk/audience/contacts/2/erase", data=form).status_code == 400, "how was it seen?"
    form["evidence"] = "回拨登记的号码核实"
    page = admin.post("/desk/audience/contacts/2/erase", data=form, follow_redirects=True).text
    assert "已提出申请" in page and "李*" in page, "a second person decides"


def test_from_plan_to_push(
    admin: FlaskClient, runtime: Runtime, database: Database, mail: MailReceiver
) -> None:
    _upload(admin, "import")
    answer = admin.post("/desk/plans/new", data=_plan_form(), follow_redirects=True)
    assert "草稿" in answer.text and "邮件预览" in answer.text
    frame = admin.get("/desk/plans/1/mail")
    assert "张三，您好" in frame.text and "<style" not in frame.text and "css/mail.css" in frame.text
    assert "unsafe-inline" not in frame.headers["Content-Security-Policy"]
    assert "script" not in frame.headers["Content-Security-Policy"]
    assert admin.post("/desk/plans/1/activate").status_code == 409, "nobody approved it"
    _approved(admin, database)
    assert "已批准的就是现在这份内容" in admin.get("/desk/plans/1").text
    assert "到时间会自动推送" in admin.post("/desk/plans/1/activate", follow_redirects=True).text
    assert "请先暂停" in admin.post("/desk/plans/1", data=_plan_form(name="别的")).text
    assert "已暂停" in admin.post("/desk/plans/1/pause", follow_redirects=True).text
    assert "别的" in admin.post("/desk/plans/1", data=_plan_form(name="别的"), follow_redirects=True).text
    assert admin.post("/desk/plans/1/now").status_code == 409, "it was changed after the approval"
    _approved(admin, database)
    admin.post("/desk/plans/1/now")
    mail.inbox.behave = lambda number, address: DROP_AFTER if address == "p2@example.com" else ACCEPT
    runtime.service(Outgoing).run_once()
    page = admin.get("/desk/pushes/1").text
    assert "1 人结果不明" in page and "全部再发一次" in page
    assert admin.get("/desk/pushes/1/progress").get_json()["sent"] == 1
    assert "九月提醒" not in page and "别的" in page


def test_doubts_are_settled_by_a_person(
    admin: FlaskClient, runtime: Runtime, database: Database, mail: MailReceiver
) -> None:
    _upload(admin, "import")
    admin.post("/desk/plans/new", data=_plan_form())
    _approved(admin, database)
    admin.post("/desk/plans/1/now")
    line = runtime.service(Outgoing)
    line.plan()
    with database.transaction() as session:
        for row in session.exec(select(Delivery)):
            row.state = DeliveryState.uncertain
            session.add(row)
    line.run_once()
    page = admin.get("/desk/pushes/1").text
    assert "2 人结果不明" in page and "p***@example.com" in page and "p1@example.com" not in page
    number = re.search(r'name="id" value="(\d+)"', page)
    assert number is not None
    form = {"decision": "sent", "id": number[1]}
    assert "1 人已记为送达" in admin.post("/desk/pushes/1/uncertain", data=form, follow_redirects=True).text
    assert admin.post("/desk/pushes/1/uncertain", data={"decision": "?"}).status_code == 400
    admin.post("/desk/pushes/1/uncertain", data={"decision": "resend"})
    line.run_once()
    now = admin.get("/desk/pushes/1/progress").get_json()
    assert (now["sent"], now["uncertain"], now["moving"]) == (2, 0, False)
    assert len(mail.inbox.effects) == 1


def test_what_is_overtaken_is_asked(admin: FlaskClient, runtime: Runtime, database: Database) -> None:
    _upload(admin, "import")
    admin.post("/desk/plans/new", data=_plan_form())
    _approved(admin, database)
    admin.post("/desk/plans/1/activate")
    with database.transaction() as session:
        plan = session.get_one(Plan, 1)
        plan.next_due_at = clock.now().replace(year=2025)
        session.add(plan)
    runtime.service(Outgoing).plan()
    page = admin.get("/desk/pushes/1").text
    assert "仍然发送" in page and "超过了允许的延迟" in page
    assert "这一次不发了" in admin.post("/desk/pushes/1/skip", follow_redirects=True).text
    assert admin.post("/desk/pushes/1/start").status_code == 409
    with database.reading() as session:
        assert session.get_one(Push, 1).state == "skipped"


def test_a_wrong_form_comes_back_with_what_was_typed(admin: FlaskClient) -> None:
    _upload(admin, "import")
    answer = admin.post("/desk/plans/new", data=_plan_form(rhythm="custom", rule="FREQ=HOURLY", name="试试"))
    assert answer.status_code == 400
    assert "最密每天一次" in answer.text and 'value="试试"' in answer.text
    assert "请选择一份名单" in admin.post("/desk/plans/new", data=_plan_form(list_id="")).text
    assert "须是数字" in admin.post("/desk/plans/new", data=_plan_form(stale_hours="long")).text


def test_the_request_locks_the_plan_until_it_is_taken_back(admin: FlaskClient) -> None:
    _upload(admin, "import")
    admin.post("/desk/plans/new", data=_plan_form())
    admin.post("/desk/plans/1/submit", data={"reason": "下周要发"})
    page = admin.get("/desk/plans/1").text
    assert "撤回申请" in page and "审批期间不能修改" in page and 'name="subject"' not in page
    assert "正在审批" in admin.post("/desk/plans/1", data=_plan_form(name="别的")).text
    assert admin.post("/desk/plans/1/end").status_code == 409
    assert "申请已撤回" in admin.post("/desk/plans/1/take-back", follow_redirects=True).text
    assert admin.post("/desk/plans/1", data=_plan_form(name="别的")).status_code == 303
    assert admin.post("/desk/plans/1/take-back").status_code == 409


def test_two_who_edit_a_plan_see_both_versions(admin: FlaskClient) -> None:
    _upload(admin, "import")
    admin.post("/desk/plans/new", data=_plan_form())
    found = re.search(r'name="base" value="([^"]+)"', admin.get("/desk/plans/1").text)
    assert found is not None
    assert admin.post("/desk/plans/1", data=_plan_form(name="先存的", base=found[1])).status_code == 303
    answer = admin.post("/desk/plans/1", data=_plan_form(name="后存的", base=found[1]))
    assert answer.status_code == 409 and "先存的" in answer.text and "后存的" in answer.text
    again = re.search(r'name="base" value="([^"]+)"', answer.text)
    assert again is not None
    assert admin.post("/desk/plans/1", data=_plan_form(name="后存的", base=again[1])).status_code == 303
    assert "后存的" in admin.get("/desk/plans/1").text


def test_the_list_is_filtered_sorted_and_had_as_a_file(admin: FlaskClient) -> None:
    _upload(admin, "import")
    for name in ("甲计划", "乙计划"):
        admin.post("/desk/plans/new", data=_plan_form(name=name))
    page = admin.get("/desk/plans?q=甲").text
    assert "甲计划" in page and "乙计划" not in page
    assert "没有符合条件的计划" in admin.get("/desk/plans?state=active").text
    first = admin.get("/desk/plans?sort=-name").text
    assert first.index("甲计划") < first.index("乙计划")
    answer = admin.get("/desk/plans?q=乙&export=csv")
    assert (
        "乙计划" in answer.get_data().decode("utf-8-sig")
        and "attachment" in answer.headers["Content-Disposition"]
    )


def test_an_editor_may_not_push(app: Flask, database: Database) -> None:
    editor = _client(app, database, factories.EDITOR)
    for path in ("/desk/plans", "/desk/plans/new", "/desk/audience", "/desk/pushes/1", "/desk/channels"):
        assert editor.get(path).status_code == 403, path
    assert editor.post("/desk/plans/1/activate").status_code == 403
    assert editor.post("/desk/pushes/1/resume").status_code == 403


def test_nothing_there(admin: FlaskClient) -> None:
    for path in ("/desk/plans/9", "/desk/pushes/9", "/desk/audience/9", "/desk/plans/9/mail"):
        assert admin.get(path).status_code == 404, path
