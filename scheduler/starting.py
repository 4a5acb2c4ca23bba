"""What must be approved before a plan goes out: everything it says, by its hash, by a second person.

A recurring plan is covered until it is edited. What a piece says has its own four eyes, so a plan names the
piece and not its revision; a piece that is no longer published goes nowhere.
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign.contacts import EDUCATION, PURPOSE_NAMES
from core.errors import Conflict, NotFound
from core.i18n import gettext as _
from core.i18n import mark
from institution import approval_kinds, approvals, audit
from institution.approval_models import Approval
from scheduler import plan_message, reaching, stand_ins, windows
from scheduler.channels import registry
from scheduler.models import ChannelAccount, Plan, PlanApproval, PlanState

KIND = "push.start"
COVERED = (
    "name", "piece_key", "subject", "body", "list_id", "channel", "account_id", "campaign", "first_at", "rule",
    "stale_hours", "outlet_code",
)  # fmt: skip
# What plans of before did not say: as long as it is empty, what was approved then stays approved.
ADDED = (
    "summary", "template", "failover_template", "parameters", "off_days", "purpose", "segment_id", "follows_id",
    "follows_days", "follows_when", "after_id", "series_id",
)  # fmt: skip
_USUAL = {"purpose": EDUCATION}

audit.declare({"plan.stop": mark("没有有效批准，停下推送计划")})


def digest(session: Session, plan: Plan) -> str:
    """SHA-256 (hex) over all that matters of a plan, over where its account leads and the one that takes over from it,
    and over whom its segment means."""
    said = {name: getattr(plan, name) for name in COVERED} | {"line": line(session, plan)}
    said |= {name: value for name in ADDED if (value := getattr(plan, name)) and value != _USUAL.get(name)}
    if other := stand_ins.line(session, plan):
        said["failover"] = other
    if plan.segment_id:
        said["segment"] = reaching.definition(session, plan)
    text = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def line(session: Session, plan: Plan) -> str:
    """Where the plan's account leads; empty for the mail server of the settings."""
    account = session.get(ChannelAccount, plan.account_id) if plan.account_id else None
    return account.line if account else ""


def approved(session: Session, plan: Plan) -> bool:
    """Whether a second person approved exactly what the plan says now."""
    found = approvals.granted(session, kind=KIND, subject=str(plan.id), subject_hash=digest(session, plan))
    return found is not None


def asked(session: Session, plan: Plan) -> Approval | None:
    """The open request for this plan, if there is one."""
    return approvals.open_request(session, kind=KIND, subject=str(plan.id))


def check_free(session: Session, plan: Plan) -> None:
    """Conflict while somebody is deciding on the plan: what they look at must not change under their eyes."""
    if asked(session, plan) is not None:
        raise Conflict(mark("这份计划正在审批，请先撤回申请，再修改或结束。"))


def check_approved(session: Session, plan: Plan) -> None:
    """Conflict unless a second person approved exactly this."""
    if not approved(session, plan):
        raise Conflict(mark("这份计划还没有经过另一位同事批准，请先提交审批。"))


def request(
    session: Session, plan: Plan, *, by: int, now: datetime, reason: str = "", due_at: datetime | None = None
) -> Approval:
    """Ask a second person to approve the plan as it is."""
    made = approvals.request(
        session,
        kind=KIND,
        subject=str(plan.id),
        subject_hash=digest(session, plan),
        title=plan.name,
        by=by,
        now=now,
        reason=reason,
        outlet_code=plan.outlet_code,
        due_at=due_at,
    )
    _note(session, plan.id or 0, PlanApproval.asked)
    return made


def halt(session: Session, account_id: int, reason: str, now: datetime) -> list[int]:
    """Pause the active plans of an account (or of one for which it stands in) that may not go out as they are now; returns their ids."""
    account = session.get_one(ChannelAccount, account_id)
    concerned = [account_id, *stand_ins.stood_in_for(session, account_id)]
    query = select(Plan).where(col(Plan.account_id).in_(concerned), Plan.state == PlanState.active)
    plans = list(session.exec(query.order_by(col(Plan.id))))
    closed = account_id if not account.active else None
    stopped = [one.id or 0 for one in plans if one.account_id == closed or not approved(session, one)]
    for plan_id in stopped:
        stop(session, plan_id, reason, now)
    return stopped


def stop(session: Session, plan_id: int, reason: str, now: datetime) -> bool:
    """Pause an active plan with a reason that the desk shows."""
    statement = (
        update(Plan)
        .where(col(Plan.id) == plan_id, col(Plan.state) == PlanState.active)
        .values(state=PlanState.paused, next_due_at=None, reason=reason[:500], updated_at=now)
    )
    return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def _settled(
    session: Session, approval: Approval, outcome: str, _by: int, _now: datetime, _opinion: str
) -> None:
    """Note on the plan how the request ended; starting it is another person's act."""
    _note(session, int(approval.subject), PlanApproval(outcome))


def take_back(session: Session, approval: Approval, by: int, now: datetime) -> None:
    """Withdraw a request, which only who asked may."""
    approvals.withdraw(session, approval.id or 0, by=by, now=now)
    _note(session, int(approval.subject), PlanApproval.none)


def _current(session: Session, approval: Approval) -> str | None:
    plan = session.get(Plan, int(approval.subject))
    return digest(session, plan) if plan is not None else None


def _facts(session: Session, approval: Approval) -> Sequence[tuple[str, str]]:
    plan = session.get(Plan, int(approval.subject))
    if plan is None:
        raise NotFound(mark("没有找到这份推送计划。"))
    facts = [
        (_("计划"), plan.name),
        (_("发给谁"), reaching.named(session, plan)),
        *_people(session, plan, approval.requested_at),
        (_("用途"), _(PURPOSE_NAMES[plan.purpose])),
        (_("渠道"), registry.label(plan.channel)),
        (_("经由"), line(session, plan) or _("系统设置的邮件服务器")),
        (_("开始时间"), plan.first_at.replace("T", " ")),
        (_("重复"), reaching.rhythm(plan)),
    ]
    if other := stand_ins.of(session, plan):
        facts.append((_("不通时由"), f"{other.name} {other.line} {plan.failover_template}".strip()))
    if plan.template:
        facts.append(
            (_("模板"), f"{plan.template} {plan_message.as_text(plan.parameters)}".replace("\n", "；"))
        )
    if plan.off_days:
        facts.append((_("周末和节假日"), _(windows.OFF_DAYS[plan.off_days])))
    if plan.campaign:
        facts.append((_("活动期"), plan.campaign))
    if not plan.rule and not plan.follows_id:
        facts.append((_("说明"), _("批准后，推送专员可以到时间自动发，也可以提前马上发送。")))
    return facts


def _people(session: Session, plan: Plan, at: datetime) -> list[tuple[str, str]]:
    """Who that is, by the filters in words, and how many would get it now."""
    facts = [(_("筛选条件"), line) for line in reaching.filters(session, plan)]
    try:
        known = reaching.count(session, plan, at)
    except NotFound:
        return [*facts, (_("现在能收到"), _("名单或人群已删除"))]
    if known is not None:
        facts.append((_("现在能收到"), _("%(count)s 人") % {"count": known.reached}))
    return facts


def _note(session: Session, plan_id: int, standing: PlanApproval) -> None:
    session.execute(update(Plan).where(col(Plan.id) == plan_id).values(approval=standing))


approval_kinds.declare(
    approval_kinds.Kind(
        name=KIND,
        label=mark("启动推送"),
        permission="push.approve",
        settled=_settled,
        facts=_facts,
        href=lambda approval: f"/desk/plans/{approval.subject}",
        take_back=take_back,
        current=_current,
    )
)
