"""The outbox: batches are claimed under a lease by conditional UPDATE, and every recipient is settled once.

Each verb that changes deliveries of a batch first locks the batch's row by a conditional UPDATE that names
the owner, so that whoever lost the lease can change nothing.
"""

from collections import Counter
from collections.abc import Sequence, Set
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, bindparam, func, update
from sqlmodel import Session, col, select

from core.database import Prepared, UtcDateTime
from core.i18n import mark
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.patience import Limits
from scheduler.settling import Settlement, begin, changed, settle, settle_late, withhold

__all__ = ["Settlement", "begin", "settle", "settle_late", "withhold"]

SETTLED = (DeliveryState.sent, DeliveryState.failed, DeliveryState.refused, DeliveryState.cancelled)
FIGURES = ("sent", "failed", "refused", "uncertain", "cancelled")  # of a settled batch, named as the states
_CANDIDATES = 8

# The statements that run for every message, built once: building costs more than running them.
_RENEW = Prepared(
    update(Batch)
    .where(
        col(Batch.id) == bindparam("batch"),
        col(Batch.owner) == bindparam("by"),
        col(Batch.state) == BatchState.claimed,
    )
    .values(lease_until=bindparam("until", type_=UtcDateTime))
    .returning(select(col(Push.state)).where(col(Push.id) == Batch.push_id).scalar_subquery())
)

_READY = and_(
    col(Batch.state) == BatchState.queued,
    col(Batch.not_before) <= bindparam("now", type_=UtcDateTime),
    col(Push.state) == PushState.running,
)
CLAIMABLE = Prepared(
    select(col(Batch.id))
    .join(Push, col(Push.id) == Batch.push_id)
    .where(_READY, col(Batch.channel) == bindparam("channel"))
    .order_by(col(Batch.not_before), col(Batch.id))
    .limit(_CANDIDATES)
)
WAITING = Prepared(
    select(col(Batch.channel), func.count())
    .join(Push, col(Push.id) == Batch.push_id)
    .where(_READY)
    .group_by(col(Batch.channel))
)

_FIGURES = Prepared(
    select(col(Delivery.state), col(Delivery.count_round), func.count())
    .where(col(Delivery.batch_id) == bindparam("batch"))
    .group_by(col(Delivery.state), col(Delivery.count_round))
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
    return changed(session, statement) == 1


def renew(session: Session, batch_id: int, *, owner: str, now: datetime, limits: Limits) -> bool:
    """Lengthen the lease and lock the batch's row for this transaction; whether its push is to go on. LeaseLost when it
    is not ours."""
    values = {"batch": batch_id, "by": owner, "until": _lease(now, limits)}
    session.flush()
    states = _RENEW.on(session.connection(), values)
    if not states:
        raise LeaseLost
    return bool(states[0][0] == PushState.running)


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
    figures = _figures(session, batch_id)
    counts = Counter[str]()
    for settled_as, _round, number in figures:
        counts[settled_as] += number
    values: dict[str, object] = {"owner": None, "lease_until": None, "reason": reason[:500], "sending": None}
    if counts[DeliveryState.queued] + counts[DeliveryState.sending]:
        state = BatchState.queued
        values |= {"not_before": now + timedelta(seconds=wait or 0), "attempts": attempts, "sent": None}
    else:
        state = outcome(counts)
        values |= {"settled_at": now, **{name: counts[name] for name in FIGURES}}
    changed(session, update(Batch).where(col(Batch.id) == batch_id).values(state=state, **values))
    if state != BatchState.queued:
        name_round(session, batch_id, _rounds(figures))
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


def name_round(session: Session, batch_id: int, rounds: Set[int | None] | None = None) -> None:
    """Give the deliveries sent since the last time a round number: they are counted together, once.

    Whoever sent them wrote it already, the next one; only what was settled from elsewhere has none yet. `rounds`: those
    of the batch's sent deliveries, where they are known.
    """
    if rounds is None:
        rounds = _rounds(_figures(session, batch_id))
    number = session.exec(select(Batch.rounds).where(Batch.id == batch_id)).one() + 1
    if None in rounds:
        sent = (col(Delivery.batch_id) == batch_id, col(Delivery.state) == DeliveryState.sent)
        late = update(Delivery).where(*sent, col(Delivery.count_round).is_(None))
        changed(session, late.values(count_round=number))
    if None in rounds or number in rounds:
        changed(session, update(Batch).where(col(Batch.id) == batch_id).values(rounds=number))


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
    if changed(session, statement) != 1:
        return False
    doubt: dict[str, object] = {"state": DeliveryState.queued}
    if not idempotent:
        reason = mark("发送时中断，不知道对方是否收到。")
        doubt = {"state": DeliveryState.uncertain, "reason": reason, "settled_at": now}
    mine = update(Delivery).where(col(Delivery.batch_id) == batch.id)
    changed(session, mine.where(col(Delivery.state) == DeliveryState.sending).values(**doubt))
    call = session.exec(select(Batch.sending).where(Batch.id == batch.id)).one()
    if call is not None:
        in_call = mine.where(col(Delivery.call) == call, col(Delivery.state) == DeliveryState.queued)
        changed(session, in_call.values(attempts=Delivery.attempts + 1, **doubt))
    release(session, batch.id or 0, now=now, attempts=batch.attempts)
    return True


def finish_if_done(session: Session, push_id: int, now: datetime) -> bool:
    """Close a running push when all of it is cut and no batch of it waits or is being sent."""
    waiting = select(Batch.id).where(
        Batch.push_id == push_id, col(Batch.state).in_((BatchState.queued, BatchState.claimed))
    )
    statement = (
        update(Push)
        .where(
            col(Push.id) == push_id,
            col(Push.state) == PushState.running,
            col(Push.whole),
            ~waiting.exists(),
        )
        .values(state=PushState.done, finished_at=now)
    )
    return changed(session, statement) == 1


def note_tries(session: Session, push_id: int, sent: int, failed: int) -> None:
    """Add to what was tried of a push since it was started or resumed, of which so many failed."""
    if sent or failed:
        values = {"tried": Push.tried + sent + failed, "misses": Push.misses + failed}
        changed(session, update(Push).where(col(Push.id) == push_id).values(**values))


def failing(session: Session, push_id: int, limits: Limits) -> tuple[int, int] | None:
    """(failed, tried) when so large a share fails since the push was started or resumed that it must stop."""
    tried, failed = session.exec(select(Push.tried, Push.misses).where(Push.id == push_id)).one()
    too_many = tried >= limits.failing_least and failed >= limits.failing_share * tried
    return (failed, tried) if too_many else None


def rest(session: Session, push_id: int, until: datetime) -> None:
    """Have the waiting batches of a push wait until its account may send again."""
    statement = update(Batch).where(
        col(Batch.push_id) == push_id, col(Batch.state) == BatchState.queued, col(Batch.not_before) < until
    )
    changed(session, statement.values(not_before=until))


def stop_push(session: Session, push_id: int, reason: str) -> bool:
    """Pause a running push with a reason that the desk shows."""
    statement = (
        update(Push)
        .where(col(Push.id) == push_id, col(Push.state) == PushState.running)
        .values(state=PushState.paused, reason=reason[:500])
    )
    return changed(session, statement) == 1


def _figures(session: Session, batch_id: int) -> list[tuple[Any, ...]]:
    """How many deliveries of a batch are in which state and round: (state, round, number)."""
    session.flush()
    return _FIGURES.on(session.connection(), {"batch": batch_id})


def _rounds(figures: list[tuple[Any, ...]]) -> Set[int | None]:
    return {count_round for state, count_round, _number in figures if state == DeliveryState.sent}


def _lease(now: datetime, limits: Limits) -> datetime:
    return now + timedelta(seconds=limits.lease_seconds)
