"""The form of a plan: what it offers to a person, what it shows, what it sends."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import request
from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.contacts import EMAIL, ContactList, ContactMember
from campaign.models import Campaign
from campaign.recurrence import PRESETS
from content import lifecycle
from core import clock
from core.errors import Invalid
from core.http import service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import places
from institution.access import signed_in
from institution.conflict import Field
from institution.places import Choices as Places
from institution.powers import Scope
from scheduler import accounts, plan_message, plans, windows
from scheduler.channels import registry
from scheduler.desk import audience_form
from scheduler.models import ChannelAccount, Plan
from scheduler.plans import PlanForm

CUSTOM = "custom"
LABELS = {
    "name": mark("计划名称"),
    "piece_key": mark("内容"),
    "subject": mark("标题"),
    "body": mark("正文"),
    "summary": mark("摘要"),
    "template": mark("模板编号"),
    "failover_template": mark("接替账号的模板编号"),
    "parameters": mark("模板参数"),
    "campaign": mark("活动期"),
    "list_id": mark("名单"),
    **audience_form.LABELS,
    "route": mark("渠道账号"),
    "first_at": mark("开始时间"),
    "rhythm": mark("重复"),
    "rule": mark("自定规则"),
    "off_days": mark("周末和节假日"),
    "stale_hours": mark("过时限度（小时）"),
    "outlet_code": mark("所属机构"),
}


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers, by value."""

    pieces: Mapping[str, str]
    campaigns: Mapping[str, str]
    lists: Mapping[str, str]
    routes: Mapping[str, str]
    rules: Mapping[str, str]
    off_days: Mapping[str, str]
    meant: Mapping[str, Mapping[str, str]]
    places: Places

    def names_of(self, field: str) -> Mapping[str, str]:
        """The words of a field's values, where they are codes."""
        return {
            "piece_key": self.pieces, "campaign": self.campaigns, "list_id": self.lists, "route": self.routes,
            "rhythm": self.rules, "off_days": self.off_days, "outlet_code": dict(self.places), **self.meant,
        }.get(field, {})  # fmt: skip


def posted(session: Session) -> PlanForm:
    """What the form says; Invalid when a number is none, or a node is not in the tree."""
    form = request.form
    rhythm, (channel, _colon, account) = form.get("rhythm", ""), form.get("route", "").partition(":")
    try:
        list_id, stale = int(form.get("list_id") or 0), float(form.get("stale_hours") or 6)
    except ValueError as error:
        raise Invalid(mark("过时限度须是数字（小时）。"), field="stale_hours") from error
    words: dict[str, Any] = {
        name: form.get(name, "")
        for name in (
            "name", "first_at", "piece_key", "subject", "body", "campaign", "summary", "template",
            "failover_template", "off_days",
        )
    }  # fmt: skip
    return PlanForm(
        list_id=list_id or None,
        meant=audience_form.posted(),
        parameters=plan_message.parsed(form.get("parameters", "")),
        stale_hours=stale,
        rule=form.get("rule", "") if rhythm == CUSTOM else rhythm,
        channel=channel,
        account_id=int(account) if account.isdecimal() else None,
        outlet_code=places.typed(session, form),
        **words,
    )


def typed(session: Session) -> dict[str, str]:
    """What was typed, for a form that comes back; a node typed beside the list stands for itself."""
    values = {name: request.form.get(name, "") for name in LABELS}
    try:
        return values | {"outlet_code": places.typed(session, request.form)}
    except Invalid:
        return values | {"outlet_code_typed": request.form.get("outlet_code_typed", "")}


def values_of(plan: Plan) -> dict[str, str]:
    """A saved plan as the form shows it."""
    known = plan.model_dump() | {
        "route": f"{plan.channel}:{plan.account_id or ''}",
        "rhythm": plan.rule if plan.rule in PRESETS else CUSTOM,
        "parameters": plan_message.as_text(plan.parameters),
    }
    return {name: "" if known[name] is None else str(known[name]) for name in LABELS}


def fields(theirs: Mapping[str, str], mine: Mapping[str, str], known: Choices) -> list[Field]:
    """Both versions of every field, for the page of a conflict."""
    return [
        Field(name, _(label), theirs.get(name, ""), mine.get(name, ""), known.names_of(name))
        for name, label in LABELS.items()
    ]


def blank() -> dict[str, str]:
    """An empty form, ready for today at ten."""
    today = clock.today(service(Settings).zone)
    return {
        "first_at": f"{today.isoformat()}T10:00",
        "stale_hours": "6",
        "route": "email:",
        "rhythm": "",
        "follows_days": "3",
    }


def copied(session: Session, plan_id: int, channel: str, known: Choices) -> dict[str, str]:
    """What a plan says, for another channel: by the first account of it, under a name of its own."""
    plan = plans.get(session, plan_id)
    signed_in().check(session, "push.view", plan.outlet_code)
    route = next((one for one in known.routes if one.partition(":")[0] == channel), f"{plan.channel}:")
    name = _("%(name)s（%(channel)s）") % {"name": plan.name, "channel": registry.label(channel)}
    return values_of(plan) | {"route": route, "name": name[:80]} | proposed(plan.rule)


def proposed(rule: str) -> dict[str, str]:
    """Another rhythm that the address proposes (`at`, `rule`), as the calendar does for what does not fit."""
    args = request.args
    found = {"first_at": args["at"][:16]} if "at" in args else {}
    rule = args.get("rule", rule)[:200]
    return found | {"rule": rule, "rhythm": rule if rule in PRESETS else CUSTOM}


def choices(session: Session, scope: Scope, plan: Plan | None = None) -> Choices:
    """What the form offers to who may write plans in this part of the tree."""
    return Choices(
        pieces={"": _("不附内容，只发文字")}
        | {piece.key: piece.title for piece in lifecycle.published_list(session)},
        campaigns={"": _("不属于活动期")} | _campaigns(session, scope),
        lists={"": _("请选择")} | _lists(session, scope),
        routes=_routes(session, scope, plan),
        meant=audience_form.choices(session, scope, plan),
        off_days={way: _(name) for way, name in windows.OFF_DAYS.items()},
        rules={rule: _(name) for rule, name in PRESETS.items()} | {CUSTOM: _("自定规则")},
        places=places.choices(session, scope, chosen=plan.outlet_code if plan else ""),
    )


def route_name(account: ChannelAccount | None, channel: str) -> str:
    """How an account is called where a plan chooses it."""
    name = account.name if account else _("系统设置的邮件服务器")
    shown = _("%(channel)s · %(name)s", channel=registry.label(channel), name=name)
    return shown if account is None or account.active else _("%(name)s（已停用）", name=shown)


def _routes(session: Session, scope: Scope, plan: Plan | None) -> dict[str, str]:
    found = {f"{EMAIL}:": route_name(None, EMAIL)}
    rows = accounts.usable(session, scope)
    if plan is not None and plan.account_id is not None:
        rows.append(accounts.get(session, plan.account_id))
    return found | {f"{row.channel}:{row.id}": route_name(row, row.channel) for row in rows}


def _lists(session: Session, scope: Scope) -> dict[str, str]:
    query = (
        select(ContactList.id, ContactList.name, func.count(col(ContactMember.contact_id)))
        .join(ContactMember, col(ContactMember.list_id) == ContactList.id, isouter=True)
        .where(scope.condition(ContactList.outlet_code))
        .group_by(col(ContactList.id), col(ContactList.name))
        .order_by(col(ContactList.name))
    )
    return {
        str(number): _("%(name)s（%(size)s 人）", name=name, size=size)
        for number, name, size in session.exec(query)
    }


def _campaigns(session: Session, scope: Scope) -> dict[str, str]:
    query = select(Campaign).where(scope.condition(Campaign.outlet_code, above=True))
    return {one.code: one.name for one in session.exec(query.order_by(col(Campaign.starts_on).desc()))}
