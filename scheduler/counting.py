"""Counts what was delivered: each round of sent deliveries is deposited in the spool under its own name, once.

A round is numbered in the transaction that settles its deliveries, so its content never changes; the name
`push-<batch key>-<round>` makes the deposit idempotent, and `counted` moves only after the deposit is durable.
A kill anywhere in between repeats a deposit of the same name, which changes nothing.
"""

from sqlalchemy import update
from sqlmodel import Session, col, select

from campaign import former
from core.database import Database, Prepared
from core.privacy import Vault
from core.settings import Settings
from scheduler.models import Batch, Delivery, Push
from tracking.events import ReachEvent, new_event
from tracking.recorder import Recorder

_AT_ONCE = 50
_UNCOUNTED = col(Batch.counted) < col(Batch.rounds)
_WAITING = Prepared(select(col(Batch.id)).where(_UNCOUNTED).limit(1))


class Counter:
    """Deposits rounds that are not counted yet."""

    def __init__(self, database: Database, recorder: Recorder, vault: Vault, settings: Settings) -> None:
        self._database = database
        self._recorder = recorder
        self._vault = vault
        self._zone = settings.zone

    def tick(self) -> int:
        """Deposit what is waiting; returns the number of rounds. SpoolError when the spool cannot keep them."""
        query = select(Batch).where(_UNCOUNTED).order_by(col(Batch.id)).limit(_AT_ONCE)
        done = 0
        if not self._database.ask(_WAITING, {}):
            return 0
        with self._database.reading() as session:
            waiting = [
                (batch.id or 0, number, self._events(session, batch, number))
                for batch in session.exec(query)
                for number in range(batch.counted + 1, batch.rounds + 1)
            ]
        for batch_id, number, (name, events) in waiting:
            self._recorder.deposit(name, events)
            with self._database.transaction() as session:
                counted = update(Batch).where(col(Batch.id) == batch_id, col(Batch.counted) == number - 1)
                session.execute(counted.values(counted=number))
            done += 1
        return done

    def _events(self, session: Session, batch: Batch, number: int) -> tuple[str, list[ReachEvent]]:
        push = session.get_one(Push, batch.push_id)
        name = f"push-{batch.key}-{number}"
        query = (
            select(Delivery)
            .where(Delivery.batch_id == batch.id, Delivery.count_round == number)
            .order_by(col(Delivery.id))
        )
        rows = list(session.exec(query))
        first = former.firsts(session, {row.address_index for row in rows})
        return name, [
            self._event(push, row, name, first.get(row.address_index, row.address_index)) for row in rows
        ]

    def _event(self, push: Push, delivery: Delivery, name: str, address_index: str) -> ReachEvent:
        return new_event(
            "delivered",
            id=f"d-{delivery.key}",
            at=delivery.settled_at or push.due_at,
            zone=self._zone,
            visitor=visitor_of(self._vault, address_index),
            campaign=push.campaign,
            piece=push.piece_key,
            outlet=delivery.outlet_code,
            channel=push.channel,
            source="push",
            batch=name,
        )


def visitor_of(vault: Vault, address_index: str) -> int:
    """A stable 64-bit number for a recipient; hashed once more, so it does not lead to the contact's row.

    By the first index that the address ever had: a rotation of keys does not make one person two.
    """
    return vault.pseudonym("visitor", address_index)
