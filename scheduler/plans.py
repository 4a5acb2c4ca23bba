"""Plans: written, checked, approved by a second person, started, paused, ended. Only a published piece is pushed."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, true, update
from sqlmodel import Session, col, select
from sqlmodel.sql.expression import SelectOfScalar

from campaign.recurrence import next_due
from core.errors import Conflict, Invalid, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import audit
from institution.approval_models import Approval
from scheduler import followups, stand_ins, starting
from scheduler.channels import registry
from scheduler.models import PLAN_NAMES, Plan, PlanApproval, PlanState
from scheduler.plan_form import CHANNELS, PlanForm, check_account, checked, published
from tracking import dimensions

__all__ = ["CHANNELS", "PlanForm", "published"]
_EDITABLE = (PlanState.draft, PlanState.paused)
_MOVES = {
    PlanState.active: (PlanState.draft, PlanState.paused),
    PlanState.paused: (PlanState.active,),
    PlanState.ended: (PlanState.draft, PlanState.active, PlanState.paused),
}

audit.declare(
    {
        "plan.create": mark("新建推送计划"),
        "plan.edit": mark("修改推送计划"),
        "plan.start": mark("启动推送计划"),
        "plan.now": mark("马上发送推送计划"),
        "plan.pause": mark("暂停推送计划"),
        "plan.end": mark("结束推送计划"),
    }
)


def create(session: Session, form: PlanForm, *, by: int | None, now: datetime) -> Plan:
    """A new plan, a draft until it is approved and a person starts it."""
    plan = Plan(
        **checked(session, form), state=PlanState.draft, created_by=by, created_at=now, updated_at=now
    )
    session.add(plan)
    session.flush()
    _record(session, "plan.create", plan, {}, snapshot(plan))
    return plan


def edit(session: Session, plan_id: int, form: PlanForm, *, now: datetime) -> Plan:
    """Change a draft or a paused plan; an active one is paused first, so that nothing goes out half changed.

    What was approved before covers the changed plan no more, unless it is changed back.
    """
    plan = get(session, plan_id)
    if plan.state not in _EDITABLE:
        raise Conflict(mark("请先暂停计划，再修改。"))
    starting.check_free(session, plan)
    before = snapshot(plan)
    for name, value in checked(session, form, plan_id).items():
        setattr(plan, name, value)
    plan.updated_at, plan.reason = now, ""
    session.add(plan)
    session.flush()
    plan.approval = PlanApproval.approved if starting.approved(session, plan) else PlanApproval.none
    session.add(plan)
    session.flush()
    _record(session, "plan.edit", plan, before, snapshot(plan))
    return plan


def submit(
    session: Session,
    plan_id: int,
    *,
    by: int,
    now: datetime,
    reason: str = "",
    due_at: datetime | None = None,
) -> Approval:
    """Ask a second person to approve the plan exactly as it is."""
    plan = get(session, plan_id)
    if plan.state not in _EDITABLE:
        raise Conflict(mark("请先暂停计划，再提交审批。"))
    if starting.approved(session, plan):
        raise Conflict(mark("这份计划已经批准，可以启动。"))
    _check_sendable(session, plan)
    return starting.request(session, plan, by=by, now=now, reason=reason, due_at=due_at)


def take_back(session: Session, plan_id: int, *, by: int, now: datetime) -> None:
    """Withdraw one's own open request."""
    request = starting.asked(session, get(session, plan_id))
    if request is None:
        raise Conflict(mark("这份计划没有待审的申请，可能已有结论，请刷新页面。"))
    starting.take_back(session, request, by, now)


def activate(session: Session, plan_id: int, *, zone: ZoneInfo, now: datetime) -> Plan:
    """Start or resume an approved plan: from now on it fires when due. Moments that passed are not made up."""
    plan = get(session, plan_id)
    due = check_startable(session, plan, zone=zone, now=now)
    return _act(session, plan, "plan.start", PlanState.active, due, now=now)


def check_startable(session: Session, plan: Plan, *, zone: ZoneInfo, now: datetime) -> datetime:
    """When the plan would fire first if it were started now; Conflict or Invalid when it cannot be."""
    if plan.state not in _EDITABLE:
        raise _wrong_state(plan)
    _check_sendable(session, plan)
    due = _begins(plan, zone, now)
    if due is None:
        raise Invalid(mark("计划的时间已经过去，请改到将来的时间再启动。"), field="first_at")
    starting.check_approved(session, plan)
    return due


def _begins(plan: Plan, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When it fires first; of a follow-up, from which push on it follows."""
    if plan.follows_id is not None:
        return followups.since(plan, zone, now)
    return next_due(plan.first_at, plan.rule, zone, now)


def check_active(plan: Plan) -> None:
    """Conflict unless the plan is active."""
    if plan.state != PlanState.active:
        raise _wrong_state(plan)


def send_now(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Fire an approved draft or paused one-time plan at the planner's next look."""
    plan = get(session, plan_id)
    _check_sendable(session, plan)
    if plan.rule or plan.follows_id:
        raise Invalid(mark("重复的计划按时间执行；要马上发送，请另做一份只发一次的计划。"), field="rule")
    starting.check_approved(session, plan)
    return _act(session, plan, "plan.now", PlanState.active, now.replace(microsecond=0), now=now)


def pause(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Fire no more until resumed; a push under way is paused on its own page."""
    return _act(session, get(session, plan_id), "plan.pause", PlanState.paused, None, now=now)


def end(session: Session, plan_id: int, *, now: datetime) -> Plan:
    """Close a plan for good."""
    plan = get(session, plan_id)
    starting.check_free(session, plan)
    return _act(session, plan, "plan.end", PlanState.ended, None, now=now)


def get(session: Session, plan_id: int) -> Plan:
    """The plan, or NotFound."""
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(mark("没有找到这份推送计划。"))
    return plan


def within(condition: ColumnElement[bool]) -> SelectOfScalar[Plan]:
    """A query for the plans of a part of the tree."""
    return select(Plan).where(condition)


def everything(session: Session, condition: ColumnElement[bool] | None = None) -> list[Plan]:
    """All plans of a part of the tree (None: of the whole), the latest first."""
    query = within(true() if condition is None else condition)
    return list(session.exec(query.order_by(col(Plan.id).desc())))


def snapshot(plan: Plan) -> dict[str, Any]:
    """What a plan says: for the audit log, and to see whether somebody changed it meanwhile."""
    return {name: getattr(plan, name) for name in (*starting.COVERED, *starting.ADDED)}


def _check_sendable(session: Session, plan: Plan) -> None:
    """What a plan names may have gone since it was written."""
    if plan.piece_key:
        published(session, plan.piece_key)
    check_account(session, plan.channel, plan.account_id, plan.outlet_code)
    stand_ins.check_template(session, plan)


def _act(
    session: Session, plan: Plan, action: str, to: PlanState, due: datetime | None, *, now: datetime
) -> Plan:
    """Move a plan by conditional UPDATE, so that of two people one succeeds, and write it down."""
    before = plan.state
    statement = (
        update(Plan)
        .where(col(Plan.id) == plan.id, col(Plan.state).in_(_MOVES[to]))
        .values(state=to, next_due_at=due, reason="", updated_at=now)
    )
    if session.execute(statement).rowcount != 1:  # type: ignore[attr-defined]
        raise _wrong_state(plan)
    session.refresh(plan)
    if to == PlanState.active:
        _describe(session, plan.channel)
    _record(session, action, plan, {"state": before}, {"state": plan.state})
    return plan


def _wrong_state(plan: Plan) -> Conflict:
    return Conflict(
        mark("计划现在是“%(state)s”，不能这样操作，请刷新页面。"), state=_(PLAN_NAMES[PlanState(plan.state)])
    )


def _describe(session: Session, channel: str) -> None:
    """Tell the reports what the channel is called."""
    dimensions.describe(
        session,
        kind="channel",
        key=channel,
        name=registry.KINDS[channel].label,
        name_en=registry.english(channel),
    )


def _record(session: Session, action: str, plan: Plan, before: dict[str, Any], after: dict[str, Any]) -> None:
    code = plan.outlet_code
    audit.record(session, action, "plan", plan.id, before=before, after=after, outlet_code=code)
