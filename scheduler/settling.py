"""Rows of recipients on their way: marked before they are handed over, settled afterwards, many at a time.

Who goes alone is marked in the row. A call is marked once, in its batch: its recipients are known by its number, and
all of whom the platform says the same are settled by one statement, whatever their number.
Whoever calls these holds the batch by its lease in the same transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Insert, Integer, Update, bindparam, func, null, update
from sqlalchemy import select as sa_select
from sqlmodel import Session, col, select

from campaign.among import among_numbers, listed
from core.database import Prepared, UtcDateTime
from core.gathering import Gathered
from scheduler.models import Batch, Delivery, DeliveryState

_MANY = 4  # rows that share all that is written of them, from which on one statement writes them together


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one delivery: its new state, the reason or the channel's reference; `tried` False when
    it was not handed over after all, because the line broke before its turn; `again`: it stays in its call, which
    is in doubt and goes out once more as it was. `call`: the batch and the number of the call that it went in;
    without a `delivery_id` (0) all of that call of whom nothing else is said."""

    delivery_id: int
    state: DeliveryState
    reason: str = ""
    reference: str = ""
    tried: bool = True
    again: bool = False
    call: tuple[int, int] | None = None


class Waiting(NamedTuple):
    """What is needed of a recipient's row to send to it: a tenth of the cost of the row as an object."""

    id: int
    key: str
    contact_id: int
    address_index: str
    outlet_code: str
    attempts: int
    call: int | None


Row = TypeVar("Row", Delivery, Waiting)
_LEAST_TRIED = itemgetter(*map(Waiting._fields.index, ("attempts", "id")))


def waiting(session: Session, batch_id: int) -> list[Waiting]:
    """Recipients of a batch still to be sent to, those tried least first."""
    rows = _WAITING.on(session.connection(), batch=batch_id)
    return list(map(Waiting._make, sorted(rows, key=_LEAST_TRIED)))


def begin(session: Session, deliveries: Sequence[Row]) -> list[Row]:
    """Mark deliveries as being handed over, each alone; returns those that were still waiting."""
    ids = [one.id or 0 for one in deliveries]
    if not ids:
        return []
    session.flush()
    if _BEGIN.write(session.connection(), {"rows": listed(ids)}) == len(ids):
        return list(deliveries)
    query = select(Delivery.id).where(
        among_numbers(Delivery.id, ids), Delivery.state == DeliveryState.sending
    )
    found = set(session.exec(query))
    return [one for one in deliveries if one.id in found]


def numbered(session: Session, batch_id: int, deliveries: Sequence[Waiting]) -> int:
    """Put waiting rows that are in no call into a new one; its number, which none was given before."""
    changed(session, update(Batch).where(col(Batch.id) == batch_id).values(calls=Batch.calls + 1))
    number = session.exec(select(Batch.calls).where(Batch.id == batch_id)).one()
    _put(session, deliveries, number)
    return number


def left_out(session: Session, deliveries: Sequence[Waiting]) -> None:
    """Take waiting rows out of their call, which goes out without them."""
    _put(session, deliveries, None)


def _put(session: Session, deliveries: Sequence[Waiting], call: int | None) -> None:
    if deliveries:
        these = among_numbers(Delivery.id, [one.id for one in deliveries])
        statement = update(Delivery).where(these, col(Delivery.state) == DeliveryState.queued)
        changed(session, statement.values(call=call))


def begin_call(session: Session, batch_id: int, number: int | None) -> None:
    """Mark a call as being handed over, in its batch: who waits in it is on the way; None: no call is any more."""
    session.flush()
    _BEGIN_CALL.write(session.connection(), {"batch": batch_id, "in_hand": number})


def settle(
    session: Session, settlements: Sequence[Settlement], now: datetime, count_round: int | None = None
) -> None:
    """Write what became of deliveries that were being handed over; `count_round` is the number under which those that
    were sent will be counted (None: given later)."""
    for state, add, some in (
        (DeliveryState.sending, 0, [one for one in settlements if one.call is None]),
        (DeliveryState.queued, 1, [one for one in settlements if one.call is not None]),
    ):
        _settle(session, some, now, old=state, add=add, count_round=count_round)


def settle_late(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what a worker learned after it lost its lease: it clears up rows that had become uncertain."""
    certain = (DeliveryState.sent, DeliveryState.failed, DeliveryState.refused)
    known = [one for one in settlements if one.state in certain]
    _settle(session, known, now, old=DeliveryState.uncertain, add=0, count_round=None)


def withhold(
    session: Session,
    deliveries: Sequence[Row],
    now: datetime,
    state: DeliveryState = DeliveryState.refused,
    reason: str = "",
) -> None:
    """Settle recipients who get nothing (more): they said no after the batch was planned."""
    ids = [one.id or 0 for one in deliveries]
    if ids:
        statement = update(Delivery).where(
            among_numbers(Delivery.id, ids), col(Delivery.state) == DeliveryState.queued
        )
        changed(session, statement.values(state=state, reason=reason, settled_at=now))


def changed(session: Session, statement: Update | Insert) -> int:
    """Rows changed. Runs beside the unit of work: objects in the session are not kept in step."""
    session.flush()
    # of an insert PostgreSQL's driver would not be asked otherwise
    told = session.connection().execute(statement, execution_options={"preserve_rowcount": True})
    return int(told.rowcount)


def _settle(
    session: Session,
    settlements: Sequence[Settlement],
    now: datetime,
    *,
    old: DeliveryState,
    add: int,
    count_round: int | None,
) -> None:
    single: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for one in settlements:
        free = one.state == DeliveryState.queued and not one.again
        whole = one.call if not one.delivery_id else None
        said = (one.state, one.reason[:500], one.reference[:200], one.tried, free, whole)
        alike[said].append(one.delivery_id)
    many, rest = list[tuple[Prepared, dict[str, Any]]](), list[tuple[Prepared, dict[str, Any]]]()
    for (state, reason, reference, tried, free, whole), ids in alike.items():
        values = {
            "old": old, "new": state, "why": reason, "known_as": reference, "add": add - (0 if tried else 1),
            "at": now if state != DeliveryState.queued else None,
            "round": count_round if state == DeliveryState.sent else None,
        }  # fmt: skip
        if whole:
            rest.append((_WHOLE[free], values | {"batch": whole[0], "number": whole[1]}))
        elif len(ids) >= _MANY:
            many.append((_MANY_ROWS[free], values | {"rows": listed(ids)}))
        else:
            single[free] += [values | {"delivery": number} for number in ids]
    session.flush()
    for free, rows in single.items():
        if rows:
            _ONE[free].on(session.connection(), *rows)
    for statement, values in many + rest:  # all the rest of a call last: of the others something else is said
        statement.on(session.connection(), values)


def _write(free: bool) -> Update:
    values: dict[str, Any] = {"call": None} if free else {}
    return update(Delivery).values(
        state=bindparam("new"),
        reason=bindparam("why"),
        reference=bindparam("known_as"),
        settled_at=bindparam("at", type_=UtcDateTime),
        attempts=col(Delivery.attempts) + bindparam("add", type_=Integer),
        count_round=func.coalesce(Delivery.count_round, bindparam("round", type_=Integer)),  # counted once
        **values,
    )


WAITS = sa_select(*(getattr(Delivery, name) for name in Waiting._fields)).where(
    col(Delivery.batch_id) == bindparam("batch"), col(Delivery.state) == DeliveryState.queued
)  # the question for the rows of a batch that wait
_WAITING = Gathered(WAITS)
_BEGIN = Prepared(
    update(Delivery)
    .where(among_numbers(Delivery.id, bindparam("rows")), col(Delivery.state) == DeliveryState.queued)
    .values(state=DeliveryState.sending, attempts=col(Delivery.attempts) + 1, call=null())
)
_BEGIN_CALL = Prepared(
    update(Batch)
    .where(col(Batch.id) == bindparam("batch"))
    .values(sending=bindparam("in_hand", type_=Integer))
)
_ONE = {
    free: Prepared(
        _write(free).where(col(Delivery.id) == bindparam("delivery"), col(Delivery.state) == bindparam("old"))
    )
    for free in (True, False)
}
_MANY_ROWS = {
    free: Prepared(
        _write(free).where(
            among_numbers(Delivery.id, bindparam("rows")), col(Delivery.state) == bindparam("old")
        )
    )
    for free in (True, False)
}
_WHOLE = {
    free: Prepared(
        _write(free).where(
            col(Delivery.batch_id) == bindparam("batch"),
            col(Delivery.call) == bindparam("number"),
            col(Delivery.state) == bindparam("old"),
        )
    )
    for free in (True, False)
}
