"""Whom a plan may mean: exactly one of a list, a segment, the pushes of another plan, one push. Of its own part."""

from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from campaign import audience, segments
from campaign.contacts import EDUCATION, PURPOSE_NAMES
from campaign.events.models import EventSeries
from core.errors import Invalid, NotFound
from core.i18n import mark
from institution.powers import Scope
from scheduler import followups, outcomes
from scheduler.channels import registry
from scheduler.models import Plan, Push

_NOBODY: dict[str, Any] = {
    "list_id": None, "segment_id": None, "follows_id": None, "follows_days": 0, "follows_when": "",
    "after_id": None, "series_id": None,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meant:
    """Whom a form means besides a list, and for which purpose; as in `meant_models.PlanMeant`."""

    purpose: str = EDUCATION
    segment_id: int | None = None
    follows_id: int | None = None
    follows_days: int = 0
    follows_when: str = ""
    after_id: int | None = None
    series_id: int | None = None


BY_LIST = Meant()


def checked(
    session: Session, meant: Meant, list_id: int | None, channel: str, *, part: str, plan_id: int | None
) -> dict[str, Any]:
    """The columns that say whom a plan means; Invalid with its field for what cannot be."""
    if meant.purpose not in PURPOSE_NAMES:
        raise Invalid(mark("没有这个用途。"), field="purpose")
    found = _NOBODY | {"purpose": meant.purpose}
    if registry.to_group(channel):
        return found
    asked = [list_id, meant.segment_id, meant.follows_id, meant.after_id]
    if sum(one is not None for one in asked) != 1:
        raise Invalid(mark("请选择一份名单或一个人群，或跟进另一份计划；只能选一样。"), field="list_id")
    own = Scope(frozenset([part]))
    if list_id is not None:
        return found | _list(session, own, list_id)
    if meant.segment_id is not None:
        return found | _segment(session, own, meant.segment_id)
    if meant.follows_id is not None:
        return found | _followed(session, own, meant, plan_id)
    return found | _pushed(session, own, meant)


def _list(session: Session, part: Scope, list_id: int) -> dict[str, Any]:
    if not part.covers(session, audience.get_list(session, list_id).outlet_code):
        raise Invalid(mark("这份名单不归计划所在的机构，请另选一份。"), field="list_id")
    return {"list_id": list_id}


def _segment(session: Session, part: Scope, segment_id: int) -> dict[str, Any]:
    if not part.covers(session, segments.get(session, segment_id).outlet_code):
        raise Invalid(mark("这个人群不归计划所在的机构，请另选一个。"), field="segment_id")
    return {"segment_id": segment_id}


def _followed(session: Session, part: Scope, meant: Meant, plan_id: int | None) -> dict[str, Any]:
    source = session.get(Plan, meant.follows_id)
    if source is None or not part.covers(session, source.outlet_code):
        raise Invalid(mark("没有这份计划，或它不归计划所在的机构。"), field="follows_id")
    if plan_id is not None and plan_id in followups.chain(session, source.id):
        raise Invalid(mark("计划不能跟进自己，也不能绕一圈跟进自己。"), field="follows_id")
    if not 1 <= meant.follows_days <= followups.MOST_DAYS:
        raise Invalid(mark("请填写推送后第几天跟进（1 到 180）。"), field="follows_days")
    said = _outcome(session, source.channel, meant)
    return said | {"follows_id": source.id, "follows_days": meant.follows_days}


def _pushed(session: Session, part: Scope, meant: Meant) -> dict[str, Any]:
    push = session.get(Push, meant.after_id)
    if push is None or not part.covers(session, push.outlet_code):
        raise NotFound(mark("没有找到这次推送。"))
    return _outcome(session, push.channel, meant) | {"after_id": push.id}


def _outcome(session: Session, channel: str, meant: Meant) -> dict[str, Any]:
    """What people did after a push of a channel, if that can be known."""
    when = meant.follows_when
    if when not in outcomes.OUTCOMES:
        raise Invalid(mark("请选择跟进哪些人。"), field="follows_when")
    if registry.to_group(channel):
        raise Invalid(mark("发到群里的推送没有收件人，不能跟进。"), field="follows_id")
    if when in outcomes.BY_LINK and not outcomes.tells_openings(channel):
        raise Invalid(
            mark("%(channel)s的链接人人一样，认不出是谁打开的，请选别的条件。"), field="follows_when",
            channel=registry.label(channel),
        )  # fmt: skip
    if when not in outcomes.BY_EVENT:
        return {"follows_when": when}
    if meant.series_id is None or session.get(EventSeries, meant.series_id) is None:
        raise Invalid(mark("请选择看哪个活动的报名和到场。"), field="series_id")
    return {"follows_when": when, "series_id": meant.series_id}
