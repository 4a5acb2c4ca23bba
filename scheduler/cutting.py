"""Cuts a push into batches page by page, each page in a transaction of its own that also says how far it came.

A kill between two pages loses nothing and cuts nobody twice: the next page begins after `Push.cut_after`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Integer,
    Select,
    String,
    and_,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    update,
)
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from campaign import recipients
from campaign.audience import LeftOut
from core.database import Prepared
from core.i18n import mark
from scheduler import outbox, reaching, withdrawn
from scheduler.channels import registry
from scheduler.models import Batch, BatchState, Delivery, DeliveryState, Push, PushState
from scheduler.settling import changed

_COLUMNS = (
    "key", "push_id", "batch_id", "contact_id", "address_index", "outlet_code", "state", "attempts", "reason",
    "reference", "call",
)  # fmt: skip
_ZERO = dict.fromkeys(
    ("attempts", "rounds", "counted", "calls", "failed", "refused", "uncertain", "cancelled"), 0
)
PAGE = 10_000  # recipients in a transaction, about: a longer one would hold up every other writer

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


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many recipients are in a batch, in a call (1: they go alone) and in a page at most."""

    batch: int
    call: int
    page: int


def cut(
    session: Session,
    push_id: int,
    *,
    batch_sizes: dict[str, int],
    now: datetime,
    page: int = PAGE,
    figures: LeftOut | None = None,
    call_sizes: Mapping[str, int] | None = None,
) -> bool:
    """Write the next page of a push: its batches and one row per recipient; False when there is none to write.

    `figures`: what was counted before, so that this transaction need not count. `call_sizes`: how many recipients go in
    a call of a channel, so that each row knows its call from the beginning.
    """
    push = session.get(Push, push_id, populate_existing=True)
    uncut = push is not None and not push.whole and push.state in (PushState.cutting, PushState.running)
    if push is None or not uncut or withdrawn.stopped(session, push):
        return False
    size = batch_sizes[push.channel]
    sizes = Sizes(size, (call_sizes or {}).get(push.channel, 1), size * max(1, page // size))
    values: dict[str, Any] = {"state": PushState.running}
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
    written = _write(session, push, sizes, now)
    whole = registry.to_group(push.channel) or written < sizes.page
    _note(session, push, written, whole=whole)
    if whole:
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


def _claimed(session: Session, push: Push, values: dict[str, Any]) -> bool:
    """Hold the push, if nobody moved it on: of two planners one writes the page."""
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


def _note(session: Session, push: Push, written: int, *, whole: bool) -> None:
    """Say how far it came: in the transaction that wrote the page, so that rows and place always agree."""
    values: dict[str, Any] = {"whole": whole}
    if written:
        reached = select(func.max(Delivery.contact_id)).where(Delivery.push_id == push.id)
        values["cut_after"] = max(push.cut_after, session.exec(reached).one() or 0)
    known = update(Push).where(col(Push.id) == push.id).execution_options(synchronize_session=False)
    session.execute(known.values(**values))


def _write(session: Session, push: Push, sizes: Sizes, now: datetime) -> int:
    """The next page, by one statement: the database reads and writes it, and no row of it passes through Python."""
    last = session.exec(select(func.max(Batch.number)).where(Batch.push_id == push.id)).one() or 0
    count = 1 if registry.to_group(push.channel) else sizes.page // sizes.batch
    values = {"push_id": push.id, "channel": push.channel, "state": BatchState.queued, "not_before": now}
    values |= {**_ZERO, "size": sizes.batch, "calls": -(-sizes.batch // sizes.call) if sizes.call > 1 else 0}
    numbers = range(last + 1, last + count + 1)
    session.execute(insert(Batch), [{"key": uuid.uuid4().hex, "number": one, **values} for one in numbers])
    made = insert(Delivery).from_select([*_COLUMNS], _rows(session, push, sizes, last + 1))
    written = changed(session, made)
    _shrink(session, push.id or 0, last + 1, written, sizes.batch)
    return written


def _rows(session: Session, push: Push, sizes: Sizes, first: int) -> Select[Any]:
    """The rows of a page as a question: the keyset of its list, numbered, beside the batches that wait for it."""
    page = _people(session, push, sizes.page).subquery("page")
    place = (func.row_number().over() - 1).label("place")  # as they come: whoever is which, each has a place
    found = select(page.c.contact_id, page.c.address_index, page.c.outlet_code, place).subquery("found")
    within = found.c.place % sizes.batch
    call: Any = within // sizes.call + 1 if sizes.call > 1 else null()
    mine = and_(col(Batch.push_id) == push.id, col(Batch.number) == found.c.place // sizes.batch + first)
    return (
        sa_select(
            func.substr(col(Batch.key), 1, 24, type_=String) + _hex(session, within),
            col(Batch.push_id), col(Batch.id), found.c.contact_id, found.c.address_index, found.c.outlet_code,
            literal(DeliveryState.queued.value), literal(0), literal(""), literal(""), cast(call, Integer),
        )
        .select_from(found)
        .join(Batch, mine)
    )  # fmt: skip


def _people(session: Session, push: Push, limit: int) -> Select[Any]:
    """The next people whom it means; of a robot the group of its account, as one recipient who is nobody's contact."""
    if registry.to_group(push.channel):
        named = {
            "contact_id": 0,
            "address_index": f"group-{push.account_id}",
            "outlet_code": push.outlet_code,
        }
        nobody: list[Any] = [literal(value).label(name) for name, value in named.items()]
        return sa_select(*nobody)
    whole = reaching.audience_of(session, push)
    return recipients.chosen(whole, push.channel, push.purpose, after_id=push.cut_after, limit=limit)


def _hex(session: Session, number: Any) -> Any:
    """A number as eight hexadecimal digits, as the engine writes it."""
    if session.get_bind().dialect.name == "sqlite":
        return func.printf("%08x", number, type_=String)
    return func.lpad(func.to_hex(cast(number, Integer)), 8, "0", type_=String)


def _shrink(session: Session, push_id: int, first: int, written: int, size: int) -> None:
    """Batches say how many they hold, empty ones go."""
    full, rest = divmod(written, size)
    mine = col(Batch.push_id) == push_id
    if rest:
        session.execute(update(Batch).where(mine, col(Batch.number) == first + full).values(size=rest))
    session.execute(delete(Batch).where(mine, col(Batch.number) >= first + full + (1 if rest else 0)))
