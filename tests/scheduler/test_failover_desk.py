"""An account that takes over, at the desk: chosen on the account's page, its template on the plan's, seen on the push's."""

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler import failover, planner
from scheduler.failover_models import PushFailover
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Plan
from tests import factories
from tests.scheduler.audience_cast import ZONE, account, people, plan, send_now
from webapp.create_app import create_app
from webapp.runtime import Runtime, build


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
        account(session, "https://one.example/", clock.now(), name="网关甲")
        account(session, "https://two.example/", clock.now(), name="网关乙")
        account(session, "https://far.example/", clock.now(), name="浙江网关", outlet_code=factories.PROVINCE)
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.service(Outgoing).stop()
    runtime.close()


def _runtime(app: Flask) -> Runtime:
    found: Runtime = app.extensions["signpost"]
    return found


def _save(admin: FlaskClient, number: int, name: str, **more: str) -> str:
    address = {1: "https://one.example/", 2: "https://two.example/"}[number]
    form = {"name": name, "address": address, "outlet_code": "", **more}
    return admin.post(f"/desk/channels/{number}", data=form, follow_redirects=True).text


def test_an_account_names_who_takes_over(app: Flask, admin: FlaskClient) -> None:
    page = admin.get("/desk/channels/1").text
    assert "接替账号" in page and "网关乙" in page and "浙江网关" not in page.split("接替账号")[1]
    assert "接替账号" not in admin.get("/desk/channels/new?kind=wecom_robot").text
    assert "渠道账号已保存" in _save(admin, 1, "网关甲", failover_id="2")
    assert '<option value="2" selected>' in admin.get("/desk/channels/1").text
    assert "绕回" in _save(admin, 2, "网关乙", failover_id="1")
    with _runtime(app).service(Database).reading() as session:
        assert session.get_one(ChannelAccount, 1).failover_id == 2
        assert session.get_one(ChannelAccount, 2).failover_id is None


def test_a_closed_stand_in_is_kept_and_shown(app: Flask, admin: FlaskClient) -> None:
    _save(admin, 1, "网关甲", failover_id="2")
    admin.post("/desk/channels/2/close")
    assert '<option value="2" selected>' in admin.get("/desk/channels/1").text
    assert "渠道账号已保存" in _save(admin, 1, "网关甲", failover_id="2")


def test_a_plan_keeps_the_template_of_the_account_that_takes_over(app: Flask, admin: FlaskClient) -> None:
    runtime = _runtime(app)
    with runtime.service(Database).transaction() as session:
        people(session, runtime.service(Vault), 1, clock.now())
    form = {
        "name": "提醒", "route": "webhook:1", "first_at": "2099-09-15T15:00", "subject": "先问一问", "body": "先问。",
        "list_id": "1", "rhythm": "", "stale_hours": "6", "failover_template": "1234567",
    }  # fmt: skip
    page = admin.post("/desk/plans/new", data=form, follow_redirects=True).text
    assert "计划已保存" in page and 'value="1234567"' in page
    assert "模板编号" in admin.post("/desk/plans/new", data=form | {"failover_template": "模板"}).text
    with runtime.service(Database).reading() as session:
        assert session.get_one(Plan, 1).failover_template == "1234567"


def test_a_push_says_who_took_over_since_when_and_why(app: Flask, admin: FlaskClient) -> None:
    _save(admin, 1, "网关甲", failover_id="2")
    runtime, now = _runtime(app), clock.now()
    with runtime.service(Database).transaction() as session:
        made = plan(
            session, people(session, runtime.service(Vault), 3, now), now, target="https://one.example/"
        )
        send_now(session, made, now)
        (push,) = planner.fire(session, made.id or 0, zone=ZONE, now=now)
        row = session.get_one(PushFailover, push.id)
        row.moved_at, row.reason = now, "余额不足"
        session.add(row)
    page = admin.get(f"/desk/pushes/{push.id}").text
    assert "由“网关乙”接替发送" in page and "余额不足" in page
    assert "最近一次由接替账号发送" in admin.get("/desk/channels/1").text
    assert "最近一次由接替账号发送" not in admin.get("/desk/channels/2").text
    with runtime.service(Database).reading() as session:
        assert failover.latest(session, 1) is not None
