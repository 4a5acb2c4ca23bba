"""A plan goes out only as a second person approved it: by its hash, by its account, by its place."""

import threading
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.contacts import ContactList
from core.database import Database
from core.errors import Conflict, Invalid, NotAllowed
from core.privacy import Vault
from core.signing import Keys
from institution import approvals
from institution.audit_models import AuditRecord
from scheduler import accounts, plans, starting
from scheduler.account_secrets import Secrets
from scheduler.accounts import AccountForm
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Delivery, Plan, PlanApproval, PlanState, Push, PushState
from scheduler.plan_form import PlanForm, form_of
from tests import factories
from tests.scheduler.audience_cast import (
    ZONE,
    account,
    activate,
    approve,
    colleague,
    people,
    plan,
    send_now,
)
from tests.scheduler.conftest import Clock
from tests.scheduler.receivers import WebhookReceiver


def _made(session: Session, vault: Vault, now: datetime, **more: Any) -> Plan:
    return plan(session, people(session, vault, 3, now), now, **more)


def _form(found: Plan, **more: Any) -> PlanForm:
    return replace(form_of(found), **more)


def _asked(session: Session, made: Plan, now: datetime) -> int:
    by = colleague(session, "xu.operator", "许推送", "push_operator", now)
    return plans.submit(session, made.id or 0, by=by, now=now).id or 0


def test_nothing_starts_without_a_second_person(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        with pytest.raises(Conflict, match="还没有经过另一位同事批准"):
            plans.activate(session, made.id or 0, zone=ZONE, now=now)
        with pytest.raises(Conflict):
            plans.send_now(session, made.id or 0, now=now)
        asker = colleague(session, "both", "一人", "administrator", now)
        request = plans.submit(session, made.id or 0, by=asker, now=now)
        with pytest.raises(NotAllowed):
            approvals.decide(session, request.id or 0, decision=approvals.APPROVED, by=asker, now=now)
        with pytest.raises(Conflict):
            plans.activate(session, made.id or 0, zone=ZONE, now=now)


@pytest.mark.parametrize(
    "change",
    [
        {"name": "别的"}, {"subject": "别的"}, {"body": "别的"}, {"first_at": "2026-09-16T15:00"},
        {"rule": "FREQ=DAILY"}, {"stale_hours": 7.0},
    ],
)  # fmt: skip
def test_what_changes_after_the_approval_needs_a_new_one(
    database: Database, vault: Vault, now: datetime, change: dict[str, Any]
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        approve(session, made, now)
        before = _form(made)
        plans.edit(session, made.id or 0, _form(made, **change), now=now)
        assert made.approval == PlanApproval.none
        with pytest.raises(Conflict):
            plans.activate(session, made.id or 0, zone=ZONE, now=now)
        plans.edit(session, made.id or 0, before, now=now)  # as it was: exactly this was approved
        assert made.approval == PlanApproval.approved
        plans.activate(session, made.id or 0, zone=ZONE, now=now)


def test_another_list_or_account_needs_a_new_approval(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now, target="https://a.example/")
        other = people(session, vault, 2, now, "别的名单")
        for change in ({"list_id": other}, {"account_id": account(session, "https://b.example/", now)}):
            approve(session, made, now)
            plans.edit(session, made.id or 0, _form(made, **change), now=now)
            assert not starting.approved(session, made)


def test_how_a_request_ends_stands_on_the_plan(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        decider = colleague(session, "he.approver", "何批准", "reviewer", now)
        for decision in (approvals.CHANGES, approvals.REJECTED, approvals.APPROVED):
            request = _asked(session, made, now)
            session.refresh(made)
            assert made.approval == PlanApproval.asked
            approvals.decide(session, request, decision=decision, by=decider, now=now, opinion="请改")
            session.refresh(made)
            assert made.approval == decision
        with pytest.raises(Conflict, match="已经批准"):
            _asked(session, made, now)


def test_while_it_is_decided_the_plan_does_not_change(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        request = _asked(session, made, now)
        with pytest.raises(Conflict, match="正在审批"):
            plans.edit(session, made.id or 0, _form(made, name="别的"), now=now)
        session.execute(update(Plan).where(col(Plan.id) == made.id).values(body="另有所图"))  # past the lock
        session.expire_all()
        decider = colleague(session, "he.approver", "何批准", "reviewer", now)
        with pytest.raises(Conflict, match="被改过"):
            approvals.decide(session, request, decision=approvals.APPROVED, by=decider, now=now)


def test_a_plan_changed_under_an_active_state_is_stopped_instead_of_fired(
    database: Database, vault: Vault, line: Outgoing, clock: Clock
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, clock.at)
        activate(session, made, clock.at)
        session.execute(update(Plan).where(col(Plan.id) == made.id).values(body="另有所图"))
    clock.forward(hours=1)
    line.run_once()
    with database.reading() as session:
        found = session.exec(select(Plan)).one()
        assert found.state == PlanState.paused and "重新提交审批" in found.reason
        assert session.exec(select(Push)).first() is None
        assert (
            session.exec(select(AuditRecord.action).order_by(col(AuditRecord.id).desc())).first()
            == "plan.stop"
        )


def test_control_without_the_hash_the_changed_plan_goes_out(
    database: Database, vault: Vault, line: Outgoing, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "approved", lambda _session, _plan: True)
    with database.transaction() as session:
        made = _made(session, vault, clock.at)
        plans.activate(session, made.id or 0, zone=ZONE, now=clock.at)
        session.execute(update(Plan).where(col(Plan.id) == made.id).values(body="另有所图"))
    clock.forward(hours=1)
    line.run_once()
    with database.reading() as session:
        assert session.exec(select(Push.body)).one() == "另有所图"


def test_editing_and_approving_at_once_never_starts_what_nobody_saw(
    database: Database, vault: Vault, now: datetime
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        plan_id, request = made.id or 0, _asked(session, made, now)
        decider = colleague(session, "he.approver", "何批准", "reviewer", now)
        changed = _form(made, body="另有所图")
    barrier = threading.Barrier(2)

    def decide() -> None:
        barrier.wait()
        with database.transaction() as session:
            approvals.decide(session, request, decision=approvals.APPROVED, by=decider, now=now)

    def edit() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                plans.edit(session, plan_id, changed, now=now)
        except Conflict:
            return

    threads = [threading.Thread(target=one) for one in (decide, edit)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    with database.reading() as session:
        found = plans.get(session, plan_id)
        assert starting.approved(session, found) == (found.body != "另有所图")


def test_an_account_led_elsewhere_pauses_its_plans(
    database: Database, vault: Vault, keys: Keys, now: datetime
) -> None:
    held = Secrets(keys, vault)
    form = AccountForm("webhook", "客服系统", "https://a.example/")
    with database.transaction() as session:
        kept, _secret = accounts.create(session, form, held=held, now=now)
        made = _made(session, vault, now, channel="webhook", account_id=kept.id)
        activate(session, made, now)
        same = AccountForm("webhook", "换个名字", "https://a.example/")
        assert accounts.edit(session, kept.id or 0, same, held=held, now=now) == []
        away = AccountForm("webhook", "换个名字", "https://evil.example/")
        assert accounts.edit(session, kept.id or 0, away, held=held, now=now) == [made.id]
        session.refresh(made)
        assert made.state == PlanState.paused and made.reason
        with pytest.raises(Conflict):
            plans.activate(session, made.id or 0, zone=ZONE, now=now)


def test_a_push_under_way_goes_nowhere_else(
    database: Database, vault: Vault, line: Outgoing, clock: Clock, webhook: WebhookReceiver
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, clock.at, target="https://a.example/")
        send_now(session, made, clock.at)
    line.plan()
    with database.transaction() as session:
        session.execute(update(ChannelAccount).values(address=webhook.url))
    line.run_once()
    assert webhook.inbox.attempts == []
    with database.reading() as session:
        push = session.exec(select(Push)).one()
        assert push.state == PushState.paused and "在批准之后改过" in push.reason
        assert set(session.exec(select(Delivery.state))) == {"queued"}


def test_a_closed_account_stops_what_uses_it(
    database: Database, vault: Vault, line: Outgoing, clock: Clock, webhook: WebhookReceiver
) -> None:
    with database.transaction() as session:
        made = _made(session, vault, clock.at, target=webhook.url)
        send_now(session, made, clock.at)
    line.plan()
    with database.transaction() as session:
        number = account(session, webhook.url, clock.at)
        accounts.set_active(session, number, False, now=clock.at)
        with pytest.raises(Invalid):
            plan(session, made.list_id, clock.at, target=webhook.url)
    line.run_once()
    assert webhook.inbox.attempts == []
    with database.transaction() as session:
        push = session.exec(select(Push)).one()
        assert push.state == PushState.paused and "已停用" in push.reason


def test_a_plan_keeps_to_its_part_of_the_tree(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
        number = people(session, vault, 2, now)
        with pytest.raises(Invalid) as caught:  # the whole institution's list is not a province's
            plan(session, number, now, outlet_code=factories.PROVINCE)
        assert caught.value.field == "list_id"
        session.get_one(ContactList, number).outlet_code = factories.OUTLET_A
        session.flush()
        made = plan(session, number, now, outlet_code=factories.PROVINCE)
        request = plans.submit(
            session, made.id or 0, by=colleague(session, "x", "许", "push_operator", now), now=now
        )
        assert request.outlet_code == factories.PROVINCE
        far = account(session, "https://far.example/", now, outlet_code=factories.OUTSIDE_PROVINCE)
        with pytest.raises(Invalid) as caught:
            plan(session, number, now, channel="webhook", account_id=far, outlet_code=factories.PROVINCE)
        assert caught.value.field == "account_id"
        ours = account(session, "https://ours.example/", now)  # head office's serves all below
        plan(session, number, now, channel="webhook", account_id=ours, outlet_code=factories.PROVINCE)


def test_every_act_leaves_one_record(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        plans.edit(session, made.id or 0, _form(made, name="秋天"), now=now)
        activate(session, made, now)
        plans.pause(session, made.id or 0, now=now)
        plans.end(session, made.id or 0, now=now)
    with database.reading() as session:
        rows = list(
            session.exec(select(AuditRecord).where(AuditRecord.kind == "plan").order_by(col(AuditRecord.id)))
        )
        assert [row.action for row in rows] == [
            "plan.create",
            "plan.edit",
            "plan.start",
            "plan.pause",
            "plan.end",
        ]
        assert (rows[1].before, rows[1].after) == ({"name": "九月提醒"}, {"name": "秋天"})


def test_of_two_who_start_a_plan_at_once_one_does(database: Database, vault: Vault, now: datetime) -> None:
    with database.transaction() as session:
        made = _made(session, vault, now)
        approve(session, made, now)
        plan_id = made.id or 0
    barrier, results = threading.Barrier(4), []

    def start() -> None:
        barrier.wait()
        try:
            with database.transaction() as session:
                plans.activate(session, plan_id, zone=ZONE, now=now)
            results.append(True)
        except Conflict:
            results.append(False)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(results) == [False, False, False, True]
    with database.reading() as session:
        found = session.exec(select(AuditRecord).where(AuditRecord.action == "plan.start"))
        assert len(list(found)) == 1
