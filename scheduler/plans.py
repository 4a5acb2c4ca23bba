"""Plans: written, checked, started, paused, ended. Only a published piece can be pushed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign import audience, programme
from campaign.contacts import CHANNEL_NAMES, EMAIL, WEBHOOK
from content import lifecycle
from content.lifecycle import PublishedPiece
from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from scheduler.models import PLAN_NAMES, Plan, PlanState
from scheduler.recurrence import LOCAL, check_rule, next_due, parse_local
from tracking import dimensions

CHANNELS = (EMAIL, WEBHOOK)
_ENGLISH = {EMAIL: "E-mail", WEBHOOK: "Webhook"}
_MOVES = {
    PlanState.active: (PlanState.draft, PlanState.paused),
    PlanState.paused: (PlanState.active,),
    PlanState.ended: (PlanState.draft, PlanState.active, PlanState.paused),
}


@dataclass(frozen=True, slots=True)
class PlanForm:
    """What a person writes; `first_at` is local time (2026-09-15T09:00), `rule` an RRULE or empty."""

    name: str
    list_id: int
    channel: str
    first_at: str
    piece_key: str = ""
    subject: str = ""
    body: str = ""
    target: str = ""
    campaign: str = ""
    rule: str = ""
    stale_hours: float = 6.0


def create(session: Session, form: PlanForm, *, by: int | None, now: datetime) -> Plan:
    """A new plan, a draft until a person starts it."""
    values = _checked(session, form)
    plan = Plan(**values, state=PlanState.draft, created_by=by, created_at=now, updated_at=now)
    session.add(plan)
    session.flush()
    return plan


def edit(session: Session, plan_id: int, form: PlanForm, *, now: datetime) -> Plan:
    """Change a draft or a paused plan; an active one is paused first, so that nothing goes out half changed."""
    plan = get(session, plan_id)
    if plan.state not in (PlanState.draft, PlanState.paused):
        raise Conflict(mark("请先暂停计划，再修改。"))
    for name, value in _checked(session, form).items():
        setattr(plan, name, value)
    plan.updated_at = now
    session.add(plan)
    session.flush()
    return plan


def activate(session: Session, plan_id: int, *, zone: ZoneInfo, now: datetime) -> Plan:
    """Start or resume a plan: from now on it fires when due. Moments that passed meanwhile are not made up."""
    plan = get(session, plan_id)
    if plan.piece_key:
        published(session, plan.piece_key)
    due = next_due(plan.first_at, plan.rule, zone, now)
    if due is None:
        raise Invalid(mark("计划的时间已经过去，请改到将来的时间再启动。"), field="first_at")
    _move(session, plan, PlanState.active, due, now)
    _describe(session, plan.channel)
    return plan


def send_now(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Fire a draft or paused one-time plan at the planner's next look."""
    plan = get(session, plan_id)
    if plan.piece_key:
        published(session, plan.piece_key)
    if plan.rule:
        raise Invalid(mark("重复的计划按时间执行；要马上发送，请另做一份只发一次的计划。"), field="rule")
    _move(session, plan, PlanState.active, now.replace(microsecond=0), now)
    _describe(session, plan.channel)
    return plan


def pause(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Fire no more until resumed; a push under way is paused on its own page."""
    return _move(session, get(session, plan_id), PlanState.paused, None, now)


def end(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Close a plan for good."""
    return _move(session, get(session, plan_id), PlanState.ended, None, now)


def get(session: Session, plan_id: int) -> Plan:
    """The plan, or NotFound."""
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(mark("没有找到这份推送计划。"))
    return plan


def everything(session: Session) -> list[Plan]:
    """All plans, the latest first."""
    return list(session.exec(select(Plan).order_by(col(Plan.id).desc())))


def published(session: Session, key: str) -> PublishedPiece:
    """The published piece; Invalid when it is not published (or no longer)."""
    piece = lifecycle.published(session, key)
    if piece is None:
        raise Invalid(
            mark("内容“%(key)s”没有发布，不能推送。请先完成审查和发布。"), field="piece_key", key=key
        )
    return piece


def _describe(session: Session, channel: str) -> None:
    """Tell the reports what the channel is called."""
    dimensions.describe(
        session, kind="channel", key=channel, name=CHANNEL_NAMES[channel], name_en=_ENGLISH[channel]
    )


def _move(session: Session, plan: Plan, to: PlanState, due: datetime | None, now: datetime) -> Plan:
    statement = (
        update(Plan)
        .where(col(Plan.id) == plan.id, col(Plan.state).in_(_MOVES[to]))
        .values(state=to, next_due_at=due, updated_at=now)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise Conflict(
            mark("计划现在是“%(state)s”，不能这样操作，请刷新页面。"),
            state=_(PLAN_NAMES[PlanState(plan.state)]),
        )
    session.refresh(plan)
    return plan


def _checked(session: Session, form: PlanForm) -> dict[str, Any]:
    name, subject, body = form.name.strip(), form.subject.strip(), form.body.strip().replace("\r\n", "\n")
    if not name or len(name) > 80:
        raise Invalid(mark("请给计划起一个名字（不超过 80 个字）。"), field="name")
    if form.channel not in CHANNELS:
        raise Invalid(mark("请选择推送渠道。"), field="channel")
    audience.get_list(session, form.list_id)
    if not 0.1 <= form.stale_hours <= 240:
        raise Invalid(mark("过时限度须在 0.1 到 240 小时之间。"), field="stale_hours")
    _check_message(session, form.piece_key, subject, body)
    if form.campaign:
        programme.get(session, form.campaign)
    return {
        "name": name,
        "piece_key": form.piece_key,
        "subject": subject,
        "body": body,
        "list_id": form.list_id,
        "channel": form.channel,
        "target": _checked_target(form),
        "campaign": form.campaign,
        "first_at": parse_local(form.first_at).strftime(LOCAL),
        "rule": check_rule(form.rule),
        "stale_hours": form.stale_hours,
    }


def _check_message(session: Session, piece_key: str, subject: str, body: str) -> None:
    if piece_key:
        published(session, piece_key)
    elif not subject or not body:
        raise Invalid(mark("请选择一项内容，或写下标题和正文。"), field="subject")
    if len(subject) > 200 or "\n" in subject or "\r" in subject:
        raise Invalid(mark("标题须是一行，不超过 200 个字。"), field="subject")
    if len(body) > 5000:
        raise Invalid(mark("正文不超过 5000 个字。"), field="body")


def _checked_target(form: PlanForm) -> str:
    """The address of the webhook's receiver; mail needs none."""
    if form.channel != WEBHOOK:
        return ""
    target = form.target.strip()
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or len(target) > 500:
        raise Invalid(mark("请填写接收方接口的完整网址，以 https:// 开头。"), field="target")
    return target
