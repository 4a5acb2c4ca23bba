"""A list of people for the scheduler's tests, and plans to them."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign import audience, audience_import
from core.privacy import Vault
from scheduler import planner, plans, pushes
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Plan, Push
from scheduler.plans import PlanForm

ZONE = ZoneInfo("Asia/Shanghai")
LIST = "老客户"


def people(session: Session, vault: Vault, count: int, now: datetime, name: str = LIST) -> int:
    """A list of so many people with e-mail and webhook id; returns its id."""
    rows = ["姓名,邮箱,接口标识,网点代码,同意用途,同意时间,同意来源"]
    rows += [
        f"张{number},p{number}@example.com,u{number},,education,2026-03-01 10:00,柜面签署"
        for number in range(1, count + 1)
    ]
    data = "\n".join(rows).encode()
    audience_import.import_file(session, data, list_name=name, vault=vault, zone=ZONE, now=now)
    found = audience.find_list(session, name)
    assert found is not None and found.id is not None
    return found.id


def plan(session: Session, list_id: int, now: datetime, **more: Any) -> Plan:
    """A plan with a message of its own, a draft."""
    form = {
        "name": "九月提醒",
        "list_id": list_id,
        "channel": "email",
        "first_at": "2026-09-15T15:00",
        "subject": "退保前先问一问",
        "body": "有人劝您“全额退保”，先停一停。\n\n打开 http://127.0.0.1:8000/help 看看。",
    }
    return plans.create(session, PlanForm(**{**form, **more}), by=None, now=now)


def fill_desk(session: Session, vault: Vault, now: datetime) -> None:
    """Everything that the desk of pushing can show: a list, three plans, a push that stopped half way."""
    list_id = people(session, vault, 60, now)
    sent = plan(session, list_id, now, name="金融教育宣传周：全额退保提醒")
    plan(session, list_id, now, name="每周二提醒", rule="FREQ=WEEKLY;BYDAY=TU", first_at="2099-09-15T09:00")
    target = "https://gateway.example.com/messages"
    plan(
        session, list_id, now, name="客服系统", channel="webhook", target=target, first_at="2099-09-15T09:00"
    )
    plans.send_now(session, sent.id or 0, now=now)
    (push,) = planner.fire(session, sent.id or 0, zone=ZONE, now=now)
    planner.cut(session, push.id or 0, batch_sizes={"email": 50, "webhook": 100}, now=now)
    _half_way(session, push, now)


def _half_way(session: Session, push: Push, now: datetime) -> None:
    for number, row in enumerate(session.exec(select(Delivery).order_by(col(Delivery.id)))):
        if number < 40:
            row.state, row.settled_at, row.attempts = DeliveryState.sent, now, 1
        if number in (7, 8):
            row.state, row.reason = DeliveryState.uncertain, "发送时中断，不知道对方是否收到。"
        if number in (9, 45):
            row.state, row.reason = DeliveryState.failed, "SMTP 550"
        session.add(row)
    first = session.exec(select(Batch).order_by(col(Batch.number))).first()
    if first is not None:
        first.state = BatchState.uncertain
        session.add(first)
    session.flush()
    pushes.pause(session, push.id or 0, now)
