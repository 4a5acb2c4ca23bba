"""What became of each report: who takes one up, what is due, what was sent, what was withheld and why.

A row per person and period, made by whoever claims it first (unique key); its report goes into the outbox in the
transaction that says so. A claim runs out, so that what a process that died had in hand is made by another.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from core.errors import Conflict, NotFound
from core.i18n import mark
from institution import audit, letters
from institution.letter_models import Letter
from institution.powers import Scope
from tracking import report_rhythm, subscriptions
from tracking.periods import Period
from tracking.report_rhythm import Clock, Due, Ended
from tracking.subscription_models import ReportDelivery, ReportRecipient, ReportSubscription

CLAIMED, POSTED, SENT, FAILED, UNCERTAIN, WITHHELD = (
    "claimed", "posted", "sent", "failed", "uncertain", "withheld",
)  # fmt: skip
STATES = {
    CLAIMED: mark("正在生成"),
    POSTED: mark("待发"),
    SENT: mark("已发出"),
    FAILED: mark("没有发出"),
    UNCERTAIN: mark("不知是否发出"),
    WITHHELD: mark("没有给"),
}
LEASE = timedelta(minutes=10)
MOST_TRIES = 5
_FIRST_WAIT = timedelta(minutes=2)
TEST = "test:"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A report that somebody is to get now; `delivery_id` where it was taken up before."""

    subscription_id: int
    staff_id: int
    due: Due
    late: bool = False
    missed: int = 0
    delivery_id: int | None = None


def waiting(session: Session, clock: Clock, now: datetime, ended: Sequence[Ended]) -> list[Waiting]:
    """All that is due and was not taken up by anybody, and what was left lying."""
    found = []
    for one in session.exec(
        select(ReportSubscription).where(ReportSubscription.state == subscriptions.ACTIVE)
    ):
        found += _of(session, one, clock, now, ended)
    return found + [_again(one) for one in _left_lying(session, now)]


def _of(
    session: Session, one: ReportSubscription, clock: Clock, now: datetime, ended: Sequence[Ended]
) -> list[Waiting]:
    due_now = report_rhythm.newest(one, clock, now, concerning(session, one, ended))
    if not due_now:
        return []
    people = list(session.exec(select(ReportRecipient).where(ReportRecipient.subscription_id == one.id)))
    rows = select(ReportDelivery.period_key, ReportDelivery.staff_id)
    done = set(session.exec(rows.where(ReportDelivery.subscription_id == one.id)))
    known = {key for key, _person in done}
    return [
        Waiting(one.id or 0, each.staff_id, due, due.late(now), _missed(one, clock, due, known))
        for due in due_now
        for each in people
        if (due.key, each.staff_id) not in done and each.added_at < due.at
    ]


def concerning(session: Session, one: ReportSubscription, ended: Sequence[Ended]) -> list[Ended]:
    """The campaigns of the subscription's node, of those above it and of those below it."""
    if one.rhythm != report_rhythm.AFTER_CAMPAIGN:
        return []
    own = Scope(frozenset({one.outlet_code}))
    return [
        each
        for each in ended
        if own.covers(session, each.outlet_code)
        or Scope(frozenset({each.outlet_code})).covers(session, one.outlet_code)
    ]


def _missed(one: ReportSubscription, clock: Clock, due: Due, known: Collection[str]) -> int:
    """How many before this one never went to anybody because nothing ran."""
    number = 0
    for before in report_rhythm.earlier(one, clock, due.at):
        if before.key in known:
            break
        number += before.key != due.key
    return number


def _left_lying(session: Session, now: datetime) -> list[ReportDelivery]:
    query = select(ReportDelivery).where(
        ReportDelivery.state == CLAIMED, col(ReportDelivery.claimed_until) <= now
    )
    return list(session.exec(query.order_by(col(ReportDelivery.id))))


def _again(row: ReportDelivery) -> Waiting:
    due = Due(row.due_at, Period(row.first, row.last), row.campaign)
    return Waiting(row.subscription_id, row.staff_id, due, row.late, row.missed, row.id)


def claim(session: Session, wanted: Waiting, now: datetime) -> tuple[int, str] | None:
    """Take one up: its row and the claim; None when somebody else was first."""
    token = secrets.token_hex(8)
    if wanted.delivery_id is not None:
        return (wanted.delivery_id, token) if _take_over(session, wanted.delivery_id, token, now) else None
    row = ReportDelivery(
        subscription_id=wanted.subscription_id,
        staff_id=wanted.staff_id,
        period_key=wanted.due.key,
        first=wanted.due.period.first,
        last=wanted.due.period.last,
        campaign=wanted.due.campaign,
        due_at=wanted.due.at,
        late=wanted.late,
        missed=wanted.missed,
        claim=token,
        claimed_until=now + LEASE,
        made_at=now,
    )
    try:
        with session.begin_nested():
            session.add(row)
            session.flush()
    except IntegrityError:
        return None
    return row.id or 0, token


def _take_over(session: Session, number: int, token: str, now: datetime) -> bool:
    lying = (
        col(ReportDelivery.id) == number,
        col(ReportDelivery.state) == CLAIMED,
        col(ReportDelivery.claimed_until) <= now,
    )
    taken = update(ReportDelivery).where(*lying).values(claim=token, claimed_until=now + LEASE)
    return bool(session.connection().execute(taken).rowcount == 1)


def settle(session: Session, number: int, token: str, values: Mapping[str, object]) -> bool:
    """Say what became of a claimed one; False when the claim ran out and somebody else has it now."""
    held = (
        col(ReportDelivery.id) == number,
        col(ReportDelivery.state) == CLAIMED,
        col(ReportDelivery.claim) == token,
    )
    done = update(ReportDelivery).where(*held).values(claimed_until=None, **values)
    return bool(session.connection().execute(done).rowcount == 1)


def put_off(session: Session, number: int, token: str, reason: str, now: datetime) -> None:
    """A report could not be made: later again, or never after some tries."""
    row = session.get_one(ReportDelivery, number)
    if row.state != CLAIMED or row.claim != token:
        return
    row.attempts, row.reason = row.attempts + 1, reason[:300]
    if row.attempts >= MOST_TRIES:
        row.state, row.claimed_until, row.settled_at = FAILED, None, now
    else:
        row.claimed_until = now + _FIRST_WAIT * 2 ** (row.attempts - 1)
    session.add(row)


def follow(session: Session) -> int:
    """Carry over what became of the letters in the outbox; returns how many were settled."""
    query = select(ReportDelivery, Letter).join(Letter, col(Letter.id) == col(ReportDelivery.letter_id))
    settled = (letters.SENT, letters.FAILED, letters.UNCERTAIN)
    rows = list(session.exec(query.where(ReportDelivery.state == POSTED, col(Letter.status).in_(settled))))
    for row, letter in rows:
        row.state, row.settled_at, row.reason = letter.status, letter.settled_at, letter.fault
        session.add(row)
    return len(rows)


def last_reason(session: Session, wanted: Waiting) -> str:
    """Why the person got nothing the last time, "" when they got something."""
    query = select(ReportDelivery).where(
        ReportDelivery.subscription_id == wanted.subscription_id,
        ReportDelivery.staff_id == wanted.staff_id,
        ReportDelivery.state != CLAIMED,
    )
    row = session.exec(query.order_by(col(ReportDelivery.id).desc())).first()
    return row.reason if row is not None and row.state == WITHHELD else ""


def history(session: Session, number: int, most: int = 100) -> list[ReportDelivery]:
    """The newest sendings of a subscription."""
    query = select(ReportDelivery).where(ReportDelivery.subscription_id == number)
    return list(session.exec(query.order_by(col(ReportDelivery.id).desc()).limit(most)))


def again(session: Session, subscription_id: int, number: int, now: datetime) -> ReportDelivery:
    """Have one made and sent anew that did not arrive, or may not have; Conflict for one that did."""
    row = session.get(ReportDelivery, number)
    if row is None or row.subscription_id != subscription_id:
        raise NotFound(mark("没有找到这次发送。"))
    if row.state not in (FAILED, UNCERTAIN, WITHHELD) or row.period_key.startswith(TEST):
        raise Conflict(mark("这次已经发出，或正在发送，不用再发。"))
    before = {"state": row.state}
    row.state, row.attempts, row.claimed_until, row.reason, row.late = CLAIMED, 0, now, "", True
    session.add(row)
    found = subscriptions.get(session, subscription_id)
    audit.record(
        session, "report.again", "report", found.id, before=before, after={"period": row.period_key},
        outlet_code=found.outlet_code, note=found.name,
    )  # fmt: skip
    return row
