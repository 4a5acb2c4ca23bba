"""Register parties: name and telephone of one person, companions by name, children by number; all or none."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, cast

from sqlalchemy import Connection, Table, bindparam, insert, select, union_all
from sqlmodel import Session

from campaign.events.models import OPEN
from campaign.registration import asking, notices, seats
from campaign.registration.entry import PHONE_KIND, Entry, Wanted
from campaign.registration.models import (
    CONFIRMED,
    ITSELF,
    LIVE,
    PENDING,
    WAITING,
    RegisteredPerson,
    Registration,
)
from campaign.registration.seats import Pairs, Place
from core.database import Prepared
from core.errors import Conflict, Invalid
from core.i18n import mark
from core.privacy import Vault

_ROW = cast(Table, Registration.__table__)  # type: ignore[attr-defined]
_PERSON = cast(Table, RegisteredPerson.__table__)  # type: ignore[attr-defined]
_FIXED = {"offer_until": None, "reason": "", "counted": False, "counted_registered": 0, "counted_attended": 0}
_GIVEN = [one for one in _ROW.c if one.name != "id" and one.name not in _FIXED]
_OF_PERSON = [_PERSON.c[name] for name in ("registration_id", "number", "name_sealed", "under_14")]
_LETTERS = {CONFIRMED: notices.REGISTERED, WAITING: notices.WAITLISTED}
TWICE = mark("这个手机号已经报过这场活动。要改人数或取消，请用报名后的链接，或打网点电话。")


@dataclass(frozen=True, slots=True)
class Asked:
    """A checked form for an occurrence, by which way it came and through whom."""

    occurrence_id: int
    entry: Entry
    via: str = ITSELF
    staff_id: int | None = None


def register(
    session: Session,
    vault: Vault,
    occurrence_id: int,
    wanted: Wanted,
    *,
    now: datetime,
    via: str = ITSELF,
    staff_id: int | None = None,
) -> Registration:
    """Give the party its seats, or a place in the queue; the same form again gives the same registration.

    Invalid names the field; Conflict: not open, full, or this number is registered already.
    """
    asked = Asked(occurrence_id, Entry.of(vault, wanted, now), via, staff_id)
    (number,) = enter(session, vault, [asked])
    return session.get_one(Registration, number)


def enter(session: Session, vault: Vault, asked: Sequence[Asked]) -> list[int]:
    """The same for forms that came in the same moment, in their order: the numbers of the registrations.

    All are entered or none: the first that is refused is raised, and the transaction is to be rolled back. However
    many there are, it takes a handful of statements, prepared once; mapped objects would take three times as long.
    """
    session.flush()  # statements of the driver see only what was written
    link = session.connection()
    places = seats.places(link, {one.occurrence_id for one in asked})
    known, book = _known(link, vault, asked), _Book(session)
    new = {at: one for at, one in enumerate(asked) if at not in known}
    rows = [_row(book, places[one.occurrence_id], one) for one in new.values()]
    book.write(places)
    made = _write(link, new, rows) if new else {}
    for at, one in new.items():
        _tell(session, one, made[at])
    return [(made.get(at) or known[at]) for at in range(len(asked))]


@dataclass(slots=True)
class _Book:
    """What the forms take of the occurrences whose rows are held, put down with one statement for each of these."""

    session: Session
    taken: Counter[int] = field(default_factory=Counter)
    owed: Counter[int] = field(default_factory=Counter)

    def take(self, place: Place, size: int, chosen: Pairs) -> bool:
        """Take seats for a party, all or none; those of options, which have limits of their own, at once."""
        if size > place.free - self.taken[place.id]:
            return False
        if chosen and not seats.take(self.session, place, size, chosen):
            return False
        self.taken[place.id] += size
        self.owed[place.id] += 0 if chosen else size
        return True

    def write(self, places: Mapping[int, Place]) -> None:
        """Put down what is owed. RuntimeError if it does not fit: then the row was not held."""
        for number, size in self.owed.items():
            if size and not seats.take(self.session, places[number], size, ()):
                raise RuntimeError(f"occurrence {number}: {size} seats were free, and are not")


def _known(link: Connection, vault: Vault, asked: Sequence[Asked]) -> dict[int, int]:
    """The registrations there are already of these very forms, by their place; Conflict when a telephone number has
    another one, or two of these forms have the same.

    The number is looked for under every key of the ring; the unique index settles what races.
    """
    phones = [vault.indexes(PHONE_KIND, one.entry.wanted.phone) for one in asked]
    keys = {f"key_{at}": one.entry.wanted.request_key for at, one in enumerate(asked)}
    numbers = {f"phone_{at}": index for at, index in enumerate(each for every in phones for each in every)}
    rows = _known_by(len(keys), len(numbers)).on(link, keys | numbers)
    by_key = {key: number for key, number, *_rest in rows}
    taken = {(occurrence, phone) for _key, _number, occurrence, phone, state in rows if state in LIVE}
    found = {}
    for at, one in enumerate(asked):
        mine = {(one.occurrence_id, phone) for phone in phones[at]}
        if one.entry.wanted.request_key in by_key:
            found[at] = int(by_key[one.entry.wanted.request_key])
        elif mine & taken:
            raise Conflict(TWICE, field="phone")
        taken |= mine
    return found


@lru_cache
def _known_by(keys: int, phones: int) -> Prepared:
    """The statement that asks for the keys of so many forms, and for so many indexes of telephone numbers.

    It asks for each by itself, and for a number wherever it is registered, which is a few places: asked for all in
    one list, or told the occurrence and the states too, an engine that knows no figures of the table yet reads
    everybody who is registered, and goes on so until it has looked at the table.
    """
    said = select(_ROW.c.request_key, _ROW.c.id, _ROW.c.occurrence_id, _ROW.c.phone_index, _ROW.c.state)
    return Prepared(
        union_all(
            *(said.where(_ROW.c.request_key == bindparam(f"key_{at}")) for at in range(keys)),
            *(said.where(_ROW.c.phone_index == bindparam(f"phone_{at}")) for at in range(phones)),
        )
    )


def _row(book: _Book, place: Place, one: Asked) -> dict[str, Any]:
    """The row of a form, its seats taken."""
    wanted = one.entry.wanted
    pairs = asking.checked(place.questions, wanted.chosen, wanted.answers)
    _check_open(place, one.entry.at, one.via)
    _check_size(wanted, place.party_most)
    return {
        **one.entry.row,
        "occurrence_id": one.occurrence_id,
        "via": one.via,
        "staff_id": one.staff_id,
        "options": [list(pair) for pair in pairs],
        "state": _state(book, place, wanted, pairs, one.via),
    }


def _state(book: _Book, place: Place, wanted: Wanted, pairs: Pairs, via: str) -> str:
    if place.approval and via == ITSELF:
        return PENDING
    if book.take(place, wanted.size, pairs):
        return CONFIRMED
    if place.waiting and wanted.waits:
        return WAITING
    raise Conflict(
        mark("只剩 %(free)s 个位置，不够 %(size)s 人。可以减少人数，或看看别的场次。"),
        field="size",
        free=max(place.free - book.taken[place.id], 0),
        size=wanted.size,
    )


def _check_open(occurrence: Place, now: datetime, via: str) -> None:
    if occurrence.state != OPEN:
        raise Conflict(mark("这场活动已经取消，请看看别的场次。"))
    if now >= (occurrence.closes_at if via == ITSELF else occurrence.ends_at):
        raise Conflict(mark("报名已经截止。想去的话请打网点电话问一问，或看看下一场。"))
    if via == ITSELF and now < occurrence.opens_at:
        raise Conflict(mark("报名还没有开始，请到开始的时间再来。"))


def _check_size(wanted: Wanted, party_most: int) -> None:
    if wanted.minors < 0 or wanted.size > party_most:
        raise Invalid(
            mark("一次最多报 %(most)s 人（含您自己）。人更多请分开报名，或请网点帮忙。"),
            field="size",
            most=party_most,
        )


def _write(link: Connection, new: Mapping[int, Asked], rows: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """Write registrations and their people; the numbers by the place of the form."""
    values = {f"{name}_{at}": value for at, row in enumerate(rows) for name, value in row.items()}
    numbers = dict(_adding(len(rows)).on(link, values))
    made = {at: int(numbers[one.entry.wanted.request_key]) for at, one in new.items()}
    people = []
    for at, one in new.items():
        people += _people(made[at], one.entry.names, one.entry.wanted.minors, first=1)
    _add(link, people)
    return made


@lru_cache
def _adding(rows: int) -> Prepared:
    """The statement that writes so many registrations, and tells each one's number by the key of its form."""
    given = [
        {**_FIXED, **{one.name: bindparam(f"{one.name}_{at}", type_=one.type) for one in _GIVEN}}
        for at in range(rows)
    ]
    return Prepared(insert(_ROW).values(given).returning(_ROW.c.request_key, _ROW.c.id))


@lru_cache
def _adding_people(rows: int) -> Prepared:
    given = [
        {"arrived_at": None, "arrived_by": ""}
        | {one.name: bindparam(f"{one.name}_{at}", type_=one.type) for one in _OF_PERSON}
        for at in range(rows)
    ]
    return Prepared(insert(_PERSON).values(given))


def add_people(
    link: Connection, registration_id: int, names: Sequence[str], minors: int, *, first: int
) -> None:
    """Add people of a party: sealed names, then children, numbered from `first`."""
    _add(link, _people(registration_id, names, minors, first=first))


def _people(registration_id: int, names: Sequence[str], minors: int, *, first: int) -> list[dict[str, Any]]:
    people = [(name, False) for name in names] + [("", True)] * minors
    return [
        {"registration_id": registration_id, "number": number, "name_sealed": name, "under_14": young}
        for number, (name, young) in enumerate(people, first)
    ]


def _add(link: Connection, people: Sequence[Mapping[str, Any]]) -> None:
    if people:
        values = {f"{name}_{at}": value for at, one in enumerate(people) for name, value in one.items()}
        _adding_people(len(people)).on(link, values)


def _tell(session: Session, one: Asked, number: int) -> None:
    """Note the letter that a new registration with an address gets."""
    if one.entry.wanted.email:
        made = session.get_one(Registration, number)
        if made.state in _LETTERS:
            notices.note(session, made, _LETTERS[made.state], one.entry.at)
