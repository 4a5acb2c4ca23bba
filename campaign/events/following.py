"""What becomes of the future occurrences of a series when the series changes.

Those follow that are as the series meant them and have nobody registered: they get the new time, place, capacity
and questions, or go away when the series no longer means their day. The others stay as they are and are listed,
so that somebody decides on each: people who registered were promised something.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

from sqlalchemy import Row, Table, delete, update
from sqlmodel import Session, col, select

from campaign.events import days, planning
from campaign.events.days import PlannedDay
from campaign.events.models import OPEN, EventDate, EventSeries, Occurrence, OptionSeats
from campaign.registration.models import LIVE, Registration
from core.clock import day_of

# What an occurrence has from its series; what differs was changed by hand and stays.
_SAME = (
    "starts_at", "ends_at", "topic", "topic_en", "host", "host_en", "place", "live_url", "capacity", "party_most",
    "approval", "waiting", "offer_hours",
)  # fmt: skip
_TABLE = cast(Table, Occurrence.__table__)  # type: ignore[attr-defined]
_PART = 500


@dataclass(frozen=True, slots=True)
class Followed:
    """How many occurrences changed with their series, how many went away, and the numbers of those that stayed."""

    changed: int = 0
    removed: int = 0
    left: tuple[int, ...] = ()


@dataclass(slots=True)
class _Sorted:
    """Numbers of occurrences by what becomes of them: the day that they are of, to change; to remove; to leave."""

    change: dict[date, list[int]] = field(default_factory=dict)
    remove: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a series means: itself and its dates, as they were or as they are."""

    series: EventSeries
    dates: tuple[EventDate, ...]

    @classmethod
    def of(cls, session: Session, series: EventSeries) -> "Meaning":
        """A copy that later changes leave alone."""
        session.flush()
        rows = session.exec(select(EventDate).where(EventDate.series_id == series.id))
        copies = tuple(EventDate(**one.model_dump()) for one in rows)
        return cls(EventSeries(**series.model_dump()), copies)

    def days(self, wanted: Iterable[date], country: str) -> dict[date, PlannedDay]:
        """What it means of some days; a day that it does not mean is missing, or skipped."""
        found = sorted(wanted)
        if not found:
            return {}
        planned = days.days(self.series, self.dates, found[0], found[-1], country=country)
        return {one.day: one for one in planned}

    def values(self, planned: PlannedDay, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
        """The columns of an occurrence of that day."""
        at = planning.times(self.series, planned.on, zone)
        return planning.values(self.series, planned, at, now)


def follow(
    session: Session, before: Meaning, after: Meaning, *, zone: ZoneInfo, country: str, now: datetime
) -> Followed:
    """Have the future occurrences follow where they may."""
    number = after.series.id or 0
    rows = _future(session, number, now)
    by_day: dict[date, list[Row[Any]]] = {}
    for row in rows:
        by_day.setdefault(day_of(row.planned_at, zone), []).append(row)
    old, new = before.days(by_day, country), after.days(by_day, country)
    live, known = _registered(session, number)
    found = _Sorted()
    for day, group in by_day.items():
        was = before.values(old[day], zone, now) if _held(old.get(day)) else None
        becomes = after.values(new[day], zone, now) if _held(new.get(day)) else None
        if _differ(was, becomes) or before.series.questions != after.series.questions:
            _sort(found, day, group, was=was, becomes=becomes, live=live, known=known)
    changed = _change(session, after, new, found.change, zone=zone, now=now)
    _remove(session, found.remove)
    return Followed(changed, len(found.remove), tuple(found.left))


def _future(session: Session, number: int, now: datetime) -> Sequence[Row[Any]]:
    """The occurrences to come, their rows held: nobody registers between looking and changing."""
    columns = [_TABLE.c[name] for name in ("id", "planned_at", "state", "taken", *_SAME)]
    query = select(*columns).where(_TABLE.c.series_id == number, _TABLE.c.starts_at > now)
    return session.execute(query.order_by(_TABLE.c.id).with_for_update()).all()


def _registered(session: Session, number: int) -> tuple[set[int], set[int]]:
    """The occurrences of a series with somebody registered, and those that anybody ever registered for."""
    query = (
        select(Registration.occurrence_id, Registration.state)
        .join(Occurrence, col(Occurrence.id) == Registration.occurrence_id)
        .where(Occurrence.series_id == number)
        .distinct()
    )
    pairs = session.execute(query).all()
    return {one for one, state in pairs if state in LIVE}, {one for one, _state in pairs}


def _sort(
    found: _Sorted,
    day: date,
    group: Sequence[Row[Any]],
    *,
    was: Mapping[str, Any] | None,
    becomes: Mapping[str, Any] | None,
    live: set[int],
    known: set[int],
) -> None:
    for row in group:
        as_meant = was is not None and all(row._mapping[name] == was[name] for name in _SAME)
        free = row.state == OPEN and row.taken == 0 and row.id not in live
        if not (as_meant and free):
            found.left.append(row.id)
        elif becomes is not None:
            found.change.setdefault(day, []).append(row.id)
        elif row.id in known:  # somebody was registered and left: what they got told of stays
            found.left.append(row.id)
        else:
            found.remove.append(row.id)


def _held(planned: PlannedDay | None) -> bool:
    return planned is not None and not planned.skipped


def _differ(was: Mapping[str, Any] | None, becomes: Mapping[str, Any] | None) -> bool:
    if was is None or becomes is None:
        return was is not becomes
    return any(was[name] != becomes[name] for name in (*_SAME, "opens_at", "closes_at"))


def _change(
    session: Session,
    after: Meaning,
    new: Mapping[date, PlannedDay],
    numbers: Mapping[date, list[int]],
    *,
    zone: ZoneInfo,
    now: datetime,
) -> int:
    count = 0
    for day, group in numbers.items():
        kept = ("day", "opens_at", "closes_at", "updated_at", *_SAME)
        values = {name: value for name, value in after.values(new[day], zone, now).items() if name in kept}
        values["planned_at"] = planning.times(after.series, day, zone).starts_at
        for part in _parts(group):
            session.execute(
                update(_TABLE).where(_TABLE.c.id.in_(part)).values(**values, version=_TABLE.c.version + 1)
            )
            session.execute(delete(OptionSeats).where(col(OptionSeats.occurrence_id).in_(part)))
            _give_options(session, after.series, part)
            count += len(part)
    session.expire_all()
    return count


def _give_options(session: Session, series: EventSeries, numbers: Sequence[int]) -> None:
    session.add_all(
        OptionSeats(occurrence_id=number, question=question, option=option, capacity=capacity)
        for number in numbers
        for question, option, capacity in planning.limits(series)
    )
    session.flush()


def _remove(session: Session, numbers: Sequence[int]) -> None:
    for part in _parts(numbers):
        session.execute(delete(OptionSeats).where(col(OptionSeats.occurrence_id).in_(part)))
        session.execute(delete(_TABLE).where(_TABLE.c.id.in_(part)))


def _parts(numbers: Sequence[int]) -> Iterable[list[int]]:
    return (list(numbers[start : start + _PART]) for start in range(0, len(numbers), _PART))
