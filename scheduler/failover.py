"""Another account takes a push over when the first one fails for everybody: from the next batch on, once a push.

A batch goes by one account from its beginning to its end. When a push has moved, whoever claims a batch of the first
account hands it on if nothing of it is in doubt; if something is, who was never in doubt goes into a batch of its own
and the rest stays with the platform that alone can tell. The next push begins with the first account again.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

import structlog
from sqlalchemy import ColumnElement, and_, bindparam, func, not_, update
from sqlmodel import Session, col, select

from core.database import Prepared
from core.i18n import mark
from institution import audit
from scheduler import outbox, stand_ins
from scheduler.channels import registry
from scheduler.channels.base import AnyChannel, DeliveryError
from scheduler.failover_models import PushFailover
from scheduler.models import Batch, BatchState, ChannelAccount, Delivery, DeliveryState, Plan, Push, PushState
from scheduler.patience import Limits
from scheduler.settling import changed

log = structlog.get_logger()

audit.declare({"push.failover": mark("推送改由接替账号发送")})

_AT_ONCE, _SOON = 1000, timedelta(seconds=1)
_LOST = mark("原来的渠道账号一直不通，不知道对方是否收到。")
_MOVED = Prepared(
    select(col(PushFailover.account_id)).where(
        col(PushFailover.push_id) == bindparam("push"), col(PushFailover.moved_at).is_not(None)
    )
)


class Patience(Protocol):
    """How long the outbox waits, by which clock."""

    @property
    def limits(self) -> Limits:
        """Numbers of tries."""
        ...

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time."""
        ...


class Taken(NamedTuple):
    """That a push goes by another account: which, since when, and why."""

    account: str
    at: datetime
    reason: str


def prepare(session: Session, plan: Plan, pushes: list[Push]) -> None:
    """Copy to the firings of a plan which account may take over, as it was approved."""
    found = stand_ins.of(session, plan)
    if found is None or not found.active:
        return
    if registry.get(found.channel).templated and not plan.failover_template:
        return
    for push in pushes:
        if push.state != PushState.skipped:
            session.add(
                PushFailover(
                    push_id=push.id or 0, account_id=found.id or 0, target=found.line,
                    template=plan.failover_template,
                )
            )  # fmt: skip


def routed(session: Session, push: Push, account_id: int | None) -> Push:
    """The push as a batch of this account sends it: where it leads, by which template. Links and figures keep its channel."""
    if account_id is None:
        return push
    found = session.get_one(PushFailover, push.id)
    said = {"account_id": account_id, "target": found.target, "template": found.template}
    return Push(**push.model_dump() | said)


def takes_over(
    session: Session,
    batch_id: int,
    fault: DeliveryError | None,
    attempts: int,
    tools: Patience,
) -> bool:
    """Whether a push goes on without the account of this batch, which just failed; else it is to be stopped as ever.

    A limit that is reached is no failure: the platform said when to come again.
    """
    if fault is None:
        return False
    limits, now = tools.limits, tools.clock()
    batch = session.get_one(Batch, batch_id, populate_existing=True)
    found = session.get(PushFailover, batch.push_id, populate_existing=True)
    if found is None or batch.account_id is not None:
        return False
    if found.moved_at is None:
        dead = fault.retry_after is None and attempts >= limits.failover_attempts
        if not (fault.permanent or dead) or not _move(session, batch.push_id, found, fault.message, now):
            return False
    if attempts >= limits.most_attempts:
        _give_up(session, batch_id, now)
    return True


def rerouted(session: Session, batch: Batch, channel: AnyChannel, now: datetime) -> bool:
    """Hand a claimed batch on to the account that took its push over; False when it goes out as it is."""
    found = _MOVED.on(session.connection(), {"push": batch.push_id}) if batch.account_id is None else []
    if not found:
        return False
    account = session.get_one(ChannelAccount, found[0][0])
    free = and_(
        col(Delivery.batch_id) == batch.id,
        col(Delivery.state) == DeliveryState.queued,
        not_(_doubtful(channel)),
    )
    able, all_of_it = _count(session, free), _count(session, col(Delivery.batch_id) == batch.id)
    if not able:
        return False
    values = {"account_id": account.id, "channel": account.channel}
    if able == all_of_it:
        values |= {
            "state": BatchState.queued,
            "owner": None,
            "lease_until": None,
            "attempts": 0,
            "reason": "",
        }
        changed(session, update(Batch).where(col(Batch.id) == batch.id).values(**values, not_before=now))
        return True
    if not _split(session, batch, account, free, now):
        later = {"state": BatchState.queued, "owner": None, "lease_until": None, "not_before": now + _SOON}
        changed(session, update(Batch).where(col(Batch.id) == batch.id).values(**later))
        return True
    waiting = and_(col(Delivery.batch_id) == batch.id, col(Delivery.state) == DeliveryState.queued)
    if _count(session, waiting):
        return False
    outbox.release(session, batch.id or 0, now=now, reason=batch.reason)
    return True


def taken(session: Session, push_id: int) -> Taken | None:
    """The account that took a push over; None when it goes by its own."""
    query = (
        select(ChannelAccount.name, PushFailover.moved_at, PushFailover.reason)
        .join(ChannelAccount, col(ChannelAccount.id) == PushFailover.account_id)
        .where(PushFailover.push_id == push_id, col(PushFailover.moved_at).is_not(None))
    )
    found = session.exec(query).first()
    return Taken(found[0], found[1], found[2]) if found and found[1] else None


def latest(session: Session, account_id: int) -> Push | None:
    """The latest push of an account that another one took over."""
    query = (
        select(Push)
        .join(PushFailover, col(PushFailover.push_id) == Push.id)
        .where(Push.account_id == account_id, col(PushFailover.moved_at).is_not(None))
        .order_by(col(Push.id).desc())
    )
    return session.exec(query.limit(1)).first()


def _move(session: Session, push_id: int, found: PushFailover, reason: str, now: datetime) -> bool:
    """Note that the push moves. An account that people closed or changed is no failure, and nothing stands in for it."""
    push = session.get_one(Push, push_id)
    first, other = session.get(ChannelAccount, push.account_id), session.get(ChannelAccount, found.account_id)
    if first is None or not first.active or first.line != push.target:
        return False
    if other is None or not other.active or other.line != found.target:
        return False
    moved = update(PushFailover).where(
        col(PushFailover.push_id) == push_id, col(PushFailover.moved_at).is_(None)
    )
    if changed(session, moved.values(moved_at=now, reason=reason[:500])) == 1:
        log.warning("push taken over by another account", push=push_id, account=other.id, reason=reason)
        audit.record(
            session, "push.failover", "push", push_id, before={"account": first.name},
            after={"account": other.name, "reason": reason}, outlet_code=push.outlet_code,
        )  # fmt: skip
    _wake(session, push_id, now)
    return True


def _wake(session: Session, push_id: int, now: datetime) -> None:
    """Have those batches rest no longer that waited for the first account; who is just claiming one is not waited for."""
    query = select(Batch.id).where(
        Batch.push_id == push_id, Batch.state == BatchState.queued, col(Batch.not_before) > now
    )
    resting = session.exec(query.with_for_update(skip_locked=True)).all()
    for start in range(0, len(resting), _AT_ONCE):
        some = col(Batch.id).in_(resting[start : start + _AT_ONCE])
        changed(session, update(Batch).where(some).values(not_before=now))


def _give_up(session: Session, batch_id: int, now: datetime) -> None:
    """What is in doubt at an account that does not come back is for a person to decide."""
    rows = update(Delivery).where(
        col(Delivery.batch_id) == batch_id, col(Delivery.state) == DeliveryState.queued
    )
    if changed(session, rows.values(state=DeliveryState.uncertain, reason=_LOST, settled_at=now)):
        outbox.release(session, batch_id, now=now, reason=_LOST)


def _doubtful(channel: AnyChannel) -> ColumnElement[bool]:
    """Who waits to be sent to again under the same key, because the platform may have accepted it."""
    tried = col(Delivery.attempts) > 0
    single = channel.idempotent and channel.call_size == 1
    return tried if single else tried & col(Delivery.call).is_not(None)


def _split(
    session: Session, batch: Batch, account: ChannelAccount, free: ColumnElement[bool], now: datetime
) -> bool:
    """Put those who are in no doubt into a batch of the other account; False while somebody else numbers batches.

    Not waited for: who holds the push may want the batch that is held here.
    """
    alone = select(Push.id).where(Push.id == batch.push_id)
    if session.exec(alone.with_for_update(skip_locked=True, key_share=True)).first() is None:
        return False
    last = session.exec(select(func.max(Batch.number)).where(Batch.push_id == batch.push_id)).one() or 0
    made = Batch(
        key=uuid.uuid4().hex, push_id=batch.push_id, number=last + 1, size=_count(session, free), channel=account.channel,
        state=BatchState.queued, not_before=now, account_id=account.id,
    )  # fmt: skip
    session.add(made)
    session.flush()
    changed(session, update(Delivery).where(free).values(batch_id=made.id, call=None))
    left = update(Batch).where(col(Batch.id) == batch.id)
    changed(session, left.values(size=_count(session, col(Delivery.batch_id) == batch.id)))
    return True


def _count(session: Session, condition: ColumnElement[bool]) -> int:
    return session.exec(select(func.count()).select_from(Delivery).where(condition)).one()
