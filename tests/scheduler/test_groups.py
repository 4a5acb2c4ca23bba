"""A plan into a group, from the account's form to the message at the (sandboxed) platform, and trying it before."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, select

from core import clock
from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditRecord
from scheduler import plans, starting
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Delivery, DeliveryState, Plan, Push
from scheduler.sandbox import wecom_robot
from scheduler.sandbox.core import Fault, Sandbox
from tests import factories
from tests.scheduler import audience_cast
from tests.servers import free_port, listening
from webapp.create_app import create_app
from webapp.runtime import build

SECRET = f"https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key={wecom_robot.KEY}"
TRY = "/desk/channels/1/test"


@pytest.fixture
def sandbox() -> Iterator[tuple[Sandbox, str]]:
    made, port = Sandbox(), free_port()
    made.add(wecom_robot.WecomRobot())
    with listening(made, port):
        yield made, f"http://127.0.0.1:{port}/wecom_robot"


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.service(Outgoing).stop()
    runtime.close()


def _account(admin: FlaskClient, address: str, **more: str) -> str:
    form = {"name": "网点群", "address": address, "secret": SECRET, "outlet_code": "", **more}
    return admin.post("/desk/channels/new?kind=wecom_robot", data=form, follow_redirects=True).text


def _plan(admin: FlaskClient, **more: str) -> str:
    form = {
        "name": "群里提醒", "route": "wecom_robot:1", "first_at": "2099-09-15T15:00", "subject": "退保前先问一问",
        "body": "先停一停。", "summary": "先停一停，问一问，再转账。", "rhythm": "", "stale_hours": "6", **more,
    }  # fmt: skip
    return admin.post("/desk/plans/new", data=form, follow_redirects=True).text


def test_the_form_asks_what_the_channel_asks_and_keeps_its_secret(
    app: Flask, admin: FlaskClient, sandbox: tuple[Sandbox, str]
) -> None:
    blank = admin.get("/desk/channels/new?kind=wecom_robot").text
    assert 'name="secret"' in blank and "https://qyapi.weixin.qq.com" in blank
    assert "请填写" in _account(admin, sandbox[1], secret=""), "a robot without its key posts nowhere"
    page = _account(admin, sandbox[1])
    assert "渠道账号已保存" in page and "企业微信" in page
    for path in ("/desk/channels", "/desk/channels/1", "/desk/channels?export=csv", "/desk/plans/new"):
        assert wecom_robot.KEY not in admin.get(path).text, path
    with _reading(app) as session:
        row = session.get_one(ChannelAccount, 1)
        assert wecom_robot.KEY not in row.secret_sealed + row.line + str(
            session.exec(select(AuditRecord.after)).all()
        )
    moved = _again(admin, {"name": "网点群", "address": "https://evil.example", "secret": ""})
    assert "请把密钥再填一次" in moved
    assert "渠道账号已保存" in _again(admin, {"name": "新名字", "address": sandbox[1], "secret": ""})


def _again(admin: FlaskClient, form: dict[str, str]) -> str:
    base = re.search(r'name="base" value="([^"]+)"', admin.get("/desk/channels/1").text)
    assert base is not None
    return admin.post("/desk/channels/1", data=form | {"base": base[1]}, follow_redirects=True).text


def _reading(app: Flask):  # type: ignore[no-untyped-def]
    return app.extensions["signpost"][Database].transaction()


def test_an_account_is_tried_noted_and_not_often(
    app: Flask, admin: FlaskClient, sandbox: tuple[Sandbox, str]
) -> None:
    _account(admin, sandbox[1])
    assert "已交给平台" in admin.post(TRY, follow_redirects=True).text
    assert [one.to for one in sandbox[0].arrived] == [wecom_robot.GROUP]
    sandbox[0].fail("wecom_robot", Fault("code", 93000))
    assert "已交给平台" not in admin.post(TRY, follow_redirects=True).text
    for _turn in range(3):
        admin.post(TRY)
    assert admin.post(TRY).status_code == 409, "the sixth in ten minutes"
    assert len(sandbox[0].arrived) == 4
    with _reading(app) as session:
        told = session.exec(select(AuditRecord).where(AuditRecord.action == "channel.test")).all()
        assert len(told) == 5
    admin.post("/desk/channels/1/close")
    assert "账号已停用" in admin.get("/desk/channels/1").text


def test_a_plan_into_a_group_needs_no_list_and_goes_once(
    app: Flask, admin: FlaskClient, sandbox: tuple[Sandbox, str]
) -> None:
    _account(admin, sandbox[1])
    page = _plan(admin)
    assert "计划已保存" in page and 'class="phone chat"' in page and "先停一停，问一问，再转账。" in page
    assert "请选择一份名单" in _plan(admin, route="email:")
    with _reading(app) as session:
        made = session.get_one(Plan, 1)
        assert made.list_id is None
        at = clock.now() - timedelta(minutes=clock.now().minute % 30 == 0)  # a full or half hour would wait
        audience_cast.send_now(session, made, at)
    line = app.extensions["signpost"][Outgoing]
    line.planner.tick(at)
    line.run_once()
    (arrived,) = sandbox[0].arrived
    assert "退保前先问一问" in arrived.title + arrived.text and sandbox[0].breaches == []
    with _reading(app) as session:
        (row,) = session.exec(select(Delivery)).all()
        assert row.state == DeliveryState.sent and row.contact_id == 0
        assert session.exec(select(Push.total)).one() == 1


def test_a_plan_is_tried_before_and_copied_for_another_channel(
    app: Flask, admin: FlaskClient, sandbox: tuple[Sandbox, str]
) -> None:
    _account(admin, sandbox[1])
    _plan(admin)
    assert "已交给平台" in admin.post("/desk/plans/1/try", follow_redirects=True).text
    assert len(sandbox[0].arrived) == 1
    copy = admin.get("/desk/plans/new?like=1&channel=email").text
    assert "群里提醒（电子邮件）" in copy and "先停一停，问一问，再转账。" in copy
    assert re.search(r'value="email:" selected', copy)


def test_what_leads_elsewhere_is_approved_anew(
    app: Flask, admin: FlaskClient, sandbox: tuple[Sandbox, str]
) -> None:
    """The key alone says which group it is: another key, another approval. So for every part of the message."""
    _account(admin, sandbox[1])
    _plan(admin)
    with _reading(app) as session:
        made = session.get_one(Plan, 1)
        audience_cast.activate(session, made, clock.now())
        before = starting.digest(session, made)
        for name, value in (
            ("summary", "另一句"), ("template", "SMS_1"), ("parameters", [["name", "x"]]), ("off_days", "skip")
        ):  # fmt: skip
            old = getattr(made, name)
            setattr(made, name, value)
            assert starting.digest(session, made) != before, name
            setattr(made, name, old)
        assert starting.digest(session, made) == before
    other = SECRET.replace("c0de", "c0df")
    page = _again(admin, {"name": "网点群", "address": sandbox[1], "secret": other})
    assert "1 份执行中的计划已暂停" in page
    with _reading(app) as session:
        made = plans.get(session, 1)
        assert made.state == "paused" and not _approved(session, made)


def _approved(session: Session, made: Plan) -> bool:
    return starting.approved(session, made)
