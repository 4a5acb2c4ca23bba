"""The booster: three months after a push, the same topic once more in another form, to those who got the first.

A three-minute video or text makes people less open to fraud, and after three months that is still so only where they
were reminded, in the other format (a randomised trial with 2,000 people: Burke, Kieffer, Mottola, Perez-Arce, "Can
educational interventions reduce susceptibility to financial fraud?", Journal of Economic Behavior & Organization,
2022, doi 10.1016/j.jebo.2022.03.028).
"""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from dateutil.relativedelta import relativedelta
from sqlmodel import Session, select

from campaign.contacts import levels
from campaign.recurrence import LOCAL
from content import lifecycle
from content.lifecycle import PublishedPiece
from content.models import Kind
from core.errors import Conflict, Invalid
from core.i18n import gettext, mark
from scheduler import outcomes, plans, pushes, rules, windows
from scheduler.channels import registry
from scheduler.models import Plan, Push
from scheduler.plan_audience import Meant
from scheduler.plan_form import form_of

MONTHS = 3
_MOST = 6
# What one reads is followed by what one does, and the other way round; the first that there is.
FORMS: dict[str, tuple[Kind, ...]] = {
    Kind.long_graphic: (Kind.escape_room, Kind.diary, Kind.article),
    Kind.article: (Kind.escape_room, Kind.long_graphic, Kind.diary),
    Kind.guide: (Kind.escape_room, Kind.long_graphic, Kind.article),
    Kind.escape_room: (Kind.article, Kind.long_graphic, Kind.diary),
    Kind.diary: (Kind.escape_room, Kind.article, Kind.long_graphic),
}


def proposals(session: Session, push: Push) -> list[PublishedPiece]:
    """Published pieces of another kind that share a topic with what was pushed: the best form first, in it those that
    share most."""
    first = lifecycle.published(session, push.piece_key) if push.piece_key else None
    if first is None:
        return []
    topics, order = set(first.topics), FORMS.get(first.kind, ())
    found = [
        one
        for one in lifecycle.published_list(session)
        if one.kind in order and one.kind != first.kind and topics & set(one.topics)
    ]
    found.sort(key=lambda one: (order.index(Kind(one.kind)), -len(topics & set(one.topics)), one.key))
    return found[:_MOST]


def moment(session: Session, push: Push, zone: ZoneInfo) -> str:
    """Three months after the push on the institution's clock, within the hours of its channel, as a form writes it; a day
    that the month has not is its last."""
    later = push.due_at.astimezone(zone) + relativedelta(months=MONTHS)
    hours = rules.allowed(session, push.channel)
    at = windows.next_allowed(later, windows.Rules(hours.opens, hours.closes), zone)
    return at.astimezone(zone).strftime(LOCAL)


def planned(session: Session, push_id: int) -> Plan | None:
    """The booster of a push, if there is one already."""
    return session.exec(select(Plan).where(Plan.after_id == push_id)).first()


def draft(
    session: Session, push_id: int, *, piece_key: str, first_at: str, by: int | None, now: datetime
) -> Plan:
    """A draft of the booster: to who got the push, by its channel and for its purpose, with the other piece.

    Conflict when there is one already, Invalid for a push into a group, whose readers nobody knows.
    """
    push = pushes.get(session, push_id)
    if registry.to_group(push.channel):
        raise Invalid(mark("发到群里的推送没有收件人，不能只发给收到过的人。"))
    if planned(session, push_id) is not None:
        raise Conflict(mark("这次推送已经有一份三个月后的提醒。"))
    before = plans.get(session, push.plan_id)
    name = gettext("%(name)s（三个月后再提醒）") % {"name": before.name[:60]}
    own = not piece_key
    form = replace(
        form_of(before),
        name=name[:80],
        piece_key=piece_key or push.piece_key,
        subject=push.subject if own else "",
        body=push.body if own else "",
        summary=push.summary if own else "",
        first_at=first_at,
        rule="",
        list_id=None,
        meant=Meant(purpose=levels(push.purpose)[0], after_id=push_id, follows_when=outcomes.REACHED),
    )
    return plans.create(session, form, by=by, now=now)
