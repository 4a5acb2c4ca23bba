"""What a plan must say before it is kept: every field checked against what it names."""

from dataclasses import dataclass, fields
from typing import Any

from sqlmodel import Session

from campaign import programme
from campaign.contacts import EMAIL
from campaign.recurrence import LOCAL, check_rule, parse_local
from content import lifecycle
from content.lifecycle import PublishedPiece
from core.errors import Invalid
from core.i18n import mark
from institution.models import Outlet
from institution.powers import WHOLE, Scope
from scheduler import plan_audience, windows
from scheduler.channels import registry
from scheduler.channels.registry import KINDS, Kind
from scheduler.models import ChannelAccount, Plan
from scheduler.plan_audience import BY_LIST, Meant
from scheduler.plan_message import Pairs

CHANNELS = tuple(KINDS)


@dataclass(frozen=True, slots=True)
class PlanForm:
    """What a person writes; `first_at` is local time (2026-09-15T09:00), `rule` an RRULE or empty; no list for a group."""

    name: str
    list_id: int | None
    channel: str
    first_at: str
    piece_key: str = ""
    subject: str = ""
    body: str = ""
    summary: str = ""
    template: str = ""
    failover_template: str = ""
    parameters: Pairs = ()
    account_id: int | None = None
    campaign: str = ""
    rule: str = ""
    stale_hours: float = 6.0
    off_days: str = ""
    meant: Meant = BY_LIST
    outlet_code: str = WHOLE


def form_of(plan: Plan) -> PlanForm:
    """A saved plan as a form would say it."""
    own = {one.name for one in fields(Meant)}
    said = {one.name: getattr(plan, one.name) for one in fields(PlanForm) if one.name != "meant"}
    pairs = tuple((name, value) for name, value in plan.parameters)
    meant = Meant(**{name: getattr(plan, name) for name in own})
    return PlanForm(**said | {"parameters": pairs, "meant": meant})


def checked(session: Session, form: PlanForm, plan_id: int | None = None) -> dict[str, Any]:
    """The columns of a plan (of a new one, or of this number); Invalid with its field for what cannot be."""
    name, subject, body = form.name.strip(), form.subject.strip(), form.body.strip().replace("\r\n", "\n")
    if not name or len(name) > 80:
        raise Invalid(mark("请给计划起一个名字（不超过 80 个字）。"), field="name")
    if form.outlet_code and session.get(Outlet, form.outlet_code) is None:
        raise Invalid(mark("请选择计划属于哪个机构。"), field="outlet_code")
    kind = registry.get(form.channel)
    if not 0.1 <= form.stale_hours <= 240:
        raise Invalid(mark("过时限度须在 0.1 到 240 小时之间。"), field="stale_hours")
    if form.off_days not in windows.OFF_DAYS:
        raise Invalid(mark("请选择周末和节假日怎样处理。"), field="off_days")
    _check_message(session, form.piece_key, subject, body)
    summary, template = _short(kind, form)
    rule = check_rule(form.rule)
    meant = plan_audience.checked(
        session, form.meant, form.list_id, form.channel, part=form.outlet_code, plan_id=plan_id
    )
    _check_campaign(session, form)
    return meant | {
        "name": name,
        "piece_key": form.piece_key,
        "subject": subject,
        "body": body,
        "summary": summary,
        "template": template,
        "failover_template": _code(form.failover_template),
        "parameters": [list(pair) for pair in form.parameters] if kind.templated else [],
        "channel": form.channel,
        "account_id": check_account(session, form.channel, form.account_id, form.outlet_code),
        "campaign": form.campaign,
        "outlet_code": form.outlet_code,
        "first_at": parse_local(form.first_at).strftime(LOCAL),
        "rule": "" if meant["follows_id"] or meant["after_id"] else rule,
        "stale_hours": form.stale_hours,
        "off_days": form.off_days,
    }


def check_account(session: Session, channel: str, account_id: int | None, outlet_code: str) -> int | None:
    """The account, if plans of this node may use it; None is the mail server of the settings."""
    if account_id is None and channel == EMAIL:
        return None
    account = session.get(ChannelAccount, account_id) if account_id is not None else None
    part = Scope(frozenset([outlet_code]))
    if account is None or account.channel != channel or not account.active:
        raise Invalid(mark("请选择这个渠道的账号；没有就请管理员在“渠道账号”里新建。"), field="account_id")
    if not part.covers(session, account.outlet_code, above=True):
        raise Invalid(mark("这个渠道账号不归计划所在的机构使用，请另选一个。"), field="account_id")
    return account.id


def published(session: Session, key: str) -> PublishedPiece:
    """The published piece; Invalid when it is not published (or no longer)."""
    piece = lifecycle.published(session, key)
    if piece is None:
        raise Invalid(
            mark("内容“%(key)s”没有发布，不能推送。请先完成审查和发布。"), field="piece_key", key=key
        )
    return piece


def _check_campaign(session: Session, form: PlanForm) -> None:
    """A campaign of the plan's own part of the tree or of a node above."""
    part = Scope(frozenset([form.outlet_code]))
    if form.campaign:
        campaign = programme.get(session, form.campaign)
        if not part.covers(session, campaign.outlet_code, above=True):
            raise Invalid(mark("这个活动期不归计划所在的机构，请另选一个。"), field="campaign")


def _short(kind: Kind, form: PlanForm) -> tuple[str, str]:
    """What channels that show little take: the summary on a line, and of a templated one its code."""
    summary, template = " ".join(form.summary.split()), form.template.strip()
    if len(summary) > 300:
        raise Invalid(mark("摘要不超过 300 个字。"), field="summary")
    if not kind.templated:
        return summary, ""
    if not template or len(template) > 100 or not template.isascii() or not template.isprintable():
        raise Invalid(mark("这个渠道只发平台审核过的模板，请填写模板编号。"), field="template")
    return summary, template


def _code(text: str) -> str:
    """The template of the account that takes over; empty where it needs none."""
    code = text.strip()
    if len(code) > 100 or not code.isascii() or not code.isprintable():
        raise Invalid(mark("模板编号不超过 100 个字母和数字。"), field="failover_template")
    return code


def _check_message(session: Session, piece_key: str, subject: str, body: str) -> None:
    if piece_key:
        published(session, piece_key)
    elif not subject or not body:
        raise Invalid(mark("请选择一项内容，或写下标题和正文。"), field="subject")
    if len(subject) > 200 or "\n" in subject or "\r" in subject:
        raise Invalid(mark("标题须是一行，不超过 200 个字。"), field="subject")
    if len(body) > 5000:
        raise Invalid(mark("正文不超过 5000 个字。"), field="body")
