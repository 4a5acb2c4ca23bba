"""The outbox: batches are claimed under a lease by conditional UPDATE, and every recipient is settled once.

Each verb that changes deliveries of a batch first locks the batch's row by a conditional UPDATE that names
the owner, so that whoever lost the lease can change nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Update, and_, bindparam, func, update
from sqlmodel import Session, col, select

from core.database import Prepared, UtcDateTime
from core.i18n import mark
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.patience import Limits

SETTLED = (DeliveryState.sent, DeliveryState.failed, DeliveryState.refused, DeliveryState.cancelled)
_CANDIDATES = 8

# The statements that run for every message, built once: building costs more than running them.
_RENEW = (
    update(Batch)
    .where(
        col(Batch.id) == bindparam("batch"),
        col(Batch.owner) == bindparam("by"),
        col(Batch.state) == BatchState.claimed,
    )
    .values(lease_until=bindparam("until"))
)
_BEGIN = (
    update(Delivery)
    .where(col(Delivery.id) == bindparam("delivery"), col(Delivery.state) == DeliveryState.queued)
    .values(state=DeliveryState.sending, attempts=Delivery.attempts + 1)
)
_SETTLE = (
    update(Delivery)
    .where(col(Delivery.id) == bindparam("delivery"), col(Delivery.state) == bindparam("old"))
    .values(
        state=bindparam("new"),
        reason=bindparam("why"),
        reference=bindparam("known_as"),
        settled_at=bindparam("at"),
        attempts=Delivery.attempts - bindparam("untried"),
    )
)


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one delivery: its new state, the reason or the channel's reference; `tried` False when
    it was not handed over after all, because the line broke before its turn."""

    delivery_id: int
    state: DeliveryState
    reason: str = ""
    reference: str = ""
    tried: bool = True


CLAIMABLE = Prepared(
    select(col(Batch.id))
    .join(Push, col(Push.id) == Batch.push_id)
    .where(
        Batch.state == BatchState.queued,
        col(Batch.channel) == bindparam("channel"),
        col(Batch.not_before) <= bindparam("now", type_=UtcDateTime),
        Push.state == PushState.running,
    )
    .order_by(col(Batch.not_before), col(Batch.id))
    .limit(_CANDIDATES)
)


class LeaseLost(Exception):
    """Another worker holds the batch now: stop, change nothing more."""


def claim(session: Session, *, channel: str, owner: str, now: datetime, limits: Limits) -> Batch | None:
    """Take the next batch of a channel whose time has come and whose push runs; None when there is none."""
    for batch_id in candidates(session, channel, now):
        if take(session, batch_id, owner=owner, now=now, limits=limits):
            return session.get(Batch, batch_id, populate_existing=True)
    return None


def candidates(session: Session, channel: str, now: datetime) -> Sequence[int]:
    """Batches that could be claimed now, oldest first."""
    return [found for (found,) in CLAIMABLE.on(session.connection(), {"channel": channel, "now": now})]


def take(session: Session, batch_id: int, *, owner: str, now: datetime, limits: Limits) -> bool:
    """Claim one batch if it still waits: of any number of workers exactly one gets True."""
    statement = (
        update(Batch)
        .where(col(Batch.id) == batch_id, col(Batch.state) == BatchState.queued)
        .values(state=BatchState.claimed, owner=owner, lease_until=_lease(now, limits))
    )
    return _changed(session, statement) == 1


def renew(session: Session, batch_id: int, *, owner: str, now: datetime, limits: Limits) -> None:
    """Lengthen the lease and lock the batch's row for this transaction; LeaseLost when it is not ours."""
    values = {"batch": batch_id, "by": owner, "until": _lease(now, limits)}
    if _changed(session, _RENEW, values) != 1:
        raise LeaseLost


def begin(session: Session, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Mark deliveries as being handed over; returns those that were still waiting."""
    return [one for one in deliveries if _changed(session, _BEGIN, {"delivery": one.id}) == 1]


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what became of deliveries that were being handed over."""
    _settle(session, settlements, DeliveryState.sending, now)


def settle_late(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what a worker learned after it lost its lease: it clears up rows that had become uncertain."""
    known = [one for one in settlements if one.state in (DeliveryState.sent, DeliveryState.failed)]
    _settle(session, known, DeliveryState.uncertain, now)


def _settle(session: Session, settlements: Sequence[Settlement], old: DeliveryState, now: datetime) -> None:
    for one in settlements:
        values = {
            "delivery": one.delivery_id,
            "old": old,
            "new": one.state,
            "why": one.reason[:500],
            "known_as": one.reference[:200],
            "at": now if one.state != DeliveryState.queued else None,
            "untried": 0 if one.tried else 1,
        }
        _changed(session, _SETTLE, values)


def withhold(session: Session, deliveries: Sequence[Delivery], now: datetime) -> None:
    """Settle recipients who said no after the batch was planned: they get nothing."""
    for delivery in deliveries:
        statement = (
            update(Delivery)
            .where(col(Delivery.id) == delivery.id, col(Delivery.state) == DeliveryState.queued)
            .values(state=DeliveryState.refused, settled_at=now)
        )
        _changed(session, statement)


def release(
    session: Session,
    batch_id: int,
    *,
    now: datetime,
    wait: float | None = None,
    attempts: int = 0,
    reason: str = "",
) -> BatchState:
    """Let go of a claimed batch: settled when no recipient waits, else queued again.

    `wait`: seconds until the next try after a failure; None: it may go on at once. `attempts`: failed
    tries in a row.
    """
    counts = _counts(session, col(Delivery.batch_id) == batch_id)
    values: dict[str, object] = {"owner": None, "lease_until": None, "reason": reason[:500]}
    if counts[DeliveryState.queued] + counts[DeliveryState.sending]:
        state = BatchState.queued
        values |= {"not_before": now + timedelta(seconds=wait or 0), "attempts": attempts}
    else:
        state = outcome(counts)
        values["settled_at"] = now
    _changed(session, update(Batch).where(col(Batch.id) == batch_id).values(state=state, **values))
    if state != BatchState.queued:
        name_round(session, batch_id)
    return state


def reassess(session: Session, batch_id: int, now: datetime) -> None:
    """Work out the state of a batch anew after single rows of it were settled; one being sent stays so."""
    batch = session.get(Batch, batch_id, populate_existing=True)
    if batch is not None and batch.state != BatchState.claimed:
        release(session, batch_id, now=now, reason=batch.reason)


def outcome(counts: "Counter[str]") -> BatchState:
    """The state of a batch whose recipients are all settled."""
    if counts[DeliveryState.uncertain]:
        return BatchState.uncertain
    failed, sent = counts[DeliveryState.failed], counts[DeliveryState.sent]
    if failed:
        return BatchState.partial if sent else BatchState.failed
    return BatchState.cancelled if counts[DeliveryState.cancelled] and not sent else BatchState.sent


def name_round(session: Session, batch_id: int) -> None:
    """Give the deliveries sent since the last time a round number: they are counted together, once."""
    batch = session.get(Batch, batch_id, populate_existing=True)
    if batch is None:
        return
    number = batch.rounds + 1
    statement = (
        update(Delivery)
        .where(
            col(Delivery.batch_id) == batch_id,
            col(Delivery.state) == DeliveryState.sent,
            col(Delivery.count_round).is_(None),
        )
        .values(count_round=number)
    )
    if _changed(session, statement):
        _changed(session, update(Batch).where(col(Batch.id) == batch_id).values(rounds=number))


def expired(session: Session, now: datetime) -> list[Batch]:
    """Claimed batches whose lease ran out: their worker died or was cut off."""
    query = select(Batch).where(Batch.state == BatchState.claimed, col(Batch.lease_until) < now)
    return list(session.exec(query))


def take_up(session: Session, batch: Batch, *, idempotent: bool, now: datetime) -> bool:
    """Take a batch from a dead worker; False when that worker renewed its lease meanwhile.

    Recipients being handed over then: where the receiver recognises the idempotency key they are sent
    again, elsewhere they become uncertain. Those not begun wait on; nothing is lost, nothing doubled.
    """
    statement = (
        update(Batch)
        .where(
            col(Batch.id) == batch.id,
            col(Batch.state) == BatchState.claimed,
            col(Batch.owner) == batch.owner,
            col(Batch.lease_until) == batch.lease_until,
        )
        .values(owner=None, lease_until=None)
    )
    if _changed(session, statement) != 1:
        return False
    in_flight = update(Delivery).where(
        col(Delivery.batch_id) == batch.id, col(Delivery.state) == DeliveryState.sending
    )
    if idempotent:
        _changed(session, in_flight.values(state=DeliveryState.queued))
    else:
        reason = mark("发送时中断，不知道对方是否收到。")
        _changed(session, in_flight.values(state=DeliveryState.uncertain, reason=reason, settled_at=now))
    release(session, batch.id or 0, now=now, attempts=batch.attempts)
    return True


def finish_if_done(session: Session, push_id: int, now: datetime) -> bool:
    """Close a running push when no batch of it waits or is being sent."""
    waiting = select(Batch.id).where(
        Batch.push_id == push_id, col(Batch.state).in_((BatchState.queued, BatchState.claimed))
    )
    statement = (
        update(Push)
        .where(col(Push.id) == push_id, col(Push.state) == PushState.running, ~waiting.exists())
        .values(state=PushState.done, finished_at=now)
    )
    return _changed(session, statement) == 1


def failing(session: Session, push_id: int, limits: Limits) -> tuple[int, int] | None:
    """(failed, tried) when so large a share fails since the push was started or resumed that it must stop."""
    since = session.exec(select(Push.started_at).where(Push.id == push_id)).one()
    counts = _counts(session, and_(col(Delivery.push_id) == push_id, col(Delivery.settled_at) >= since))
    failed = counts[DeliveryState.failed]
    tried = failed + counts[DeliveryState.sent]
    too_many = tried >= limits.failing_least and failed >= limits.failing_share * tried
    return (failed, tried) if too_many else None


def stop_push(session: Session, push_id: int, reason: str) -> bool:
    """Pause a running push with a reason that the desk shows."""
    statement = (
        update(Push)
        .where(col(Push.id) == push_id, col(Push.state) == PushState.running)
        .values(state=PushState.paused, reason=reason[:500])
    )
    return _changed(session, statement) == 1


def _counts(session: Session, condition: ColumnElement[bool]) -> "Counter[str]":
    query = select(Delivery.state, func.count()).where(condition).group_by(Delivery.state)
    return Counter(dict(session.exec(query).all()))


def _lease(now: datetime, limits: Limits) -> datetime:
    return now + timedelta(seconds=limits.lease_seconds)


def _changed(session: Session, statement: Update, values: dict[str, Any] | None = None) -> int:
    """Rows changed. Runs beside the unit of work: objects in the session are not kept in step."""
    session.flush()
    return int(session.connection().execute(statement, values or {}).rowcount)
