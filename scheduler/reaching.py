"""Whom a plan or a push means: a list, a segment, or who got a push and then did something; and how many that is now."""

from datetime import datetime
from typing import Any

from sqlmodel import Session

from campaign import audience, recipients, segment_words, segments
from campaign.audience_models import Segment
from campaign.contacts import ContactList
from campaign.recipients import Audience, LeftOut
from campaign.recurrence import in_words
from core.errors import NotFound
from core.i18n import gettext as _
from core.i18n import mark
from scheduler import outcomes, segment_pushes
from scheduler.channels import registry
from scheduler.models import Plan, Push


def freeze(session: Session, plan: Plan, push: Push) -> Push:
    """Write into a push that fires whom its plan means at this moment."""
    push.purpose, push.segment_id, push.series_id = plan.purpose, plan.segment_id, plan.series_id
    push.follows_when = plan.follows_when
    if plan.after_id is not None:
        push.after_id = plan.after_id
    push.audience = definition(session, plan)
    return push


def definition(session: Session, plan: Plan) -> str:
    """The exact definition of a plan's segment: what is approved, and frozen when it fires; empty without one."""
    row = session.get(Segment, plan.segment_id) if plan.segment_id else None
    return segments.definition(row) if row else ""


def audience_of(session: Session, push: Push) -> Audience:
    """Whom a push goes to, as it was frozen."""
    if push.after_id is not None:
        return _after(session, push.after_id, push, push.created_at)
    if push.audience:
        return segments.defined(push.audience, push.created_at)
    return Audience(list_id=push.list_id)


def left_out(session: Session, push: Push) -> LeftOut:
    """Whom a push reaches and leaves out, by reason."""
    return recipients.left_out(session, audience_of(session, push), push.channel, push.purpose)


def count(session: Session, plan: Plan, now: datetime) -> LeftOut | None:
    """Whom a plan would reach and leave out if it went out now; None into a group, and for a follow-up, whose people
    are not known yet. NotFound when what it names is gone."""
    if registry.to_group(plan.channel) or plan.follows_id is not None:
        return None
    if plan.after_id is not None:
        whole = _after(session, plan.after_id, plan, now)
    elif plan.list_id is None and plan.segment_id is None:
        return None
    else:
        whole = audience.audience_of(session, list_id=plan.list_id, segment_id=plan.segment_id)
    return recipients.left_out(session, whole, plan.channel, plan.purpose)


def named(session: Session, plan: Plan) -> str:
    """Whom a plan means, in a few words."""
    if plan.follows_id is not None:
        source = session.get(Plan, plan.follows_id)
        return _followed(plan, source.name if source else "—")
    if plan.after_id is not None:
        return _("收到过“%(name)s”的人") % {"name": push_name(session, plan.after_id)}
    if plan.segment_id is not None:
        segment = session.get(Segment, plan.segment_id)
        return _("人群：%(name)s") % {"name": segment.name if segment else _("已删除")}
    if plan.list_id is not None:
        known = session.get(ContactList, plan.list_id)
        return known.name if known else "—"
    return _("群里的人，不用名单")


def rhythm(plan: Plan) -> str:
    """How often a plan goes out, in words."""
    return _("每次推送之后") if plan.follows_id is not None else in_words(plan.rule)


def filters(session: Session, plan: Plan) -> list[str]:
    """What the plan's segment asks for, in words; empty without one."""
    row = session.get(Segment, plan.segment_id) if plan.segment_id else None
    return segment_words.words(session, row) if row else []


assert segment_pushes.OUTCOMES  # noqa: S101  (importing it hands the filter by pushes in to segments)


def push_name(session: Session, push_id: int) -> str:
    """A push as people call it: its plan and its day."""
    push = session.get(Push, push_id)
    if push is None:
        return "—"
    return f"{session.get_one(Plan, push.plan_id).name} {push.due_at:%Y-%m-%d}"


def _followed(plan: Plan, name: str) -> str:
    said = {
        "name": name, "days": plan.follows_days,
        "who": _(outcomes.OUTCOMES.get(plan.follows_when, plan.follows_when)),
    }  # fmt: skip
    return _("“%(name)s”每次推送 %(days)s 天后：%(who)s") % said


def _after(session: Session, push_id: int, meant: Plan | Push, as_of: datetime) -> Audience:
    source = session.get(Push, push_id)
    if source is None:
        raise NotFound(mark("没有找到这次推送。"))

    def where(contact: Any) -> Any:
        return outcomes.after(
            meant.follows_when, source, contact, series_id=meant.series_id, purpose=meant.purpose,
            node=meant.outlet_code, as_of=as_of,
        )  # fmt: skip

    return Audience(where=where)
