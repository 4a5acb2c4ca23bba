"""Tells reach who registered and who came: the difference to what it knows, fixed first, deposited second.

In one transaction the lines are fixed in a row of their own and the parties marked as counted; only then the lines
go into the spool under that row's name. A kill between leaves the row, and depositing it again changes nothing. Who
leaves again is a correction with a negative quantity, never an update.

Who came is told from the check-in only until a verified activity return speaks of the occurrence: its head count is
of everybody there, so from then on the check-in counts none of them.
"""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import func
from sqlmodel import Session, col, select

from campaign.events.models import EventSeries, Occurrence
from campaign.registration.models import CONFIRMED, CountedBatch, RegisteredPerson, Registration
from campaign.returns.models import VERIFIED, ReturnVersion
from core import clock
from core.database import Database
from tracking.events import ReachEvent
from tracking.recorder import DIRECT, Recorder

SOURCE = "checkin"
EVERY_SECONDS = 20.0
_MOST = 500


class Counting:
    """Carries registrations and arrivals into reach; several processes may do so at once."""

    def __init__(
        self, database: Database, recorder: Recorder, zone: ZoneInfo, now: Callable[[], datetime]
    ) -> None:
        self._database = database
        self._recorder = recorder
        self._zone = zone
        self._now = now

    def run_once(self) -> int:
        """Fix what is new and deposit what is fixed; returns how many batches went into the spool."""
        with self._database.reading() as session:
            found = bool(_changed(session, 1))
        if found:
            with self._database.transaction() as session:
                fix(session, self._zone, self._now())
        with self._database.reading() as session:
            waiting = list(session.exec(select(CountedBatch).where(col(CountedBatch.deposited_at).is_(None))))
        for batch in waiting:
            self._recorder.deposit(name(batch), events(batch))
            with self._database.transaction() as session:
                session.get_one(CountedBatch, batch.id).deposited_at = self._now()
        return len(waiting)


def name(batch: CountedBatch) -> str:
    """The name under which a batch lies in the spool and behind its figures."""
    return f"events-{batch.id}"


def fix(session: Session, zone: ZoneInfo, now: datetime) -> CountedBatch | None:
    """Fix the events that reach lacks, and mark their parties as counted."""
    lines: list[list[str]] = []
    for one, occurrence, series, arrived in _changed(session, _MOST):
        registered = one.size if one.state == CONFIRMED else 0
        day = clock.day_of(occurrence.starts_at, zone)
        campaign = one.campaign_code or series.campaign_code
        common = [campaign, occurrence.outlet_code, one.channel or DIRECT]
        if registered != one.counted_registered:
            today = clock.day_of(now, zone)
            lines.append([today.isoformat(), "registered", str(registered - one.counted_registered), *common])
        if arrived != one.counted_attended:
            lines.append([day.isoformat(), "attended", str(arrived - one.counted_attended), *common])
        one.counted, one.counted_registered, one.counted_attended = True, registered, arrived
        session.add(one)
    session.flush()
    if not lines:
        return None
    batch = CountedBatch(lines=lines, made_at=now)
    session.add(batch)
    session.flush()
    return batch


def events(batch: CountedBatch) -> Iterable[ReachEvent]:
    """The events of a batch, always the same."""
    for number, (day, kind, quantity, campaign, outlet, channel) in enumerate(batch.lines):
        yield ReachEvent(
            id=f"{name(batch)}-{number}",
            at=batch.made_at,
            day=date.fromisoformat(day),
            kind=kind,
            quantity=int(quantity),
            visitor=0,
            campaign=campaign,
            outlet=outlet,
            channel=channel,
            source=SOURCE,
            batch=name(batch),
        )


def _changed(session: Session, most: int) -> list[tuple[Registration, Occurrence, EventSeries, int]]:
    """Parties that changed since reach was told of them, with how many of them came."""
    told = select(ReturnVersion.id).where(
        ReturnVersion.occurrence_id == Registration.occurrence_id,
        ReturnVersion.state == VERIFIED,
        col(ReturnVersion.void).is_(False),
    )
    came = (
        select(func.count())
        .where(
            RegisteredPerson.registration_id == Registration.id,
            col(RegisteredPerson.arrived_at).is_not(None),
            ~told.correlate(Registration).exists(),
        )
        .correlate(Registration)
        .scalar_subquery()
    )
    query = (
        select(Registration, Occurrence, EventSeries, came)
        .join(Occurrence, col(Occurrence.id) == Registration.occurrence_id)
        .join(EventSeries, col(EventSeries.id) == Occurrence.series_id)
        .where(col(Registration.counted).is_(False))
        .order_by(col(Registration.id))
        .limit(most)
        .with_for_update(of=Registration)
    )
    return [tuple(row) for row in session.exec(query)]
