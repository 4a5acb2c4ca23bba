"""Counts back who was counted as reached and failed after all: an event of the quantity -1, once, under a fixed name.

Only what was deposited is counted back. Which deliveries a name stands for is fixed before it is deposited, so a kill
anywhere repeats a deposit of the same name, which changes nothing.
"""

import uuid
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import update
from sqlmodel import Session, col, select

from core.database import Database, Prepared
from scheduler.models import Batch, Delivery, Push
from scheduler.receipt_models import ReachCorrection
from tracking.events import ReachEvent, new_event
from tracking.recorder import Recorder

_AT_ONCE = 1000
_WAITING = Prepared(
    select(col(ReachCorrection.delivery_id)).where(col(ReachCorrection.done).is_(False)).limit(1)
)


class Corrector:
    """Deposits corrections; several processes may do so at once."""

    def __init__(
        self, database: Database, recorder: Recorder, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._zone = zone
        self._clock = clock

    def run_once(self) -> int:
        """Count back what waits; returns how many. SpoolError when the spool cannot keep them."""
        if not self._database.ask(_WAITING, {}):
            return 0
        with self._database.transaction() as session:
            _name(session)
        with self._database.reading() as session:
            query = select(ReachCorrection.batch).where(
                col(ReachCorrection.done).is_(False), ReachCorrection.batch != ""
            )
            found = {name: self._events(session, name) for name in session.exec(query.distinct())}
        for name, events in found.items():
            self._recorder.deposit(name, events)
            with self._database.transaction() as session:
                mine = update(ReachCorrection).where(col(ReachCorrection.batch) == name)
                session.connection().execute(mine.values(done=True))
        return sum(map(len, found.values()))

    def _events(self, session: Session, name: str) -> list[ReachEvent]:
        query = (
            select(Delivery, Push)
            .join(ReachCorrection, col(ReachCorrection.delivery_id) == Delivery.id)
            .join(Push, col(Push.id) == Delivery.push_id)
            .where(ReachCorrection.batch == name)
            .order_by(col(Delivery.id))
        )
        return [
            new_event(
                "delivered", id=f"back-{row.key}", at=row.settled_at or push.due_at, zone=self._zone, quantity=-1,
                campaign=push.campaign, piece=push.piece_key, outlet=row.outlet_code, channel=push.channel,
                source="push", batch=name,
            )
            for row, push in session.exec(query)
        ]  # fmt: skip


def _name(session: Session) -> None:
    """Give those whose round is deposited a name together."""
    query = (
        select(ReachCorrection.delivery_id)
        .join(Delivery, col(Delivery.id) == ReachCorrection.delivery_id)
        .join(Batch, col(Batch.id) == Delivery.batch_id)
        .where(ReachCorrection.batch == "", col(Batch.counted) >= col(Delivery.count_round))
        .limit(_AT_ONCE)
    )
    ids = list(session.exec(query))
    if ids:
        free = (col(ReachCorrection.delivery_id).in_(ids), col(ReachCorrection.batch) == "")
        named = update(ReachCorrection).where(*free).values(batch=f"back-{uuid.uuid4().hex}")
        session.connection().execute(named)
