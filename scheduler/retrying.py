"""Dead letters: who failed is queued again once what was wrong is mended, in new batches; who refused never is."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import case, func, update
from sqlmodel import Session, col, select

from campaign import audience
from core.errors import Conflict
from core.i18n import mark
from institution import audit
from scheduler import outbox, pushes
from scheduler.models import TROUBLE, Batch, BatchState, Delivery, DeliveryState, Push, PushState

audit.declare({"push.retry": mark("重发失败的收件人")})

_AT_ONCE = 1000


def retry_failed(
    session: Session, push_id: int, reasons: Sequence[str] | None, now: datetime, by: int | None
) -> int:
    """Queue the failed recipients of a push again (with these reasons; None: any); returns how many.

    Whoever refused or whose address was closed meanwhile, and who was erased, stays as it is. A push that was done
    runs again. Conflict for a push that was cancelled.
    """
    push = pushes.get(session, push_id)
    if push.state == PushState.cancelled:
        raise Conflict(mark("这次推送已取消，不能再发。"))
    size = session.exec(select(func.max(Batch.size)).where(Batch.push_id == push_id)).one() or 1
    after, count, touched = 0, 0, set[int]()
    while found := _page(session, push_id, reasons, after):
        after = found[-1].id or 0
        no = audience.refused_among(session, push.channel, [one.address_index for one in found], push.purpose)
        again = [one for one in found if one.address_index not in no]
        touched |= {one.batch_id for one in again}
        count += len(again)
        for start in range(0, len(again), size):
            _queue(session, push, again[start : start + size], now)
    for batch_id in sorted(touched):
        _shrink(session, batch_id)
        outbox.reassess(session, batch_id, now)
    if count:
        _run_again(session, push, now)
        after_ = {"recipients": count, "reasons": list(reasons or []), "by": by}
        audit.record(session, "push.retry", "push", push_id, after=after_, outlet_code=push.outlet_code)
    return count


def _page(session: Session, push_id: int, reasons: Sequence[str] | None, after: int) -> list[Delivery]:
    query = select(Delivery).where(
        Delivery.push_id == push_id,
        TROUBLE,
        Delivery.state == DeliveryState.failed,
        col(Delivery.id) > after,
        col(Delivery.contact_id) >= 0,
    )
    if reasons is not None:
        query = query.where(col(Delivery.reason).in_(list(reasons)))
    return list(session.exec(query.order_by(col(Delivery.id)).limit(_AT_ONCE)))


def _queue(session: Session, push: Push, rows: Sequence[Delivery], now: datetime) -> None:
    last = session.exec(select(func.max(Batch.number)).where(Batch.push_id == push.id)).one() or 0
    batch = Batch(
        key=uuid.uuid4().hex, push_id=push.id or 0, number=last + 1, size=len(rows), channel=push.channel,
        state=BatchState.queued, not_before=now,
    )  # fmt: skip
    session.add(batch)
    session.flush()
    statement = update(Delivery).where(
        col(Delivery.id).in_([one.id for one in rows]), col(Delivery.state) == DeliveryState.failed
    )
    values: dict[str, object] = {
        "batch_id": batch.id,
        "state": DeliveryState.queued,
        "attempts": 0,
        "reason": "",
    }
    counted = case((col(Delivery.count_round).is_not(None), 0), else_=None)  # by its old batch, and not again
    values |= {"reference": "", "settled_at": None, "call": None, "count_round": counted}
    session.execute(statement.values(**values).execution_options(synchronize_session=False))


def _shrink(session: Session, batch_id: int) -> None:
    held = session.exec(select(func.count()).where(Delivery.batch_id == batch_id)).one()
    session.execute(update(Batch).where(col(Batch.id) == batch_id).values(size=held))


def _run_again(session: Session, push: Push, now: datetime) -> None:
    """A push that was done runs again; one that was stopped waits for somebody to resume it."""
    statement = update(Push).where(col(Push.id) == push.id, col(Push.state) == PushState.done)
    values = {"state": PushState.running, "finished_at": None, "started_at": now, "tried": 0, "misses": 0}
    session.execute(statement.values(**values))
