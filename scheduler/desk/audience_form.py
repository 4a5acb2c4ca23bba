"""Whom a plan means, as its form asks: what it offers, what it sends, and how many would get it now, while one types."""

from collections.abc import Mapping

from flask import jsonify, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign import audience, recipients, segments
from campaign.audience_models import Segment
from campaign.contacts import EDUCATION, PURPOSE_NAMES
from campaign.events import series
from campaign.events.models import EventSeries
from campaign.recipients import LeftOut
from core.errors import NotFound
from core.http import reading
from core.i18n import gettext as _
from core.i18n import mark
from institution.access import requires, signed_in
from institution.powers import Scope
from scheduler import outcomes
from scheduler.channels import registry
from scheduler.desk.routes import blueprint
from scheduler.models import Plan
from scheduler.plan_audience import Meant

LABELS = {
    "purpose": mark("用途"),
    "segment_id": mark("人群"),
    "follows_id": mark("跟进哪份计划"),
    "follows_days": mark("推送后第几天"),
    "follows_when": mark("跟进哪些人"),
    "series_id": mark("看哪个活动"),
    "after_id": mark("收到过哪次推送"),
}


def posted() -> Meant:
    """What the form says of whom it means besides a list."""
    follows, after = number("follows_id"), number("after_id")
    asked = follows is not None or after is not None
    return Meant(
        purpose=request.form.get("purpose", EDUCATION),
        segment_id=number("segment_id"),
        follows_id=follows,
        follows_days=(number("follows_days") or 0) if follows is not None else 0,
        follows_when=request.form.get("follows_when", "") if asked else "",
        after_id=after,
        series_id=number("series_id") if asked else None,
    )


def number(name: str) -> int | None:
    """The number of something chosen; None where nothing is."""
    text = request.values.get(name, "").strip()
    return int(text) if text.isdecimal() and len(text) < 10 else None


def choices(session: Session, scope: Scope, plan: Plan | None) -> dict[str, Mapping[str, str]]:
    """What the fields offer to who may write plans in this part of the tree, by field."""
    found = segments.segments(session, scope.condition(Segment.outlet_code))
    held = series.listing(session, scope.condition(EventSeries.outlet_code, above=True))
    return {
        "purpose": {name: _(label) for name, label in PURPOSE_NAMES.items()},
        "segment_id": {"": _("请选择")} | {str(one.id): one.name for one in found},
        "follows_id": {"": _("不跟进")} | _plans(session, scope, plan),
        "follows_when": {name: _(label) for name, label in outcomes.OUTCOMES.items()},
        "series_id": {"": _("请选择")} | {str(one.id): one.shown("name") for one in held},
    }


@blueprint.get("/plans/count")
@requires("push.view")
def count_audience() -> ResponseReturnValue:
    """How many a list or a segment of one's own part would reach now by a channel, as JSON with a sentence."""
    channel, purpose = request.args.get("route", "").partition(":")[0], request.args.get("purpose", "")
    list_id, segment_id = number("list_id"), number("segment_id")
    if (
        registry.to_group(channel)
        or channel not in registry.KINDS
        or (list_id is None) == (segment_id is None)
    ):
        return jsonify({"text": ""})
    with reading() as session:
        scope = signed_in().scope("push.view")
        if list_id is not None:
            place = audience.get_list(session, list_id).outlet_code
        else:
            place = segments.get(session, segment_id or 0).outlet_code
        if not scope.covers(session, place):
            raise NotFound(mark("没有找到这份名单。"))
        whole = audience.audience_of(session, list_id=list_id, segment_id=segment_id)
        wanted = purpose if purpose in PURPOSE_NAMES else EDUCATION
        found = recipients.left_out(session, whole, channel, wanted)
    return jsonify({"text": said(found), "reached": found.reached})


def said(found: LeftOut) -> str:
    """Whom a push reaches and leaves out, in a sentence."""
    return _(
        "现在能收到 %(reached)s 人；没有这个渠道的地址 %(no_address)s 人，没同意这个用途 %(no_consent)s 人，已退订 %(refused)s 人，地址已关闭 %(closed)s 人。",
        reached=found.reached, no_address=found.no_address, no_consent=found.no_consent, refused=found.refused,
        closed=found.closed,
    )  # fmt: skip


def _plans(session: Session, scope: Scope, plan: Plan | None) -> dict[str, str]:
    """Plans that can be followed, the latest first: not this one, and none into a group."""
    query = select(Plan).where(scope.condition(Plan.outlet_code)).order_by(col(Plan.id).desc())
    return {
        str(one.id): one.name
        for one in session.exec(query)
        if not registry.to_group(one.channel) and (plan is None or one.id != plan.id)
    }
