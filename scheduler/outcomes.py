"""What became of a push for each of its recipients: got it, opened it where that can be known, came to an event after.

Opening is known by the link of the message, so only where every recipient gets a link of their own: not in a group,
not where one content goes to thousands in a call, and not in an SMS, whose templates carry no link of a person.
There nobody "did not open": the platform's silence says nothing about a person.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, exists, func
from sqlmodel import Session, col, select

from campaign import segment_events
from campaign.recipients import alias
from campaign.segment_events import ABSENT, CAME, DID, REGISTERED
from core.i18n import mark
from scheduler.channels import registry
from scheduler.models import Delivery, DeliveryState, Push
from scheduler.opening_models import Opening

REACHED, OPENED, UNOPENED, MISSED = "reached", "opened", "unopened", "missed"
OUTCOMES = {
    REACHED: mark("收到了"),
    UNOPENED: mark("收到了，没有打开链接"),
    OPENED: mark("打开了链接"),
    REGISTERED: mark("收到后报了名"),
    ABSENT: mark("报了名没有来"),
    CAME: mark("来参加了"),
}
BY_LINK, BY_EVENT = (OPENED, UNOPENED), tuple(DID)


def tells_openings(channel: str) -> bool:
    """Whether a message of the channel has a link of its own for each person."""
    return registry.tells_openings(channel)


def opened(session: Session, push_id: int) -> int:
    """How many recipients of a push followed its link."""
    query = select(func.count()).select_from(Delivery).join(Opening, col(Opening.key) == col(Delivery.key))
    return session.exec(query.where(Delivery.push_id == push_id)).one()


def of_push(outcome: str, push_id: int, contact: Any) -> ColumnElement[bool]:
    """Whether a contact got, opened or did not open a push; `missed`: did not get it."""
    one = alias(Delivery)
    got = exists().where(
        one.push_id == push_id, one.contact_id == contact.id, one.state == DeliveryState.sent
    )
    if outcome == MISSED:
        return ~got
    if outcome not in BY_LINK:
        return got
    link = exists().where(col(Opening.key) == one.key)
    return got.where(link if outcome == OPENED else ~link)


def after(
    outcome: str,
    source: Push,
    contact: Any,
    *,
    series_id: int | None,
    purpose: str,
    node: str,
    as_of: datetime,
) -> ColumnElement[bool]:
    """Whether a contact got a push and then did this: for events, at occurrences of a series that began after it, among
    those that the node may ask about."""
    got = of_push(outcome, source.id or 0, contact)
    if outcome not in BY_EVENT:
        return got
    of = (
        segment_events.place(node),
        segment_events.meant(f"{segment_events.SERIES}:{series_id or ''}"),
        segment_events.begins(source.due_at),
    )
    return got & segment_events.did(outcome, of, contact, purpose=purpose, as_of=as_of)
