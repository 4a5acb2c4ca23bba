"""After a push at the desk: steps from tracking, who did not get it, sending again what is worth it."""

import csv
import io
from collections.abc import Iterator
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution.audit_models import AuditRecord
from scheduler import after, after_reach, pushes
from scheduler.models import ChannelAccount, Delivery, DeliveryState, Push, PushState
from tests import entering, factories
from tests.scheduler import audience_cast
from tests.tracking import rows
from tracking.events import ReachEvent
from tracking.store import ReachStore
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

WORTH, USELESS = "微信接口每分钟的次数用完了，一分钟后再试。", "SMTP 550"


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    made = build(settings)
    with made.service(Database).transaction() as session:
        factories.cast(session, clock.now())
        audience_cast.fill_desk(session, made.service(Vault), clock.now())
        for row in session.exec(select(Delivery)):
            if row.state == DeliveryState.uncertain:
                row.state, row.reason = DeliveryState.failed, WORTH
            session.add(row)
    yield made
    made.close()


@pytest.fixture
def app(runtime: Runtime) -> Flask:
    found = create_app(runtime)
    found.config["WTF_CSRF_ENABLED"] = False
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return entering.client(app, factories.ADMINISTRATOR)


def failed(runtime: Runtime) -> list[str]:
    with runtime.service(Database).reading() as session:
        return sorted(
            row.reason for row in session.exec(select(Delivery).where(Delivery.state == DeliveryState.failed))
        )


@pytest.mark.parametrize(
    ("reason", "again"),
    [
        ("SMTP 550", False),
        ("SMTP 552", True),
        ("这个浏览器已取消订阅。", False),
        ("对方没有关注公众号。", False),
        ("企业里没有这位成员，或不在应用的可见范围内。", False),
        ("联系人已按本人要求删除。", False),
        ("号码在黑名单里", False),
        ("短信账户余额不足", True),
        ("HTTP 403", True),
        ("连接不上平台接口。", True),
        ("", True),
    ],
)
def test_what_is_worth_sending_again(reason: str, again: bool) -> None:
    assert after._step(reason)[1] is again


def test_only_what_is_worth_it_is_ticked_and_only_that_is_sent_again(
    client: FlaskClient, runtime: Runtime
) -> None:
    page = client.get("/desk/pushes/1/after").text
    ticks = {WORTH: "checked", USELESS: ""}
    for reason, ticked in ticks.items():
        tag = page[page.index(f'value="{after.number_of(reason)}"') :].partition(">")[0]
        assert ("checked" in tag) == bool(ticked)
    assert "p10@" not in page and "p***@example.com" in page, "addresses are masked"
    assert failed(runtime) == [USELESS, USELESS, WORTH, WORTH]
    answer = client.post(
        "/desk/pushes/1/retry", data={"reason": after.number_of(WORTH)}, follow_redirects=True
    )
    assert "2 人将再发一次" in answer.text and "请点“继续”" in answer.text
    assert failed(runtime) == [USELESS, USELESS]


def test_nothing_ticked_sends_nothing(client: FlaskClient, runtime: Runtime) -> None:
    for data in ({}, {"reason": "0123456789abcdef"}, {"reason": WORTH}):
        answer = client.post("/desk/pushes/1/retry", data=data)
        assert answer.status_code == 400 and "勾选" in answer.text
    assert len(failed(runtime)) == 4


def test_a_cancelled_push_offers_no_second_try(client: FlaskClient, runtime: Runtime) -> None:
    with runtime.service(Database).transaction() as session:
        pushes.cancel(session, 1, clock.now())
    assert 'name="reason"' not in client.get("/desk/pushes/1/after").text
    answer = client.post("/desk/pushes/1/retry", data={"reason": after.number_of(WORTH)})
    assert answer.status_code == 409 and len(failed(runtime)) == 4


def test_who_may_only_look_sees_no_button(app: Flask, runtime: Runtime) -> None:
    reader = entering.client(app, factories.REVIEWER)
    page = reader.get("/desk/pushes/1/after")
    assert page.status_code == 200 and 'name="reason"' not in page.text
    assert reader.post("/desk/pushes/1/retry", data={"reason": "x"}).status_code == 403


def test_the_file_is_masked_and_its_export_written_down(client: FlaskClient, runtime: Runtime) -> None:
    answer = client.get("/desk/pushes/1/failed.csv")
    heading, *lines = csv.reader(io.StringIO(answer.data.decode("utf-8-sig")))
    assert heading == ["收件人", "网点", "原因", "试过", "下一步"]
    assert len(lines) == 4 and {line[0] for line in lines} == {"p***@example.com"}
    assert {(line[2], line[4]) for line in lines if line[2] == USELESS} == {
        (USELESS, after.next_step(USELESS))
    }
    with runtime.service(Database).reading() as session:
        record = session.exec(select(AuditRecord).where(AuditRecord.action == "push.export")).one()
        assert record.subject == "1"


def test_long_lists_have_pages(
    client: FlaskClient, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scheduler.desk.aftermath.PAGE", 3)
    first = client.get("/desk/pushes/1/after").text
    assert first.count("p***@example.com") == 3
    following = first.partition("/after?from=")[2].partition("#")[0]
    second = client.get(f"/desk/pushes/1/after?from={following}").text
    assert second.count("p***@example.com") == 1 and "#failed" not in second
    assert client.get("/desk/pushes/1/after?from=x").status_code == 200


def test_steps_are_those_of_the_channel_by_outlet_and_beside_other_channels(
    runtime: Runtime, now: datetime
) -> None:
    zone = runtime.service(Settings).zone
    day = now.astimezone(zone).date()
    made = [
        ("delivered", factories.OUTLET_A, "email", 40), ("visited", factories.OUTLET_A, "email", 10),
        ("engaged", factories.OUTLET_A, "email", 5), ("delivered", factories.OUTLET_B, "email", 8),
        ("visited", factories.OUTLET_B, "wechat", 3), ("visited", factories.OUTLET_A, "email", 100),
    ]  # fmt: skip
    store = runtime.service(ReachStore)
    events = [
        ReachEvent(str(number), now, day, kind, count, 0, piece="ai-voice" if number < 5 else "other", outlet=outlet, channel=channel)
        for number, (kind, outlet, channel, count) in enumerate(made)
    ]  # fmt: skip
    rows.ship(store, "seg-after", events)
    push = Push(
        plan_id=1, due_at=now, state=PushState.done, channel="email", piece_key="ai-voice", started_at=now, created_at=now
    )  # fmt: skip
    with runtime.service(Database).reading() as session:
        found = after_reach.steps(session, store, push, zone, day)
        assert found is not None
        assert [one.now for one in found.whole.steps][:3] == [48, 10, 5]
        by = {row.key: [one.now for one in row.steps][:3] for row in found.outlets}
        assert by == {factories.OUTLET_A: [40, 10, 5], factories.OUTLET_B: [8, 0, 0]}
        assert {row.key for row in found.channels} == {"email", "wechat"}
        push.piece_key = ""
        assert after_reach.steps(session, store, push, zone, day) is None


def test_the_inbox_is_linked_only_beside_the_demo(client: FlaskClient, runtime: Runtime) -> None:
    assert "127.0.0.1:8099" not in client.get("/desk/channels").text
    with runtime.service(Database).transaction() as session:
        account = session.exec(select(ChannelAccount)).first()
        push = session.get_one(Push, 1)
        assert account is not None
        account.demo, push.account_id = True, account.id
        session.add_all([account, push])
    assert 'href="http://127.0.0.1:8099/"' in client.get("/desk/channels").text
    assert 'href="http://127.0.0.1:8099/?app=email"' in client.get("/desk/pushes/1").text
