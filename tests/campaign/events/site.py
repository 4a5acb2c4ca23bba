"""A site with a series planned for the coming Tuesdays, an online one that is on now, and people registered."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from campaign.events import month, occurrences
from campaign.events.models import EventSeries, Occurrence
from campaign.events.occurrences import Spot, Texts
from core.privacy import Vault
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import ZONE, all_of, party


@dataclass(frozen=True)
class Planted:
    """What there is: the next occurrence at outlet A, and the one online that is about to begin."""

    series: EventSeries
    next: Occurrence
    online: Occurrence
    past: Occurrence


def fill(session: Session, vault: Vault, now: datetime) -> Planted:
    """Tuesdays of this month and the next two, an evening class in twenty minutes with an earlier one recorded."""
    first = now.astimezone(ZONE).date().replace(day=1)
    last = month.last_of(month.next_month(first, 2))
    one = making.tuesdays(session, now, first_on=first.isoformat(), rule="FREQ=DAILY", capacity="3")
    making.plan(session, one, first, last, now)
    found = all_of(session, one)
    number = next(each for each in found if each.outlet_code == factories.OUTLET_A)
    occurrences.change(
        session, number.id or 0, Texts(topic="刷单返利：先给甜头", host="吴宣讲", party_most=4), now=now
    )
    for each in range(3):
        party(session, vault, number, each, now, minors=1 if each == 1 else 0)
    online = making.tuesdays(
        session, now, "class", **making.ONLINE | {"first_on": first.isoformat(), "capacity": "100"}
    )
    soon = now.astimezone(ZONE) + timedelta(minutes=20)
    before = now - timedelta(days=3)
    past = occurrences.add(
        session, online, _spot(before), zone=ZONE, now=before - timedelta(days=1), topic="上一课"
    )
    occurrences.change(
        session, past.id or 0, Texts(topic="上一课", replay_url="https://video.example.com/1"), now=now
    )
    live = occurrences.add(session, online, _spot(soon), zone=ZONE, now=now, topic="这一课")
    return Planted(one, occurrences.get(session, number.id or 0), live, past)


def _spot(at: datetime) -> Spot:
    local = at.astimezone(ZONE)
    return Spot(local.date(), local.hour * 60 + local.minute, 40)


def day(text: str) -> date:
    """A day."""
    return date.fromisoformat(text)
