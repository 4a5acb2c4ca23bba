"""What the pages of registration show, gathered in small dataclasses; no web here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, func, select

from campaign.events.models import CALLED_OFF, EventSeries, Occurrence
from campaign.registration import changing, seats, waiting_list, words
from campaign.registration.models import CONFIRMED, OFFERED, PENDING, WAITING, Feedback, Registration
from core.errors import NotFound
from core.i18n import current_locale, mark
from core.privacy import Vault, mask_phone
from institution.models import Outlet

FEW, LIVE_BEFORE = 5, timedelta(minutes=30)
NOT_YET, FREE, SCARCE, QUEUE, FULL, CLOSED, OFF, OVER = (
    "not_yet", "free", "scarce", "queue", "full", "closed", "off", "over",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answerable:
    """A question of the event, in the language in force; options that are full say so."""

    key: str
    kind: str
    label: str
    reason: str
    required: bool
    options: Sequence[tuple[str, str, bool]] = ()


@dataclass(frozen=True, slots=True)
class EventPage:
    """One occurrence, its place and time in words, and whether one can register: one of NOT_YET … OVER."""

    occurrence: Occurrence
    series: EventSeries
    outlet: Outlet | None
    when: str
    until: str
    where: str
    opens: str
    standing: str
    queue: int
    questions: Sequence[Answerable]
    challenge: str = ""
    bits: int = 0
    form: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    wrong: str = ""

    @property
    def takes(self) -> bool:
        """Whether a form is shown."""
        return self.standing in (FREE, SCARCE, QUEUE)


@dataclass(frozen=True, slots=True)
class PersonalPage:
    """A registration as its holder sees it."""

    token: str
    registration: Registration
    occurrence: Occurrence
    series: EventSeries
    outlet: Outlet | None
    when: str
    where: str
    name: str
    phone: str
    companions: Sequence[str]
    position: int
    offer_until: str
    qr: str
    is_over: bool
    may_change: bool
    has_given_feedback: bool
    live_url: str
    is_new: bool = False
    error: str = ""
    wrong: str = ""

    @property
    def is_offered(self) -> bool:
        """Whether a place waits for an answer."""
        return self.registration.state == OFFERED

    @property
    def shows_ticket(self) -> bool:
        """Whether this lets somebody in."""
        return self.registration.state == CONFIRMED and self.occurrence.state != CALLED_OFF


def occurrence_of(session: Session, code: str) -> Occurrence:
    """The occurrence of a visible series with this code, or NotFound."""
    query = select(Occurrence).join(EventSeries).where(Occurrence.code == code, EventSeries.visible)
    found = session.exec(query).first()
    if found is None:
        raise NotFound(mark("没有找到这场活动，它可能已经撤下。"))
    return found


def event_page(session: Session, code: str, zone: ZoneInfo, now: datetime, **more: Any) -> EventPage:
    """What the page of one occurrence shows."""
    occurrence = occurrence_of(session, code)
    series = session.get_one(EventSeries, occurrence.series_id)
    outlet = session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None
    waiting = select(func.count()).where(
        Registration.occurrence_id == occurrence.id, Registration.state == WAITING
    )
    queue = session.exec(waiting).one()
    return EventPage(
        occurrence=occurrence,
        series=series,
        outlet=outlet,
        when=words.when(occurrence.starts_at, zone),
        until=occurrence.ends_at.astimezone(zone).strftime("%H:%M"),
        where=words.where(occurrence, outlet),
        opens=words.when(occurrence.opens_at, zone),
        standing=standing(occurrence, now),
        queue=queue,
        questions=answerable(session, series, occurrence),
        **more,
    )


def standing(occurrence: Occurrence, now: datetime) -> str:
    """Whether one can register now, in one word."""
    if occurrence.state == CALLED_OFF:
        return OFF
    if now >= occurrence.ends_at:
        return OVER
    if now >= occurrence.closes_at:
        return CLOSED
    if now < occurrence.opens_at:
        return NOT_YET
    if occurrence.free > 0:
        return FREE if occurrence.free > FEW else SCARCE
    return QUEUE if occurrence.waiting else FULL


def answerable(session: Session, series: EventSeries, occurrence: Occurrence) -> list[Answerable]:
    """The questions of an event as the form asks them."""
    left, english = seats.room(session, occurrence).options, current_locale() == "en"

    def said(one: Mapping[str, Any], name: str) -> str:
        return str((one.get(f"{name}_en") if english else "") or one.get(name) or "")

    return [
        Answerable(
            str(one["key"]),
            str(one["kind"]),
            said(one, "label"),
            said(one, "reason"),
            bool(one.get("required")),
            [
                (str(option["key"]), said(option, "label"), left.get((one["key"], option["key"]), 1) <= 0)
                for option in one.get("options", ())
            ],
        )
        for one in series.questions
    ]


def personal_page(
    session: Session, vault: Vault, one: Registration, zone: ZoneInfo, now: datetime, **more: Any
) -> PersonalPage:
    """What the holder of a link sees."""
    occurrence = session.get_one(Occurrence, one.occurrence_id)
    series = session.get_one(EventSeries, occurrence.series_id)
    outlet = session.get(Outlet, occurrence.outlet_code) if occurrence.outlet_code else None
    people = changing.people(session, one)
    names = [vault.decrypt(each.name_sealed) if each.name_sealed else "" for each in people]
    return PersonalPage(
        registration=one,
        occurrence=occurrence,
        series=series,
        outlet=outlet,
        when=words.when(occurrence.starts_at, zone),
        where=words.where(occurrence, outlet),
        name=names[0] if names else "",
        phone=mask_phone(vault.decrypt(one.phone_sealed)) if one.phone_sealed else "",
        companions=[name for name, each in zip(names[1:], people[1:], strict=True) if not each.under_14],
        position=waiting_list.position(session, one),
        offer_until=words.when(one.offer_until, zone) if one.offer_until else "",
        is_over=now >= occurrence.ends_at,
        may_change=_may_change(one, occurrence, now) and not any(each.arrived_at for each in people),
        live_url=_live(one, occurrence, now),
        has_given_feedback=session.get(Feedback, one.id) is not None,
        **more,
    )


def _live(one: Registration, occurrence: Occurrence, now: datetime) -> str:
    """Where to take part online, from half an hour before until the end, for who has a place."""
    on = occurrence.starts_at - LIVE_BEFORE <= now < occurrence.ends_at
    return occurrence.live_url if on and one.state == CONFIRMED and occurrence.state != CALLED_OFF else ""


def _may_change(one: Registration, occurrence: Occurrence, now: datetime) -> bool:
    live = one.state in (PENDING, CONFIRMED, WAITING, OFFERED)
    return live and occurrence.state != CALLED_OFF and now < occurrence.starts_at


def other_times(session: Session, occurrence: Occurrence, now: datetime, most: int = 3) -> list[Occurrence]:
    """The next occurrences of the same series at the same place, for who comes too late to this one."""
    query = select(Occurrence).where(
        Occurrence.series_id == occurrence.series_id,
        Occurrence.outlet_code == occurrence.outlet_code,
        Occurrence.id != occurrence.id,
        col(Occurrence.starts_at) > now,
        Occurrence.state != CALLED_OFF,
    )
    return list(session.exec(query.order_by(col(Occurrence.starts_at)).limit(most)))
