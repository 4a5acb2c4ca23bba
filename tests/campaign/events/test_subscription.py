"""Calendar files read back by a program for calendars, and the data block that search engines read."""

import json
from datetime import datetime, timedelta

from icalendar import Calendar, Event
from sqlmodel import Session

from campaign.events import listing, occurrences, structured, subscription
from campaign.events.models import EventSeries
from campaign.events.subscription import Site
from core.i18n import using_locale
from core.privacy import Vault
from institution import outlets
from tests import factories
from tests.campaign.events import making
from tests.campaign.events.making import ZONE, all_of
from tests.campaign.events.test_occurrences import LATER

SITE = Site("https://signpost.example.com", ZONE)


def events(data: bytes) -> list[Event]:
    made = Calendar.from_ical(data)
    assert isinstance(made, Calendar)
    assert made.errors == []
    return [one for one in made.events]


def test_one_occurrence_read_back_is_what_it_is(
    session: Session, now: datetime, october: EventSeries
) -> None:
    one = all_of(session, october)[0]
    (event,) = events(subscription.one(session, one, SITE))
    assert event.uid == f"{one.code}@signpost.example.com"
    assert (event.start, event.end) == (one.starts_at, one.ends_at)
    assert event["dtstart"].params["TZID"] == "Asia/Shanghai"
    assert (event.sequence, event["status"], event["url"]) == (
        0,
        "CONFIRMED",
        f"https://signpost.example.com/e/{one.code}",
    )
    assert "西湖文三路柜面" in event.location
    assert b"BEGIN:VTIMEZONE" in subscription.one(session, one, SITE)


def test_a_change_keeps_the_uid_and_raises_the_sequence(
    session: Session, now: datetime, october: EventSeries
) -> None:
    one = all_of(session, october)[0]
    (before,) = events(subscription.one(session, one, SITE))
    occurrences.move(session, one.id or 0, LATER, zone=ZONE, now=now + timedelta(hours=1))
    (moved,) = events(subscription.one(session, one, SITE))
    occurrences.call_off(session, one.id or 0, "停电", now=now + timedelta(hours=2))
    (off,) = events(subscription.one(session, one, SITE))
    assert before.uid == moved.uid == off.uid
    assert [each.sequence for each in (before, moved, off)] == [0, 1, 2]
    assert before.start < moved.start
    assert (off["status"], "停电" in str(off["description"])) == ("CANCELLED", True)
    assert [before.stamp < moved.stamp, moved.stamp < off.stamp] == [True, True]


def test_an_outlet_and_a_series_can_be_subscribed_to(
    session: Session, now: datetime, october: EventSeries
) -> None:
    outlet = outlets.get(session, factories.OUTLET_A)
    mine = events(subscription.of_outlet(session, outlet, SITE, now))
    assert len(mine) == len({one.uid for one in mine}) == 3
    days = events(subscription.of_series(session, october, SITE, now))
    assert [one.uid for one in days] == [f"tuesday-202610{day}@signpost.example.com" for day in (13, 20, 27)]
    assert subscription.of_outlet(session, outlet, SITE, now + timedelta(days=300)).count(b"VEVENT") == 0
    october.visible = False
    session.flush()
    assert events(subscription.of_outlet(session, outlet, SITE, now)) == []


def test_a_live_link_is_in_no_calendar(session: Session, now: datetime) -> None:
    factories.tree(session, now)
    one = making.tuesdays(session, now, "class", **making.ONLINE)
    made = occurrences.add(session, one, occurrences.Spot(LATER.day, 1170, 40), zone=ZONE, now=now)
    assert made.live_url
    with using_locale("en"):
        data = subscription.of_series(session, one, SITE, now)
    (event,) = events(data)
    assert made.live_url.encode() not in data
    assert str(event["summary"]) == "Online class"


def test_the_data_block_says_what_is_so_and_not_how_many_places_are_left(
    session: Session, vault: Vault, now: datetime, october: EventSeries
) -> None:
    one = all_of(session, october)[0]
    one.topic = "</script><script>alert(1)</script> & 断卡"
    making.party(session, vault, one, 1, now)
    planned = one.starts_at
    occurrences.move(session, one.id or 0, LATER, zone=ZONE, now=now)
    line = next(each for each in listing.at_outlet(session, factories.OUTLET_A, now) if each.code == one.code)
    data = structured.event(
        line, public_url="https://s.example.com", institution="示范人寿", zone=ZONE, planned_at=planned
    )
    text = str(structured.block(data))
    assert "<" not in text and "&" not in text
    found = json.loads(text)
    assert found["name"].endswith("& 断卡")
    assert (found["@type"], found["eventStatus"]) == ("EducationEvent", "https://schema.org/EventRescheduled")
    assert found["previousStartDate"] == "2026-10-13T09:30:00+08:00"
    assert found["startDate"] == "2026-10-15T10:00:00+08:00"
    assert found["location"]["@type"] == "Place" and "文三路" in found["location"]["name"]
    assert not {"remainingAttendeeCapacity", "maximumAttendeeCapacity", "offers"} & set(found)
    occurrences.call_off(session, one.id or 0, "停电", now=now)
    (off,) = [each for each in listing.at_outlet(session, factories.OUTLET_A, now) if each.code == one.code]
    said = structured.event(off, public_url="", institution="", zone=ZONE)
    assert said["eventStatus"] == "https://schema.org/EventCancelled"
