"""The form of a plan: what it offers, what it shows, what it sends."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from sqlmodel import Session

from campaign import audience, programme
from campaign.contacts import CHANNEL_NAMES
from content import lifecycle
from core import clock
from core.errors import Invalid
from core.http import service
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from scheduler import plans
from scheduler.models import Plan
from scheduler.plans import PlanForm
from scheduler.recurrence import PRESETS

CUSTOM = "custom"


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers, by value."""

    pieces: Mapping[str, str]
    campaigns: Mapping[str, str]
    lists: Mapping[str, str]
    channels: Mapping[str, str]
    rules: Mapping[str, str]


def posted() -> PlanForm:
    """What the form says; Invalid when a number is none."""
    form = request.form
    rhythm = form.get("rhythm", "")
    try:
        list_id, stale = int(form.get("list_id") or 0), float(form.get("stale_hours") or 6)
    except ValueError as error:
        raise Invalid(mark("过时限度须是数字（小时）。"), field="stale_hours") from error
    if not list_id:
        raise Invalid(mark("请选择一份名单。"), field="list_id")
    return PlanForm(
        list_id=list_id,
        stale_hours=stale,
        rule=form.get("rule", "") if rhythm == CUSTOM else rhythm,
        **{
            name: form.get(name, "")
            for name in (
                "name",
                "channel",
                "first_at",
                "piece_key",
                "subject",
                "body",
                "target",
                "campaign",
            )
        },
    )


def values_of(plan: Plan) -> dict[str, str]:
    """A saved plan as the form shows it."""
    known = {name: "" if value is None else str(value) for name, value in plan.model_dump().items()}
    return known | {"rhythm": plan.rule if plan.rule in PRESETS else CUSTOM}


def blank() -> dict[str, str]:
    """An empty form, ready for today at ten."""
    today = clock.today(service(Settings).zone)
    return {"first_at": f"{today.isoformat()}T10:00", "stale_hours": "6", "channel": "email", "rhythm": ""}


def choices(session: Session) -> Choices:
    """What the form offers now."""
    return Choices(
        pieces={"": _("不附内容，只发文字")}
        | {piece.key: piece.title for piece in lifecycle.published_list(session)},
        campaigns={"": _("不属于活动期")} | {one.code: one.name for one in programme.listing(session)},
        lists={"": _("请选择")}
        | {
            str(row.id): _("%(name)s（%(size)s 人）", name=row.name, size=row.size)
            for row in audience.lists(session)
        },
        channels={name: _(CHANNEL_NAMES[name]) for name in plans.CHANNELS},
        rules={rule: _(name) for rule, name in PRESETS.items()} | {CUSTOM: _("自定规则")},
    )
