"""A list of people for the scheduler's tests, plans to them, and the two who have plans approved."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign import audience, audience_import, segments
from campaign.segments import Filters
from core.privacy import Vault
from institution import approvals
from institution.models import Grant, Staff
from scheduler import cutting, hooks, planner, plans, pushes, starting
from scheduler.models import Batch, BatchState, ChannelAccount, Delivery, DeliveryState, Plan, Push
from scheduler.plans import PlanForm
from scheduler.receipt_models import ChannelHook, PushReceived, PushTally

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


def plan(session: Session, list_id: int | None, now: datetime, *, target: str = "", **more: Any) -> Plan:
    """A plan with a message of its own, a draft; `target` is the address of its webhook's account."""
    form = {
        "name": "九月提醒",
        "list_id": list_id,
        "channel": "email",
        "first_at": "2026-09-15T15:00",
        "subject": "退保前先问一问",
        "body": "有人劝您“全额退保”，先停一停。\n\n打开 http://127.0.0.1:8000/help 看看。",
    }
    if target:
        form |= {"channel": "webhook", "account_id": account(session, target, now)}
    return plans.create(session, PlanForm(**{**form, **more}), by=None, now=now)


def account(session: Session, address: str, now: datetime, **more: Any) -> int:
    """An account of a webhook (or of what `more` says), with the secret that derives from its address."""
    known = session.exec(select(ChannelAccount).where(ChannelAccount.address == address)).first()
    row = known or ChannelAccount(
        **{"channel": "webhook", "name": address[:80], "address": address, **more},
        created_at=now, updated_at=now,
    )  # fmt: skip
    session.add(row)
    session.flush()
    hooks.made(session, row, now)
    return row.id or 0


def colleague(session: Session, login: str, name: str, role: str, now: datetime) -> int:
    """Somebody of head office with one role; found again by login."""
    found = session.exec(select(Staff).where(Staff.login == login)).first()
    if found is None:
        found = Staff(login=login, name=name, must_change_password=False, created_at=now)
        session.add(found)
        session.flush()
        session.add(Grant(staff_id=found.id or 0, role=role))
        session.flush()
    return found.id or 0


def approve(session: Session, made: Plan, now: datetime) -> None:
    """One colleague submits the plan, another approves it."""
    asker = colleague(session, "xu.operator", "许推送", "push_operator", now)
    decider = colleague(session, "he.approver", "何批准", "reviewer", now)
    request = plans.submit(session, made.id or 0, by=asker, now=now)
    approvals.decide(session, request.id or 0, decision=approvals.APPROVED, by=decider, now=now)
    session.refresh(made)
    assert starting.approved(session, made)


def activate(session: Session, made: Plan, now: datetime) -> None:
    """Approved, then started."""
    approve(session, made, now)
    plans.activate(session, made.id or 0, zone=ZONE, now=now)


def send_now(session: Session, made: Plan, now: datetime) -> None:
    """Approved, then sent at once."""
    approve(session, made, now)
    plans.send_now(session, made.id or 0, now=now)


def fill_desk(session: Session, vault: Vault, now: datetime) -> None:
    """Everything that the desk of pushing can show: a list, three plans, a push that stopped half way."""
    list_id = people(session, vault, 60, now)
    segments.make(session, "愿意收邮件的人", Filters(channel="email"), outlet_code="", now=now)
    for number, reason in ((58, "bounce"), (59, "complaint"), (60, "gone")):
        index = vault.index("webhook", f"u{number}")
        audience.close_address(session, "webhook", index, reason, via="bounce", now=now)
    sent = plan(session, list_id, now, name="金融教育宣传周：全额退保提醒")
    plan(session, list_id, now, name="每周二提醒", rule="FREQ=WEEKLY;BYDAY=TU", first_at="2099-09-15T09:00")
    target = "https://gateway.example.com/messages"
    account(session, target, now, name="客服系统网关")
    plan(session, list_id, now, name="客服系统", target=target, first_at="2099-09-15T09:00")
    _into_a_group(session, now)
    send_now(session, sent, now)
    (push,) = planner.fire(session, sent.id or 0, zone=ZONE, now=now)
    cutting.cut(session, push.id or 0, batch_sizes={"email": 50, "webhook": 100}, now=now)
    _half_way(session, push, now)
    _told(session, push, now)


def _told(session: Session, push: Push, now: datetime) -> None:
    """An official account whose receipts were refused today; what platforms said of the push."""
    official = account(
        session,
        "https://api.weixin.qq.com",
        now,
        channel="wechat",
        name="分公司服务号",
        login="wx5a3d6b0c0ffee000",
    )
    hook = session.get_one(ChannelHook, official)
    hook.day, hook.refused, hook.refused_at, hook.heard_at = now.astimezone(ZONE).date(), 2, now, now
    hook.refusal, hook.fault = "回调的签名不对，没有理会。", "连接不上平台接口。"
    session.add(hook)
    session.add(PushReceived(push_id=push.id or 0, arrived=31, failed=2, opened=12))
    heads = {"total": 40, "filtered": 6, "reached": 33, "failed": 1, "shown": 20, "clicked": 4}
    session.add(PushTally(push_id=push.id or 0, reference="1", at=now, **heads))
    session.flush()


def _into_a_group(session: Session, now: datetime) -> None:
    """A robot of a group, and a plan every working day by it that runs."""
    robot = account(
        session, "https://qyapi.weixin.qq.com", now, channel="wecom_robot", name="杭州西湖支公司网点群"
    )
    daily = plan(
        session, None, now, name="早会一条", channel="wecom_robot", account_id=robot, subject="接到“客服”来电，先挂断",
        summary="真客服不会让您开屏幕共享，也不会问验证码。拿不准就打官方电话问一问。",
        rule="FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", first_at="2026-01-05T09:00", off_days="skip",
    )  # fmt: skip
    activate(session, daily, now)


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
