"""The send calendar, the rules and what became of a push, at the desk."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, select

from campaign.contacts import Refusal
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler import after, cutting, planner, rules, starting
from scheduler.models import Delivery, DeliveryState, Push
from tests import entering, factories
from tests.scheduler import audience_cast
from tests.tracking.rows import event, ship
from tracking.store import ReachStore
from webapp.runtime import Runtime, build


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
    yield runtime
    runtime.close()


def test_the_calendar_shows_what_goes_out_and_proposes_where_it_does_not_fit(
    runtime: Runtime, admin: FlaskClient
) -> None:
    assert "这个月没有要发的" in admin.get("/desk/plans/calendar?month=2099-09").text
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        rules.change(session, "email", opens="08:00", closes="22:00", most=2, within=7, now=now)
        list_id = audience_cast.people(session, runtime.service(Vault), 2, now)
        daily = audience_cast.plan(
            session, list_id, now, name="每日一条", rule="FREQ=DAILY;COUNT=3", first_at="2099-09-14T23:00"
        )
        audience_cast.activate(session, daily, now)
        waiting = audience_cast.plan(session, list_id, now, name="还在审批", first_at="2099-09-20T10:00")
        asker = audience_cast.colleague(session, "xu.operator", "许推送", "push_operator", now)
        starting.request(session, waiting, by=asker, now=now)
        audience_cast.plan(session, list_id, now, name="草稿一份", first_at="2099-09-20T11:00")
    page = admin.get("/desk/plans/calendar?month=2099-09").text
    assert page.count("每日一条") >= 3 and "<time>08:00</time>" in page and "23:00" not in page
    assert "未启动" in page and "草稿一份" not in page
    assert "2 次放不下" in page and "每人 7 天内最多 2 次" in page and "改到 2099-09-2" in page
    assert "每日一条" not in admin.get("/desk/plans/calendar?month=2099-09&channel=webhook").text
    assert "这个月没有要发的" in admin.get("/desk/plans/calendar?month=2099-10").text


def test_the_calendar_of_a_province_shows_its_own(runtime: Runtime, app: Flask, admin: FlaskClient) -> None:
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        list_id = audience_cast.people(session, runtime.service(Vault), 2, now)
        made = audience_cast.plan(session, list_id, now, name="总公司的", first_at="2099-09-14T10:00")
        audience_cast.activate(session, made, now)
        factories.person(session, "local.op", "省推送", "push_operator", now, at=factories.PROVINCE)
    assert "总公司的" in admin.get("/desk/plans/calendar?month=2099-09").text
    assert "总公司的" not in entering.client(app, "local.op").get("/desk/plans/calendar?month=2099-09").text


def test_rules_are_decided_by_who_is_in_charge_of_all_channels(
    runtime: Runtime, app: Flask, admin: FlaskClient
) -> None:
    form = {"channel": "email", "opens": "09:00", "closes": "21:00", "most": "3", "days": "30"}
    assert "规则已保存" in admin.post("/desk/plans/rules", data=form, follow_redirects=True).text
    assert 'value="09:00"' in admin.get("/desk/plans/rules").text
    wrong = admin.post("/desk/plans/rules", data=form | {"closes": "08:00"})
    assert wrong.status_code == 400 and "结束时间须晚于开始时间" in wrong.text
    assert admin.post("/desk/plans/rules", data=form | {"most": "many"}).status_code == 400
    assert admin.post("/desk/plans/rules", data=form | {"channel": "pigeon"}).status_code == 400
    with runtime.service(Database).transaction() as session:
        factories.person(
            session, "local.admin", "省管理", "administrator", clock.now(), at=factories.PROVINCE
        )
    local = entering.client(app, "local.admin")
    assert local.post("/desk/plans/rules", data=form | {"opens": "00:00"}).status_code in (403, 404)
    assert "09:00–21:00" in local.get("/desk/plans/rules").text
    page = admin.get("/desk/plans/new").text
    assert 'name="off_days"' in page


def test_after_a_push_reasons_are_counted_with_what_to_do_and_who_said_no(
    runtime: Runtime, admin: FlaskClient
) -> None:
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        list_id = audience_cast.people(session, runtime.service(Vault), 5, now)
        made = audience_cast.plan(session, list_id, now)
        audience_cast.send_now(session, made, now)
        (push,) = planner.fire(session, made.id or 0, zone=audience_cast.ZONE, now=now)
        cutting.cut(session, push.id or 0, batch_sizes={"email": 50}, now=now)
        rows = list(session.exec(select(Delivery).order_by(col(Delivery.id))))
        for row, reason in zip(rows, ("SMTP 550", "SMTP 550", "在黑名单里", "", ""), strict=True):
            row.state = DeliveryState.failed if reason else DeliveryState.sent
            row.reason, row.settled_at = reason, now
        for row, at in (
            (rows[3], now + timedelta(hours=1)),
            (rows[4], now - timedelta(days=1)),
            (rows[0], now),
        ):
            session.add(Refusal(channel="email", address_index=row.address_index, refused_at=at, via="test"))
        session.flush()
        assert [(one.reason, one.count) for one in after.failures(session, push.id or 0)] == [
            ("SMTP 550", 2), ("在黑名单里", 1)
        ]  # fmt: skip
        assert after.unsubscribed(session, push) == 1, "who had it, and said no after it"
    page = admin.get("/desk/pushes/1").text
    assert "为什么失败" in page and "不再发" in page and "核对地址" in page
    assert re.search(r"之后退订</div><div class=\"v\"[^>]*>1<", page)
    assert "p***@example.com" in page and "p1@example.com" not in page
    assert "打开多少说不准" in page, "nothing tells its readers from others"


def test_what_was_read_is_counted_by_campaign_channel_and_piece(
    runtime: Runtime,
) -> None:
    day = clock.today(audience_cast.ZONE)
    mine: dict[str, Any] = {
        "channel": "email",
        "campaign": "week",
        "piece": "p",
        "outlet": factories.OUTLET_A,
    }
    others: list[dict[str, Any]] = [
        {"channel": "sms"},
        {"campaign": "other"},
        {"piece": "q"},
        {"kind": "shared"},
    ]
    events = [event(str(day), visitor=number, **mine) for number in (1, 1, 2)]
    events += [event(str(day), kind="engaged", visitor=1, **mine)]
    events += [event(str(day), **{**mine, "visitor": 9, **more}) for more in others]
    events += [event(str(day - timedelta(days=1)), visitor=9, **mine)]
    ship(runtime.service(ReachStore), "seg-1", events)
    with runtime.service(Database).transaction() as session:
        push = Push(
            plan_id=1, due_at=clock.now(), state="done", list_id=1, channel="email", campaign="week", piece_key="p",
            created_at=clock.now(),
        )  # fmt: skip
        found = after.read(session, runtime.service(ReachStore), push, audience_cast.ZONE)
        assert found == after.Read(opened=2, clicked=3, engaged=1)
        push.outlet_code = factories.OUTSIDE_PROVINCE
        assert after.read(session, runtime.service(ReachStore), push, audience_cast.ZONE) == after.Read(
            0, 0, 0
        )
        push.campaign, push.piece_key = "", ""
        assert after.read(session, runtime.service(ReachStore), push, audience_cast.ZONE) is None
