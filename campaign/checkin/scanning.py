"""What happens at a door, at once or brought home later: one arrival of however many scans, and nothing lost.

Every act is kept once under the phone's own name for it (`nonce`). Whether a person is in follows from all acts
about them in the order of their time, the last one deciding, never from the order in which phones came home: two
phones that were offline, in whatever order and however often they send, give the same list.

Walk-ins take a seat while there is one; where none is left to give but somebody did not come they are counted
without a seat; beyond that they are refused, unless the phone says that it let them in already (`inside`: it was
offline, and asked nobody): those people are counted, over the number of seats.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, func, select

from campaign.checkin.models import Door, Scan
from campaign.events.models import CALLED_OFF, Occurrence
from campaign.registration import changing, entry, registering, seats
from campaign.registration.models import (
    CONFIRMED,
    DOOR,
    OFFERED,
    WALKED_IN,
    RegisteredPerson,
    Registration,
)
from core.errors import Invalid
from core.i18n import mark

ARRIVE, UNDO, WALK_IN = "arrive", "undo", "walk_in"
IN, AGAIN, OUT, NOT_IN, UNKNOWN, FULL, OVER, OFF = (
    "in", "again", "out", "not_in", "unknown", "full", "over", "called_off",
)  # fmt: skip
# What the door says of each verdict; a state of a registration without a place is a verdict too.
VERDICTS = {
    IN: mark("请进"),
    AGAIN: mark("已经签过到"),
    OUT: mark("已撤销签到"),
    NOT_IN: mark("还没有签到，不用撤销"),
    UNKNOWN: mark("这个码不是这场活动的"),
    FULL: mark("满了，进不去了"),
    OVER: mark("已进场，但超出名额"),
    OFF: mark("这场活动取消了"),
    "waiting": mark("还在候补，没有位置"),
    "pending": mark("还没有审核通过"),
    "cancelled": mark("已经取消报名"),
    "rejected": mark("审核没有通过"),
    "lapsed": mark("候补过期，位置给了别人"),
}
MOST, LARGEST_WALK_IN = 500, 20
_NONCE = re.compile(r"[\w-]{8,64}", re.ASCII)
_COUNTS = (IN, AGAIN, OUT, OVER)


@dataclass(frozen=True, slots=True)
class Act:
    """One act at a door: the phone's name for it, what, about whom, when (set by our clock)."""

    nonce: str
    act: str
    at: datetime
    person: int = 0
    adults: int = 0
    minors: int = 0
    inside: bool = False


def read(lines: object, now: datetime) -> list[Act]:
    """The acts that a phone sends; Invalid when they are no such list. Nothing is later than now."""
    if not isinstance(lines, list) or len(lines) > MOST:
        raise Invalid(mark("签到数据不对：一次最多 %(most)s 条。"), most=MOST)
    return [_read(one, now) for one in lines]


def _read(line: Mapping[str, Any], now: datetime) -> Act:
    try:
        at = datetime.fromisoformat(str(line["at"]))
        act = Act(
            str(line["nonce"]), str(line["act"]), min(at, now), _count(line, "person", 2**31),
            _count(line, "adults", LARGEST_WALK_IN), _count(line, "minors", LARGEST_WALK_IN),
            line.get("inside") is True,
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise Invalid(mark("签到数据不对，请更新页面后再试；手机上记的不会丢。")) from error
    good = _NONCE.fullmatch(act.nonce) and act.act in (ARRIVE, UNDO, WALK_IN)
    if not good or (act.act == WALK_IN and not 1 <= act.adults + act.minors <= LARGEST_WALK_IN):
        raise Invalid(mark("签到数据不对，请更新页面后再试；手机上记的不会丢。"))
    return act


def _count(line: Mapping[str, Any], name: str, most: int) -> int:
    number = line.get(name, 0)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
        raise ValueError(name)
    return number


def apply(session: Session, door: Door, acts: Sequence[Act], now: datetime) -> dict[str, str]:
    """Carry out what a phone sends; the verdict of each act by nonce, the same when it is sent again."""
    occurrence = seats.held(session, door.occurrence_id)
    known = _known(session, [one.nonce for one in acts])
    verdicts = {}
    for act in sorted(acts, key=lambda one: (one.at, one.nonce)):
        refused = known.get(act.nonce) == FULL and act.inside  # its answer did not reach the phone in time
        if act.nonce not in known or refused:
            known[act.nonce] = _apply(session, door, occurrence, act, now)
        verdicts[act.nonce] = known[act.nonce]
    return verdicts


def _apply(session: Session, door: Door, occurrence: Occurrence, act: Act, now: datetime) -> str:
    person = None if act.act == WALK_IN else _person(session, occurrence, act.person)
    if act.act == WALK_IN:
        verdict = _walk_in(session, occurrence, act, now)
    elif person is None:
        verdict = UNKNOWN
    else:
        verdict = _verdict(session, occurrence, person, act, now)
    scan = session.exec(select(Scan).where(Scan.nonce == act.nonce)).first() or Scan(
        nonce=act.nonce, occurrence_id=occurrence.id or 0, door_id=door.id or 0, act=act.act,
        person_id=person.id if person else None, verdict=verdict, at=act.at, received_at=now,
    )  # fmt: skip
    scan.verdict = verdict
    session.add(scan)
    session.flush()
    if person is not None and verdict in _COUNTS:
        _settle(session, person, door, now)
    return verdict


def _known(session: Session, nonces: Sequence[str]) -> dict[str, str]:
    rows = session.exec(select(Scan.nonce, Scan.verdict).where(col(Scan.nonce).in_(nonces)))
    return {nonce: verdict for nonce, verdict in rows}


def _person(session: Session, occurrence: Occurrence, number: int) -> RegisteredPerson | None:
    query = (
        select(RegisteredPerson)
        .join(Registration, col(Registration.id) == RegisteredPerson.registration_id)
        .where(RegisteredPerson.id == number, Registration.occurrence_id == occurrence.id)
    )
    return session.exec(query.execution_options(populate_existing=True)).first()


def _verdict(
    session: Session, occurrence: Occurrence, person: RegisteredPerson, act: Act, now: datetime
) -> str:
    one = changing.get(session, person.registration_id)
    if act.act == UNDO:
        return OUT if person.arrived_at else NOT_IN
    if occurrence.state == CALLED_OFF:
        return OFF
    if one.state == OFFERED:  # they stand at the door: that is a yes
        one.state, one.offer_until, one.changed_at = CONFIRMED, None, now
        session.add(one)
    if one.state not in (CONFIRMED, WALKED_IN):
        return one.state
    return AGAIN if person.arrived_at else IN


def _settle(session: Session, person: RegisteredPerson, door: Door, now: datetime) -> None:
    """Whether a person is in, from all acts about them: since the last undoing the first arrival counts."""
    query = select(Scan).where(Scan.person_id == person.id, col(Scan.verdict).in_((*_COUNTS, NOT_IN)))
    since: datetime | None = None
    for scan in session.exec(query.order_by(col(Scan.at), col(Scan.nonce))):
        if scan.act == UNDO:
            since = None
        elif since is None:
            since = scan.at
    if person.arrived_at == since:
        return
    person.arrived_at, person.arrived_by = since, (door.label or f"#{door.id}") if since else ""
    session.add(person)
    one = changing.get(session, person.registration_id)
    one.changed_at = now
    session.add(one)
    session.flush()
    if (
        since is None
        and one.via == DOOR
        and not any(each.arrived_at for each in changing.people(session, one))
    ):
        changing.leave(session, one.id or 0, now)  # counted in by mistake: its seats are free again


def _walk_in(session: Session, occurrence: Occurrence, act: Act, now: datetime) -> str:
    size = act.adults + act.minors
    if occurrence.state == CALLED_OFF and not act.inside:
        return OFF
    seated = seats.take(session, occurrence, size, ())
    fits = seated or _inside(session, occurrence) + size <= occurrence.capacity
    if not fits and not act.inside:
        return FULL
    made = Registration(
        code=entry.new_code(), request_key=f"door-{act.nonce}", occurrence_id=occurrence.id or 0,
        state=CONFIRMED if seated else WALKED_IN, size=size, minors=act.minors, via=DOOR, created_at=act.at,
        joined_at=act.at, changed_at=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    registering.add_people(session.connection(), made.id or 0, [""] * act.adults, act.minors, first=1)
    for person in changing.people(session, made):
        person.arrived_at, person.arrived_by = act.at, WALK_IN
        session.add(person)
    return IN if fits else OVER


def _inside(session: Session, occurrence: Occurrence) -> int:
    """How many people are in."""
    query = (
        select(func.count())
        .select_from(RegisteredPerson)
        .join(Registration, col(Registration.id) == RegisteredPerson.registration_id)
        .where(Registration.occurrence_id == occurrence.id, col(RegisteredPerson.arrived_at).is_not(None))
    )
    return session.exec(query).one()
