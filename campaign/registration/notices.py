"""What people are told about their registration: noted in the transaction that gives cause, told once.

`campaign.registration.telling` writes the letters; here it is only noted, so that a verb needs no mail server.
"""

from datetime import datetime

from sqlmodel import Session, select

from campaign.events.models import Occurrence
from campaign.registration.models import Notice, Registration
from core.i18n import mark

QUEUED, SENT, BY_HAND, DROPPED = "queued", "sent", "by_hand", "dropped"
REGISTERED, WAITLISTED, OFFERED, LAPSED = "registered", "waitlisted", "offered", "lapsed"
APPROVED, REJECTED, MOVED, CALLED_OFF, TAKEN_OUT = "approved", "rejected", "moved", "called_off", "taken_out"
DAY_BEFORE, TWO_HOURS, THANKS, REPLAY, MESSAGE = "day_before", "two_hours", "thanks", "replay", "message"
KIND_NAMES = {
    REGISTERED: mark("报名成功"),
    WAITLISTED: mark("进入候补"),
    OFFERED: mark("候补有位"),
    LAPSED: mark("候补过期"),
    APPROVED: mark("审核通过"),
    REJECTED: mark("审核未通过"),
    MOVED: mark("活动改期"),
    CALLED_OFF: mark("活动取消"),
    TAKEN_OUT: mark("网点取消报名"),
    DAY_BEFORE: mark("前一天提醒"),
    TWO_HOURS: mark("两小时前提醒"),
    THANKS: mark("感谢与反馈"),
    REPLAY: mark("回放"),
    MESSAGE: mark("网点消息"),
}
# Telling these by telephone is worth somebody's time; the others only a letter's.
WORTH_A_CALL = frozenset({OFFERED, MOVED, CALLED_OFF, APPROVED, REJECTED, TAKEN_OUT})


def note(
    session: Session,
    registration: Registration,
    kind: str,
    now: datetime,
    *,
    about: str = "",
    text_sealed: str = "",
    texted: frozenset[str] = frozenset(),
) -> Notice | None:
    """Note that a person is to be told; None when it was noted before, or when nothing could be done with it."""
    if not registration.email_sealed and kind not in WORTH_A_CALL | {MESSAGE} | texted:
        return None
    known = select(Notice.id).where(
        Notice.registration_id == registration.id, Notice.kind == kind, Notice.about == about
    )
    if session.exec(known).first() is not None:
        return None
    made = Notice(
        registration_id=registration.id or 0,
        kind=kind,
        about=about,
        text_sealed=text_sealed,
        created_at=now,
    )
    session.add(made)
    session.flush()
    return made


def offered(session: Session, one: Registration, _occurrence: Occurrence, now: datetime) -> None:
    """A place came free for who waits."""
    note(session, one, OFFERED, now, about=now.isoformat()[:32])


def lapsed(session: Session, one: Registration, _occurrence: Occurrence, now: datetime) -> None:
    """An offer ended."""
    note(session, one, LAPSED, now, about=now.isoformat()[:32])
