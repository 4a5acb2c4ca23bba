"""Trying: one message to an address of one's own, by an account or as a plan would send it. Noted, and not often."""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.errors import Conflict, Invalid
from core.i18n import gettext, mark
from core.privacy import mask_email, mask_phone
from core.settings import Settings
from institution import audit
from institution.audit_models import AuditRecord
from scheduler import plan_message
from scheduler.channels import registry
from scheduler.channels.base import Account, AnyChannel, Calls, DeliveryError, Message
from scheduler.models import ChannelAccount, Plan

MOST, WITHIN = 5, timedelta(minutes=10)

audit.declare({"channel.test": mark("发送测试消息"), "plan.test": mark("试发推送计划")})


def begin(session: Session, account: ChannelAccount, to: str, *, now: datetime) -> str:
    """Note that somebody tries an account; the address to write to, empty for a group.

    Conflict when the account is closed or was tried five times in ten minutes, Invalid without an address.
    """
    if not account.active:
        raise Conflict(mark("这个渠道账号已停用，启用后再试。"))
    address = "" if registry.to_group(account.channel) else checked_address(to)
    _check_rate(session, "channel.test", account.id or 0, now)
    shown = masked(address)
    audit.record(
        session, "channel.test", "channel", account.id, after={"to": shown}, outlet_code=account.outlet_code
    )
    return address


def checked_address(to: str) -> str:
    """The address that was typed, on one line; Invalid without one."""
    address = to.strip()
    if not address or len(address) > 200 or not address.isprintable():
        raise Invalid(mark("请填写收测试消息的地址：邮箱、手机号，或平台里的用户标识。"), field="to")
    return address


def note_plan(session: Session, plan: Plan, address: str, *, now: datetime) -> None:
    """Note that somebody sends a plan to themselves; Conflict when that was done five times in ten minutes."""
    _check_rate(session, "plan.test", plan.id or 0, now)
    after = {"to": masked(address)}
    audit.record(session, "plan.test", "plan", plan.id, after=after, outlet_code=plan.outlet_code)


def _check_rate(session: Session, action: str, subject: int, now: datetime) -> None:
    """A trial is no way to send to many."""
    query = select(func.count()).where(
        AuditRecord.action == action,
        AuditRecord.subject == str(subject),
        col(AuditRecord.at) > now - WITHIN,
    )
    if session.exec(query).one() >= MOST:
        raise Conflict(mark("十分钟内最多试 %(most)s 次，请稍后再试。"), most=MOST)


def masked(address: str) -> str:
    """An address as the audit log may hold it."""
    if not address:
        return gettext(mark("群"))
    if "@" in address:
        return mask_email(address)
    return mask_phone(address) if address.lstrip("+").isdigit() else f"{address[:2]}***"


def message(address: str, settings: Settings, template: str = "", parameters: str = "") -> Message:
    """A message that says that it is a trial."""
    subject = gettext(mark("%(name)s：测试消息")) % {"name": settings.institution_name}
    text = gettext(mark("这是一条测试消息，收到就说明渠道账号可以用了。"))
    return Message(
        key=uuid.uuid4().hex,
        address=address,
        name="",
        subject=subject,
        text=text,
        html=f"<p>{text}</p>",
        link=settings.public_url,
        unsubscribe=settings.public_url,
        locale=settings.locale,
        summary=text,
        template=template.strip(),
        parameters=plan_message.filled(
            plan_message.parsed(parameters),
            name="", link=settings.public_url, institution=settings.institution_name, title=subject,
        ),
    )  # fmt: skip


def send(channel: AnyChannel, account: Account, one: Message) -> str:
    """Hand one message over; empty when it was accepted, else what went wrong and what to do."""
    try:
        with channel.connect(account) as line:
            hand_over(channel, line, one)
    except DeliveryError as error:
        return error.message
    return ""


def hand_over(channel: AnyChannel, line: Any, one: Message) -> None:
    """Hand one message over by a channel's line, by a call where the channel takes calls; DeliveryError."""
    if channel.call_size > 1 and isinstance(line, Calls):
        outcomes: Sequence[str | DeliveryError] = line.send_many(one.key, [one])
        for outcome in outcomes:
            if isinstance(outcome, DeliveryError):
                raise outcome
    else:
        line.send(one)
