"""Whom a plan means, at the desk and through HTTP: segments with a live count, follow-ups, the booster, opened links."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import Session, col, select

from campaign import segments
from campaign.segments import Filters
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler import cutting, openings, outcomes, planner
from scheduler.models import Delivery, DeliveryState, Plan, Push, PushState
from scheduler.opening_models import Opening
from tests import entering, factories
from tests.scheduler import audience_cast
from webapp.runtime import Runtime, build

AGENT = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36"}
FORM = {
    "name": "给人群", "route": "email:", "first_at": "2099-09-15T15:00", "subject": "退保前先问一问",
    "body": "先停一停。", "rhythm": "", "stale_hours": "6", "purpose": "education",
}  # fmt: skip


@pytest.fixture
def runtime(settings: Settings) -> Iterator[Runtime]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, clock.now())
        audience_cast.people(session, runtime.service(Vault), 3, clock.now())
        segments.make(session, "收邮件的人", Filters(channel="email"), outlet_code="", now=clock.now())
    yield runtime
    runtime.close()


def _pushed(runtime: Runtime, piece: str = "") -> int:
    """A push that all three got."""
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        made = audience_cast.plan(session, 1, now, name="第一次")
        audience_cast.send_now(session, made, now)
        (push,) = planner.fire(session, made.id or 0, zone=audience_cast.ZONE, now=now)
        cutting.cut(session, push.id or 0, batch_sizes={"email": 50}, now=now)
        for row in session.exec(select(Delivery)):
            row.state, row.settled_at = DeliveryState.sent, now
        push = session.get_one(Push, push.id)
        push.state, push.piece_key = PushState.done, piece
        return push.id or 0


def _opened(session: Session) -> int:
    return len(session.exec(select(Opening)).all())


def test_a_plan_to_a_segment_with_its_live_count(runtime: Runtime, app: Flask, admin: FlaskClient) -> None:
    page = admin.get("/desk/plans/new").text
    assert "收邮件的人" in page and "/desk/plans/count" in page
    asked = "/desk/plans/count?route=email:&segment_id=1&purpose="
    assert admin.get(asked + "education").json["reached"] == 3  # type: ignore[index]
    assert admin.get(asked + "marketing").json["reached"] == 0  # type: ignore[index]
    assert admin.get("/desk/plans/count?route=email:&segment_id=1&list_id=1").json == {"text": ""}
    with runtime.service(Database).transaction() as session:
        factories.person(session, "local.op", "省推送", "push_operator", clock.now(), at=factories.PROVINCE)
    assert entering.client(app, "local.op").get(asked + "education").status_code == 404
    both = FORM | {"list_id": "1", "segment_id": "1"}
    assert "只能选一样" in admin.post("/desk/plans/new", data=both).text
    assert (
        "草稿" in admin.post("/desk/plans/new", data=FORM | {"segment_id": "1"}, follow_redirects=True).text
    )
    page = admin.get("/desk/plans/1?count=1").text
    assert "现在能收到 3 人" in page and re.search(r'value="1" selected>收邮件的人', page)
    assert "人群：收邮件的人" in admin.get("/desk/plans").text


def test_a_follow_up_is_written_and_shown(runtime: Runtime, admin: FlaskClient) -> None:
    admin.post("/desk/plans/new", data=FORM | {"list_id": "1", "name": "第一份"})
    form = FORM | {"follows_id": "1", "follows_days": "3", "follows_when": "unopened", "name": "第二份"}
    assert "草稿" in admin.post("/desk/plans/new", data=form, follow_redirects=True).text
    assert "“第一份”每次推送 3 天后：收到了，没有打开链接" in admin.get("/desk/plans").text
    admin.post("/desk/plans/2", data=form | {"follows_days": "5", "base": ""})
    page = admin.get("/desk/plans/2").text
    assert "马上发送" not in page and '<details class="more" open' in page


def test_a_link_says_once_which_message_was_opened_and_leads_to_our_own_pages(
    runtime: Runtime, app: Flask
) -> None:
    push_id, visitor = _pushed(runtime), app.test_client()
    with runtime.service(Database).reading() as session:
        key = session.exec(select(Delivery.key).order_by(col(Delivery.id))).first() or ""
    link = openings.marked("/help", key)
    for agent, count in (("curl/8.0", 0), (AGENT["User-Agent"], 1), (AGENT["User-Agent"], 1)):
        answer = visitor.get(f"{link}?a=token", headers={"User-Agent": agent})
        assert answer.status_code == 302 and answer.headers["Location"] == "/help?a=token"
        assert answer.headers["Cache-Control"] == "no-store"
        with runtime.service(Database).reading() as session:
            assert _opened(session) == count
            assert outcomes.opened(session, push_id) == count
    visitor.head(openings.marked("/help", key[::-1]), headers=AGENT)
    for path in ("//evil.example/x", "/\\evil.example", "/https://evil.example"):
        place = visitor.get(f"/g/{key}{path}", headers=AGENT).headers.get("Location", "/")
        assert re.match(r"/(?![/\\])", place.removeprefix("http://localhost")), place
    with runtime.service(Database).reading() as session:
        assert _opened(session) == 1


def test_the_booster_is_one_click_on_the_page_of_a_push(runtime: Runtime, admin: FlaskClient) -> None:
    push_id = _pushed(runtime)
    page = admin.get(f"/desk/pushes/{push_id}").text
    found = re.search(r'name="first_at"[^>]*value="([^"]+)"', page)
    assert found is not None and "还没有同一主题的另一种形式" in page and "点开链接的收件人" in page
    done = admin.post(
        f"/desk/pushes/{push_id}/booster", data={"first_at": found[1]}, follow_redirects=True
    ).text
    assert "草稿已排上日历" in done and "收到过“第一次" in done
    assert admin.post(f"/desk/pushes/{push_id}/booster", data={"first_at": found[1]}).status_code == 409
    assert "已经有了" in admin.get(f"/desk/pushes/{push_id}").text
    assert "三个月后再提醒" in admin.get(f"/desk/plans/calendar?month={found[1][:7]}").text
    with runtime.service(Database).reading() as session:
        made = session.exec(select(Plan).where(Plan.after_id == push_id)).one()
    kept = FORM | {"name": made.name, "after_id": str(push_id), "follows_when": "reached", "base": ""}
    admin.post(f"/desk/plans/{made.id}", data=kept | {"first_at": "2099-01-05T10:00"}, follow_redirects=True)
    with runtime.service(Database).reading() as session:
        again = session.get_one(Plan, made.id)
        assert (again.after_id, again.first_at) == (push_id, "2099-01-05T10:00")


def test_a_segment_asks_what_became_of_a_push(runtime: Runtime, admin: FlaskClient) -> None:
    push_id = _pushed(runtime)
    assert "第一次" in admin.get("/desk/audience/segments/new").text
    with runtime.service(Database).transaction() as session:
        key = session.exec(select(Delivery.key).order_by(col(Delivery.id))).first() or ""
        openings.note(session, key, clock.now())
    form = {"name": "看过的", "push_id": str(push_id), "purpose": "education", "action": "count"}
    for did, count in (("opened", 1), ("unopened", 2), ("reached", 3), ("missed", 0)):
        page = admin.post("/desk/audience/segments/new", data=form | {"push_did": did}).text
        assert f"现在符合条件的有 {count} 人" in page, did
    wrong = admin.post("/desk/audience/segments/new", data=form | {"push_did": "opened", "push_id": "99"})
    assert wrong.status_code == 400 and "只能选自己机构范围内的" in wrong.text
    assert "请写一个日期" in admin.post("/desk/audience/segments/new", data=form | {"since": "昨天"}).text
