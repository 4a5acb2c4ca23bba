"""Cuts a push into batches page by page, each page in a transaction of its own that also says how far it came.

A kill between two pages loses nothing and cuts nobody twice: the next page begins after `Push.cut_after`.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import UpdateBase, bindparam, delete, func, or_, update
from sqlmodel import Session, col, select

from campaign.audience import LeftOut, Recipient
from core.database import Prepared
from core.i18n import mark
from scheduler import outbox, reaching
from scheduler.channels import registry
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState

PAGE = 5000  # recipients in a transaction, about: a longer one would hold up every other writer
_GIVEN = {
    "key": "k",
    "push_id": "p",
    "batch_id": "b",
    "contact_id": "c",
    "address_index": "a",
    "outlet_code": "o",
}

UNCUT = Prepared(
    select(col(Push.id))
    .where(
        or_(col(Push.state) == PushState.cutting, (col(Push.state) == PushState.running) & ~col(Push.whole))
    )
    .order_by(col(Push.id))
)
AHEAD = Prepared(
    select(func.coalesce(func.sum(col(Batch.size)), 0)).where(
        col(Batch.push_id) == bindparam("push"),
        or_(col(Batch.state) == BatchState.queued, col(Batch.state) == BatchState.claimed),
    )
)


def cut(
    session: Session,
    push_id: int,
    *,
    batch_sizes: dict[str, int],
    now: datetime,
    page: int = PAGE,
    figures: LeftOut | None = None,
) -> bool:
    """Write the next page of a push: its batches and one row per recipient; False when there is none to write.

    `figures`: what was counted before, so that this transaction need not count.
    """
    push = session.get(Push, push_id, populate_existing=True)
    if push is None or push.whole or push.state not in (PushState.cutting, PushState.running):
        return False
    size = batch_sizes[push.channel]
    limit = size * max(1, page // size)
    found = _page(session, push, limit)
    whole = registry.to_group(push.channel) or len(found) < limit
    values: dict[str, Any] = {"state": PushState.running, "whole": whole}
    if found:
        values["cut_after"] = found[-1].contact_id
    if push.state == PushState.cutting:
        known = figures or count(session, push_id) or LeftOut(0, 0, 0, 0, 0)
        values |= {
            "started_at": now,
            "reason": "",
            "total": known.reached,
            "refused": known.refused + known.closed,
        }
        values |= {"no_address": known.no_address, "no_consent": known.no_consent}
    if not _claimed(session, push, values):
        return False
    _write(session, push, found, size, now)
    if values["whole"]:
        _end(session, push_id, now)
    session.expire(push)
    return True


def count(session: Session, push_id: int) -> LeftOut | None:
    """Whom a push that is not begun goes to, about: people come and go meanwhile; None for any other push."""
    push = session.get(Push, push_id)
    if push is None or push.state != PushState.cutting:
        return None
    if registry.to_group(push.channel):
        return LeftOut(1, 0, 0, 0, 0)
    return reaching.left_out(session, push)


def _page(session: Session, push: Push, limit: int) -> list[Recipient]:
    """The next people it means; of a robot the group of its account, as one recipient who is nobody's contact."""
    if registry.to_group(push.channel):
        return [Recipient(0, f"group-{push.account_id}", push.outlet_code)]
    return reaching.page(session, push, after_id=push.cut_after, limit=limit)


def _claimed(session: Session, push: Push, values: dict[str, Any]) -> bool:
    """Move the push on, if nobody did: of two planners one writes the page."""
    statement = (
        update(Push)
        .where(
            col(Push.id) == push.id,
            col(Push.state) == push.state,
            col(Push.cut_after) == push.cut_after,
            ~col(Push.whole),
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return bool(session.execute(statement).rowcount == 1)  # type: ignore[attr-defined]


def _end(session: Session, push_id: int, now: datetime) -> None:
    """Nobody is left to cut: the total is known, and a push without anybody is over."""
    total = session.exec(select(func.sum(Batch.size)).where(Batch.push_id == push_id)).one() or 0
    known = update(Push).where(col(Push.id) == push_id).execution_options(synchronize_session=False)
    session.execute(
        known.values(total=total) if total else known.values(total=0, reason=mark("名单里没有可以推送的人。"))
    )
    outbox.finish_if_done(session, push_id, now)


def _write(session: Session, push: Push, found: Sequence[Recipient], size: int, now: datetime) -> None:
    if not found:
        return
    last = session.exec(select(func.max(Batch.number)).where(Batch.push_id == push.id)).one() or 0
    parts = [found[start : start + size] for start in range(0, len(found), size)]
    batches = [
        Batch(
            key=uuid.uuid4().hex,
            push_id=push.id or 0,
            number=number,
            size=len(part),
            channel=push.channel,
            state=BatchState.queued,
            not_before=now,
        )
        for number, part in enumerate(parts, last + 1)
    ]
    session.add_all(batches)
    session.flush()
    rows = [
        {"k": f"{batch.key[:24]}{place:08x}", "p": push.id, "b": batch.id, "c": one.contact_id,
         "a": one.address_index, "o": one.outlet_code}
        for batch, part in zip(batches, parts, strict=True)
        for place, one in enumerate(part)
    ]  # fmt: skip
    _INSERT.on(session.connection(), *rows)
    _shrink(session, batches)


def _shrink(session: Session, batches: Sequence[Batch]) -> None:
    """An address that stands twice was left out by the database: batches say how many they hold, empty ones go."""
    ids = [batch.id or 0 for batch in batches]
    query = select(Delivery.batch_id, func.count()).where(col(Delivery.batch_id).in_(ids))
    held = dict(session.exec(query.group_by(col(Delivery.batch_id))).all())
    for batch in batches:
        size = held.get(batch.id or 0, 0)
        if not size:
            session.execute(delete(Batch).where(col(Batch.id) == batch.id))
        elif size != batch.size:
            batch.size = size
            session.add(batch)
    session.flush()


def _inserting(insert: Any) -> UpdateBase:
    values: dict[str, Any] = {name: bindparam(short) for name, short in _GIVEN.items()}
    values |= {"state": DeliveryState.queued, "attempts": 0, "reason": "", "reference": ""}
    made: UpdateBase = insert(Delivery).values(values).on_conflict_do_nothing()
    return made


_INSERT = Prepared(_inserting)
