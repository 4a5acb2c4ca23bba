"""Seats of an occurrence and of the options of its choices: the one place that takes and gives them back.

Whoever changes who sits where first holds the occurrence's row until their transaction ends, so that no two
decide on the same seat: PostgreSQL locks the row, SQLite has one writer at a time. That nothing is oversold rests
on the condition inside the UPDATE as well, which holds even for a caller that forgot to hold.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Integer, Table, bindparam, update
from sqlalchemy import select as columns
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session, col, select

from campaign.events.models import EventSeries, Occurrence, OptionSeats
from core.database import Prepared
from core.errors import NotFound
from core.i18n import mark

Pairs = Sequence[tuple[str, str]]
_ROW = cast(Table, Occurrence.__table__)  # type: ignore[attr-defined]
_HELD = (
    select(Occurrence)
    .where(_ROW.c.id == bindparam("which"))
    .with_for_update()
    .execution_options(populate_existing=True)
)
_SERIES = cast(Table, EventSeries.__table__)  # type: ignore[attr-defined]
_PLACE = (
    columns(
        *(_ROW.c[name] for name in ("id", "state", "opens_at", "closes_at", "ends_at", "capacity", "taken")),
        _ROW.c.party_most, _ROW.c.approval, _ROW.c.waiting, _SERIES.c.questions,
    )
    .join_from(_ROW, _SERIES, _SERIES.c.id == _ROW.c.series_id)
    .order_by(_ROW.c.id)
    .with_for_update(of=_ROW)
)  # fmt: skip
_SIZE = bindparam("size", type_=Integer)
_HERE = update(_ROW).where(_ROW.c.id == bindparam("which"))
_TAKE = Prepared(
    _HERE.where(_ROW.c.taken + _SIZE <= _ROW.c.capacity)
    .values(taken=_ROW.c.taken + _SIZE)
    .returning(_ROW.c.taken)
)
_GIVE = Prepared(
    _HERE.where(_ROW.c.taken >= _SIZE).values(taken=_ROW.c.taken - _SIZE).returning(_ROW.c.taken)
)


@dataclass(frozen=True, slots=True)
class Room:
    """What is free at one moment: seats, and seats of the options that have a limit."""

    seats: int
    options: Mapping[tuple[str, str], int]

    def fits(self, size: int, chosen: Pairs) -> bool:
        """Whether a party of this size with these choices finds room, every one of them."""
        return size <= self.seats and all(size <= self.options.get(pair, size) for pair in chosen)


@dataclass(frozen=True, slots=True)
class Place:
    """What registering needs of an occurrence and its series, as plain values."""

    id: int
    state: str
    opens_at: datetime
    closes_at: datetime
    ends_at: datetime
    capacity: int
    taken: int
    party_most: int
    approval: bool
    waiting: bool
    questions: Sequence[Mapping[str, Any]]

    @property
    def free(self) -> int:
        """Seats that nobody has."""
        return self.capacity - self.taken


def places(link: Connection, occurrence_ids: Collection[int]) -> dict[int, Place]:
    """The same as `held` for some, as plain values: a tenth of the work, for what thousands do at once; NotFound.

    They are held in the order of their numbers, so that no two who hold several wait for each other.
    """
    values = {f"which_{at}": number for at, number in enumerate(occurrence_ids)}
    found = {row[0]: Place(*row) for row in _placed(len(values)).on(link, values)}
    if len(found) < len(values):
        raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
    return found


@lru_cache
def _placed(count: int) -> Prepared:
    return Prepared(_PLACE.where(_ROW.c.id.in_([bindparam(f"which_{at}") for at in range(count)])))


def held(session: Session, occurrence_id: int) -> Occurrence:
    """The occurrence as it is now, its row held until the transaction ends; NotFound."""
    found = session.exec(_HELD, params={"which": occurrence_id}).first()
    if found is None:
        raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
    return found


def room(session: Session, occurrence: Occurrence | Place) -> Room:
    """What is free; true until the transaction ends if the occurrence is held."""
    rows = session.exec(
        select(OptionSeats)
        .where(OptionSeats.occurrence_id == occurrence.id)
        .execution_options(populate_existing=True)
    )
    return Room(occurrence.free, {(one.question, one.option): one.capacity - one.taken for one in rows})


def take(session: Session, occurrence: Occurrence | Place, size: int, chosen: Pairs) -> bool:
    """Take seats for a party: all of them or none. False when there is no room."""
    if chosen and not room(session, occurrence).fits(size, chosen):
        return False
    found = _TAKE.on(session.connection(), {"which": occurrence.id, "size": size})
    if not found:
        return False
    for question, option in chosen:
        _move_option(session, occurrence, question, option, size)
    if isinstance(occurrence, Occurrence):
        set_committed_value(occurrence, "taken", found[0][0])
    return True


def give_back(session: Session, occurrence: Occurrence, size: int, chosen: Pairs) -> None:
    """Give the seats of a party back."""
    found = _GIVE.on(session.connection(), {"which": occurrence.id, "size": size})
    if not found:
        raise RuntimeError(f"occurrence {occurrence.id}: fewer seats are taken than are given back")
    for question, option in chosen:
        _move_option(session, occurrence, question, option, -size)
    set_committed_value(occurrence, "taken", found[0][0])


def _move_option(
    session: Session, occurrence: Occurrence | Place, question: str, option: str, by: int
) -> None:
    session.execute(
        update(OptionSeats)
        .where(
            col(OptionSeats.occurrence_id) == occurrence.id,
            col(OptionSeats.question) == question,
            col(OptionSeats.option) == option,
        )
        .values(taken=col(OptionSeats.taken) + by)
    )
