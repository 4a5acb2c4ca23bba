"""The first page of the desk: what waits for whom; and pages that follow the tree of outlets."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlmodel import Session, select

from campaign.contacts import ContactList
from campaign.registration import notices
from campaign.registration.models import PENDING, Notice, Registration
from content import lifecycle
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import approvals, people
from institution.approval_models import Approval
from scheduler.models import Batch, BatchState, Plan, Push, PushState
from tests import entering, factories
from tests.campaign.events import site
from tests.factories import (
    ADMINISTRATOR,
    BRANCH_MANAGER,
    EDITOR,
    OUTLET_A,
    OUTLET_STAFF,
    OUTSIDE_OUTLET,
    OUTSIDER,
    PROVINCE,
    REVIEWER,
)
from tracking.store import ReachStore
from webapp.create_app import create_app
from webapp.runtime import build


@pytest.fixture
def app(settings: Settings, now: datetime) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        people = factories.cast(session, now)
        approvals.request(
            session, kind=lifecycle.APPROVAL_KIND, subject="a-piece", subject_hash="0" * 64, title="新的一篇",
            by=people[EDITOR].id or 0, now=now,
        )  # fmt: skip
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    yield app
    runtime.close()


def first_page(app: Flask, login: str) -> str:
    client = app.test_client()
    client.post("/desk/sign-in", data={"login": login, "password": factories.PASSWORDS[login]})
    return client.get("/desk").get_data(as_text=True)


def test_a_request_waits_for_who_may_decide_it(app: Flask) -> None:
    shown = first_page(app, REVIEWER)
    assert "新的一篇" in shown and '<span class="count">1</span>' in shown
    assert "没有等您处理的事" in first_page(app, EDITOR)


def generation(app: Flask) -> int:
    with app.extensions["signpost"].service(Database).reading() as session:
        return int(session.execute(text("SELECT coalesce(max(value), 0) FROM page_generation")).scalar_one())


def test_a_changed_outlet_has_its_page_rendered_anew_and_an_unchanged_one_not(app: Flask) -> None:
    client = app.test_client()
    client.post(
        "/desk/sign-in", data={"login": ADMINISTRATOR, "password": factories.PASSWORDS[ADMINISTRATOR]}
    )
    before = generation(app)
    form = {"name": "西湖智慧柜面", "kind": "outlet", "parent_code": factories.COUNTY, "as_of": "2026-05-01"}
    assert client.post(f"/desk/outlets/{OUTLET_A}/edit", data=form).status_code == 302
    changed = generation(app)
    assert changed == before + 1
    assert client.post(f"/desk/outlets/{OUTLET_A}/edit", data=form).status_code == 302
    assert generation(app) == changed


def test_pushes_that_only_a_person_can_settle_wait_for_who_may(app: Flask, now: datetime) -> None:
    assert "推送结果不明" not in first_page(app, REVIEWER)
    with app.extensions["signpost"].service(Database).transaction() as session:
        people = ContactList(name="名单", created_at=now, updated_at=now)
        session.add(people)
        session.flush()
        common: dict[str, Any] = {"list_id": people.id, "channel": "email", "created_at": now}
        plan = Plan(name="计划", first_at="2026-09-15T09:00", updated_at=now, **common)
        session.add(plan)
        session.flush()
        late = Push(
            plan_id=plan.id or 0, due_at=now, state=PushState.overtaken, subject="晚了的一次", **common
        )
        unclear = Push(
            plan_id=plan.id or 0,
            due_at=now + timedelta(1),
            state=PushState.running,
            subject="说不清的一次",
            **common,
        )
        session.add_all([late, unclear])
        session.flush()
        batch: dict[str, Any] = {"key": "k", "number": 1, "size": 1, "channel": "email", "not_before": now}
        session.add(Batch(push_id=unclear.id or 0, state=BatchState.uncertain, **batch))
    shown = first_page(app, ADMINISTRATOR)
    assert "晚了的一次" in shown and "说不清的一次" in shown
    assert "晚了的一次" not in first_page(app, REVIEWER)


def test_an_approved_plan_waits_to_be_started_and_a_stopped_one_for_a_new_approval(app: Flask) -> None:
    with app.extensions["signpost"].service(Database).transaction() as session:
        plan = session.get(Plan, _plan(session))
        assert plan is not None
        plan.approval, plan.name = "approved", "秋天的提醒"
    assert "已批准，等待启动" in first_page(app, ADMINISTRATOR)
    with app.extensions["signpost"].service(Database).transaction() as session:
        plan = session.get_one(Plan, 1)
        plan.state, plan.reason = "paused", "渠道账号改过了，请重新提交审批。"
    shown = first_page(app, ADMINISTRATOR)
    assert "停下的推送计划" in shown and "秋天的提醒" in shown
    assert "停下的推送计划" not in first_page(app, EDITOR)


def _plan(session: Session) -> int:
    now = datetime(2026, 9, 15, 6, 30, tzinfo=UTC)
    number = ContactList(name="老客户", created_at=now, updated_at=now)
    session.add(number)
    session.flush()
    plan = Plan(
        name="x",
        list_id=number.id or 0,
        channel="email",
        first_at="2099-01-01T10:00",
        created_at=now,
        updated_at=now,
    )
    session.add(plan)
    session.flush()
    return plan.id or 0


def test_what_is_overdue_comes_first_and_says_so(app: Flask, now: datetime) -> None:
    with app.extensions["signpost"].service(Database).transaction() as session:
        made = session.exec(select(Approval)).one()
        made.due_at = now - timedelta(days=400)
    shown = first_page(app, REVIEWER)
    assert "已超期" in shown and "wait pressing" in shown


def test_a_request_that_came_back_waits_for_who_asked_until_asked_again(app: Flask, now: datetime) -> None:
    moment = clock.now()
    database = app.extensions["signpost"].service(Database)
    with database.transaction() as session:
        made = session.exec(select(Approval)).one()
        reviewer = people.by_login(session, REVIEWER)
        assert reviewer is not None
        made.decision, made.decided_by, made.decided_at = "changes", reviewer.id, moment
        asked_by = made.requested_by
    assert "退回给我的申请" in first_page(app, EDITOR)
    assert "退回给我的申请" not in first_page(app, REVIEWER)
    with database.transaction() as session:
        approvals.request(
            session, kind=lifecycle.APPROVAL_KIND, subject="a-piece", subject_hash="1" * 64, title="新的一篇",
            by=asked_by, now=moment,
        )  # fmt: skip
    assert "退回给我的申请" not in first_page(app, EDITOR)


def test_figures_are_those_of_ones_own_part(app: Flask, now: datetime) -> None:
    with app.extensions["signpost"].service(Database).transaction() as session:
        for login in (BRANCH_MANAGER, OUTLET_STAFF):
            factories.staff(session, login, now)
    for login, count in ((ADMINISTRATOR, 3), (BRANCH_MANAGER, 2), (OUTLET_STAFF, 1)):
        shown = entering.client(app, login).get("/desk").text
        assert re.search(rf'在营网点</span><span class="v"><span class="figure" title="{count}">', shown), (
            login
        )
        assert "近 7 天触达人次" in shown


def test_a_store_that_does_not_answer_takes_nothing_from_the_page(app: Flask) -> None:
    app.extensions["signpost"].service(ReachStore).close()
    shown = entering.client(app, ADMINISTRATOR).get("/desk")
    assert shown.status_code == 200 and "在营网点" in shown.text


def test_a_push_of_another_part_waits_for_nobody_here(app: Flask, now: datetime) -> None:
    with app.extensions["signpost"].service(Database).transaction() as session:
        factories.person(session, "xu.push", "许推送", "push_operator", now, at=PROVINCE)
        for name, place in (("本省的一次", OUTLET_A), ("外省的一次", OUTSIDE_OUTLET)):
            people_ = ContactList(name=name, created_at=now, updated_at=now, outlet_code=place)
            session.add(people_)
            session.flush()
            common: dict[str, Any] = {
                "list_id": people_.id,
                "channel": "email",
                "created_at": now,
                "outlet_code": place,
            }
            plan = Plan(name=name, first_at="2026-09-15T09:00", updated_at=now, **common)
            session.add(plan)
            session.flush()
            session.add(
                Push(plan_id=plan.id or 0, due_at=now, state=PushState.overtaken, subject=name, **common)
            )
    shown = entering.client(app, "xu.push").get("/desk").text
    assert "本省的一次" in shown and "外省的一次" not in shown


def test_registrations_to_approve_and_people_to_call_wait_at_their_outlet(app: Flask) -> None:
    runtime, moment = app.extensions["signpost"], clock.now()
    with runtime.service(Database).transaction() as session:
        for login in (OUTLET_STAFF, BRANCH_MANAGER, OUTSIDER):
            factories.staff(session, login, moment)
        planted = site.fill(session, runtime.service(Vault), moment)
        pending, called = session.exec(
            select(Registration).where(Registration.occurrence_id == planted.next.id).limit(2)
        )
        pending.state = PENDING
        notices.note(session, called, notices.MESSAGE, moment, about="1")
        session.flush()
        asked = session.exec(select(Notice).where(Notice.registration_id == called.id)).all()
        for one in asked:
            one.state = notices.BY_HAND
    for login in (OUTLET_STAFF, BRANCH_MANAGER):
        shown = entering.client(app, login).get("/desk").text
        assert "报名等审核" in shown and f'/desk/events/o/{planted.next.id}#who"' in shown, login
        assert "要打电话告诉的人" in shown and f'/desk/events/o/{planted.next.id}#tell"' in shown, login
    for login in (OUTSIDER, EDITOR):
        shown = entering.client(app, login).get("/desk").text
        assert "报名等审核" not in shown and "要打电话告诉的人" not in shown, login
