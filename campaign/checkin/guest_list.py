"""What a door sees: of those with a place a masked name and four digits, of the others only why they have none."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign.events.models import EventSeries, Occurrence
from campaign.registration import words
from campaign.registration.models import CONFIRMED, OFFERED, WALKED_IN, RegisteredPerson, Registration
from core.privacy import Vault, mask_name
from institution.models import Outlet

_COMES_IN = (CONFIRMED, OFFERED, WALKED_IN)


@dataclass(frozen=True, slots=True)
class Guest:
    """One person: masked name ("" a child or a walk-in), and whether they are in."""

    id: int
    name: str
    young: bool
    arrived: bool


@dataclass(frozen=True, slots=True)
class Party:
    """A registration at the door: its code, the last four digits of the telephone, its state and people."""

    code: str
    tail: str
    state: str
    people: Sequence[Guest]


@dataclass(frozen=True, slots=True)
class GuestList:
    """Everything one phone keeps for one occurrence. `at` is our clock: phones set theirs by it."""

    at: str
    title: str
    when: str
    where: str
    state: str
    capacity: int
    parties: Sequence[Party]

    def as_json(self) -> dict[str, Any]:
        """The same for the phone."""
        return asdict(self)


def guest_list(
    session: Session, vault: Vault, occurrence_id: int, zone: ZoneInfo, now: datetime
) -> GuestList:
    """The list of an occurrence as it is now."""
    occurrence = session.get_one(Occurrence, occurrence_id)
    series = session.get_one(EventSeries, occurrence.series_id)
    outlet = session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None
    rows = session.exec(
        select(Registration).where(Registration.occurrence_id == occurrence_id).order_by(col(Registration.id))
    )
    people = _people(session, occurrence_id)
    return GuestList(
        at=now.isoformat(),
        title=occurrence.topic or series.name,
        when=words.when(occurrence.starts_at, zone),
        where=words.where(occurrence, outlet),
        state=occurrence.state,
        capacity=occurrence.capacity,
        parties=[_party(vault, one, people.get(one.id or 0, [])) for one in rows],
    )


def _people(session: Session, occurrence_id: int) -> dict[int, list[RegisteredPerson]]:
    query = (
        select(RegisteredPerson)
        .join(Registration, col(Registration.id) == RegisteredPerson.registration_id)
        .where(Registration.occurrence_id == occurrence_id)
        .order_by(col(RegisteredPerson.registration_id), col(RegisteredPerson.number))
    )
    found: dict[int, list[RegisteredPerson]] = {}
    for one in session.exec(query):
        found.setdefault(one.registration_id, []).append(one)
    return found


def _party(vault: Vault, one: Registration, people: Sequence[RegisteredPerson]) -> Party:
    if one.state not in _COMES_IN:
        return Party(one.code, "", one.state, ())
    tail = vault.decrypt(one.phone_sealed)[-4:] if one.phone_sealed else ""
    guests = [
        Guest(
            each.id or 0,
            mask_name(vault.decrypt(each.name_sealed)) if each.name_sealed else "",
            each.under_14,
            each.arrived_at is not None,
        )
        for each in people
    ]
    return Party(one.code, tail, one.state, guests)
