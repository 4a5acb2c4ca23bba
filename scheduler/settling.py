"""Rows of recipients on their way: marked before they are handed over, settled afterwards, many at a time.

Whoever calls these holds the batch by its lease in the same transaction.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Update, bindparam, update
from sqlmodel import Session, col, select

from core.database import Prepared
from scheduler.models import Batch, Delivery, DeliveryState

_MANY = 4  # rows that share all that is written of them, from which on one statement writes them together


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one delivery: its new state, the reason or the channel's reference; `tried` False when
    it was not handed over after all, because the line broke before its turn; `again`: it stays in its call, which
    is in doubt and goes out once more as it was."""

    delivery_id: int
    state: DeliveryState
    reason: str = ""
    reference: str = ""
    tried: bool = True
    again: bool = False


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
_WAITING = Prepared(
    select(*(getattr(Delivery, name) for name in Waiting._fields))
    .where(col(Delivery.batch_id) == bindparam("batch"), col(Delivery.state) == DeliveryState.queued)
    .order_by(col(Delivery.attempts), col(Delivery.id))
)


def waiting(session: Session, batch_id: int) -> list[Waiting]:
    """Recipients of a batch still to be sent to, those tried least first."""
    return [Waiting(*row) for row in _WAITING.on(session.connection(), {"batch": batch_id})]


def begin(session: Session, deliveries: Sequence[Row], call: int | None = None) -> list[Row]:
    """Mark deliveries as being handed over (in a call); returns those that were still waiting."""
    ids = [one.id or 0 for one in deliveries]
    if not ids:
        return []
    statement = (
        update(Delivery)
        .where(col(Delivery.id).in_(ids), col(Delivery.state) == DeliveryState.queued)
        .values(state=DeliveryState.sending, attempts=Delivery.attempts + 1, call=call)
    )
    if changed(session, statement) == len(ids):
        return list(deliveries)
    query = select(Delivery.id).where(col(Delivery.id).in_(ids), Delivery.state == DeliveryState.sending)
    begun = set(session.exec(query))
    return [one for one in deliveries if one.id in begun]


def next_call(session: Session, batch_id: int) -> int:
    """The number of the next call of a batch; none is given twice."""
    changed(session, update(Batch).where(col(Batch.id) == batch_id).values(calls=Batch.calls + 1))
    return session.exec(select(Batch.calls).where(Batch.id == batch_id)).one()


def settle(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what became of deliveries that were being handed over."""
    _settle(session, settlements, DeliveryState.sending, now)


def settle_late(session: Session, settlements: Sequence[Settlement], now: datetime) -> None:
    """Write what a worker learned after it lost its lease: it clears up rows that had become uncertain."""
    certain = (DeliveryState.sent, DeliveryState.failed, DeliveryState.refused)
    known = [one for one in settlements if one.state in certain]
    _settle(session, known, DeliveryState.uncertain, now)


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
            col(Delivery.id).in_(ids), col(Delivery.state) == DeliveryState.queued
        )
        changed(session, statement.values(state=state, reason=reason, settled_at=now))


def changed(session: Session, statement: Update, values: dict[str, Any] | None = None) -> int:
    """Rows changed. Runs beside the unit of work: objects in the session are not kept in step."""
    session.flush()
    return int(session.connection().execute(statement, values or {}).rowcount)


def _settle(session: Session, settlements: Sequence[Settlement], old: DeliveryState, now: datetime) -> None:
    alike: dict[tuple[Any, ...], list[int]] = defaultdict(list)
    for one in settlements:
        free = one.state == DeliveryState.queued and not one.again
        alike[one.state, one.reason[:500], one.reference[:200], one.tried, free].append(one.delivery_id)
    single: dict[bool, list[dict[str, Any]]] = {True: [], False: []}
    for (state, reason, reference, tried, free), ids in alike.items():
        values = {
            "old": old, "new": state, "why": reason, "known_as": reference, "untried": 0 if tried else 1,
            "at": now if state != DeliveryState.queued else None,
        }  # fmt: skip
        if len(ids) >= _MANY:
            together = _write(free).where(col(Delivery.id).in_(ids), col(Delivery.state) == bindparam("old"))
            changed(session, together, values)
        else:
            single[free] += [values | {"delivery": number} for number in ids]
    for free, rows in single.items():
        if rows:
            session.flush()
            _ONE[free].on(session.connection(), *rows)


def _write(free: bool) -> Update:
    values: dict[str, Any] = {"call": None} if free else {}
    return update(Delivery).values(
        state=bindparam("new"),
        reason=bindparam("why"),
        reference=bindparam("known_as"),
        settled_at=bindparam("at"),
        attempts=Delivery.attempts - bindparam("untried"),
        **values,
    )


_ONE = {
    free: Prepared(
        _write(free).where(col(Delivery.id) == bindparam("delivery"), col(Delivery.state) == bindparam("old"))
    )
    for free in (True, False)
}
