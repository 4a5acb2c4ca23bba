"""Puts approved imports into the spool, part by part, each under its own name: a kill repeats a part, which
changes nothing.

The lines were fixed when the import was handed in, so a name always stands for the same content; the ledger
of deposits knows it for ever. `deposited` moves on only after a part is durable.
"""

from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import update
from sqlmodel import Session, col, select

from core.database import Database, Prepared
from core.i18n import mark
from institution import approvals, audit
from tracking.imports import lines, register
from tracking.imports.lines import Line
from tracking.imports.models import APPLIED, APPROVED, ReachImport
from tracking.recorder import Recorder

log = structlog.get_logger()
_WAITING = Prepared(
    select(col(ReachImport.id)).where(ReachImport.state == APPROVED).order_by(col(ReachImport.id))
)
audit.declare({"reach.import.apply": mark("触达导入入账")})


class Depositor:
    """Carries approved imports into the spool; several processes may do so at once."""

    def __init__(
        self, database: Database, recorder: Recorder, zone: ZoneInfo, clock: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._zone = zone
        self._clock = clock

    def run_once(self) -> int:
        """Deposit all that waits; returns how many imports are done. SpoolError when the spool is full."""
        return sum(self._carry(number) for (number,) in self._database.ask(_WAITING, {}))

    def _carry(self, number: int) -> bool:
        with self._database.reading() as session:
            one = register.get(session, number)
            if one.state != APPROVED or not _covered(session, one):
                return False
            found = register.lines_of(session, one)
        for part in range(one.deposited, one.parts):
            self._deposit(one, part, found)
            with self._database.transaction() as session:
                _move_on(session, number, part)
        with self._database.transaction() as session:
            return _finish(session, number, self._clock())

    def _deposit(self, one: ReachImport, part: int, found: list[Line]) -> None:
        size = -(-one.lines // one.parts)  # of what was fixed at the beginning, whatever PART is by now
        first = part * size
        some = found[first : first + size]
        made = lines.events(one.name, some, self._zone, first=first + 1)
        self._recorder.deposit(f"{one.name}-{part + 1}", made)


def _covered(session: Session, one: ReachImport) -> bool:
    """Whether a second person approved exactly what is kept: changed underneath, nothing is deposited."""
    found = approvals.granted(
        session, kind=register.kind_of(one), subject=str(one.id), subject_hash=register.digest(session, one)
    )
    if found is None:
        log.error("reach_import_not_as_approved", number=one.id)
    return found is not None


def _move_on(session: Session, number: int, part: int) -> None:
    statement = update(ReachImport).where(col(ReachImport.id) == number, col(ReachImport.deposited) == part)
    session.execute(statement.values(deposited=part + 1))


def _finish(session: Session, number: int, now: datetime) -> bool:
    statement = update(ReachImport).where(col(ReachImport.id) == number, col(ReachImport.state) == APPROVED)
    if session.execute(statement.values(state=APPLIED, applied_at=now)).rowcount != 1:  # type: ignore[attr-defined]
        return False
    one = register.get(session, number)
    after = {"state": APPLIED, "lines": one.lines, "quantity": one.quantity, "batch": one.name}
    audit.record(
        session, "reach.import.apply", "reach_import", number, after=after, outlet_code=one.outlet_code
    )
    return True
