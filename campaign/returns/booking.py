"""Carries verified returns into the spool, each version under its own name: a kill repeats one, which changes nothing.

What counts was fixed in the commit that verified the version, so a name always stands for the same content.
"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import ColumnElement, update
from sqlmodel import Session, col, or_, select

from campaign.returns import filing, reckoning
from campaign.returns.models import REPLACED, VERIFIED, ReturnVersion
from core.database import Database, Prepared
from core.i18n import mark
from institution import approvals, audit
from tracking.recorder import Recorder

log = structlog.get_logger()
audit.declare({"return.book": mark("活动回执计入触达")})
EVERY_SECONDS = 2.0


def _waits() -> ColumnElement[bool]:
    state = col(ReturnVersion.state)
    return or_(state == VERIFIED, state == REPLACED) & col(ReturnVersion.booked_at).is_(None)


_WAITING = Prepared(select(col(ReturnVersion.id)).where(_waits()).order_by(col(ReturnVersion.id)))


class Bookkeeper:
    """Carries what was verified; several processes may do so at once."""

    def __init__(
        self, database: Database, recorder: Recorder, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._zone = zone
        self._clock = clock

    def run_once(self) -> int:
        """Deposit all that waits; returns how many versions are done. SpoolError when the spool is full."""
        return sum(self._carry(number) for (number,) in self._database.ask(_WAITING, {}))

    def _carry(self, number: int) -> bool:
        with self._database.reading() as session:
            one = session.get_one(ReturnVersion, number)
            if not _covered(session, one):
                return False
        if one.lines:  # a correction of words alone adds nothing
            self._recorder.deposit(one.batch, reckoning.events(one, self._zone))
        with self._database.transaction() as session:
            return _finish(session, one, self._clock())


def _covered(session: Session, one: ReturnVersion) -> bool:
    """Whether a second person approved exactly what is kept: changed underneath, nothing is deposited."""
    found = approvals.granted(
        session, kind=filing.VERIFY, subject=str(one.id), subject_hash=reckoning.digest(session, one)
    )
    if found is None:
        log.error("activity_return_not_as_verified", number=one.return_id, version=one.number)
    return found is not None


def _finish(session: Session, one: ReturnVersion, now: datetime) -> bool:
    mine = update(ReturnVersion).where(
        col(ReturnVersion.id) == one.id, col(ReturnVersion.booked_at).is_(None)
    )
    if session.execute(mine.values(booked_at=now)).rowcount != 1:  # type: ignore[attr-defined]
        return False
    after = {"version": one.number, "batch": one.batch, "quantity": sum(line[-1] for line in one.lines)}
    audit.record(
        session, "return.book", "activity_return", one.return_id, after=after, outlet_code=one.outlet_code
    )
    return True
