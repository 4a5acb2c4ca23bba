"""What search engines read of an event: schema.org `Event` as JSON-LD, in a block of data that no browser runs."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

from campaign.events.listing import Card, Line

_UNSAFE = {
    ord("<"): "\\u003c",
    ord(">"): "\\u003e",
    ord("&"): "\\u0026",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}


def event(
    one: Line, *, public_url: str, institution: str, zone: ZoneInfo, planned_at: datetime | None = None
) -> dict[str, Any]:
    """An occurrence; how many places are left is nobody's business here. `planned_at`: when it was first to begin."""
    found: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "EducationEvent",
        "name": f"{one.series}：{one.topic}" if one.topic else one.series,
        "url": f"{public_url}{one.url}",
        "startDate": _moment(one.starts_at, zone),
        "endDate": _moment(one.ends_at, zone),
        "eventStatus": _status(one, planned_at),
        "eventAttendanceMode": f"https://schema.org/{'Online' if one.online else 'Offline'}EventAttendanceMode",
        "location": _location(one, public_url),
        "organizer": {"@type": "Organization", "name": institution, "url": public_url},
        "isAccessibleForFree": True,
    }
    if planned_at is not None and planned_at != one.starts_at:
        found["previousStartDate"] = _moment(planned_at, zone)
    if one.host:
        found["performer"] = {"@type": "Person", "name": one.host}
    return found


def series(card: Card, events: Sequence[dict[str, Any]], *, public_url: str) -> dict[str, Any]:
    """A series with its next occurrences."""
    return {
        "@context": "https://schema.org",
        "@type": "EventSeries",
        "name": card.series.shown("name"),
        "description": card.series.shown("summary"),
        "url": f"{public_url}{card.series.url}",
        "subEvent": [{name: value for name, value in one.items() if name != "@context"} for one in events],
    }


def block(data: dict[str, Any]) -> Markup:
    """The data as the content of a script element: nothing in it can end the element or begin another."""
    return Markup(json.dumps(data, ensure_ascii=False).translate(_UNSAFE))  # noqa: S704  (escaped above)


def _status(one: Line, planned_at: datetime | None) -> str:
    moved = planned_at is not None and planned_at != one.starts_at
    word = "EventCancelled" if one.off else "EventRescheduled" if moved else "EventScheduled"
    return f"https://schema.org/{word}"


def _location(one: Line, public_url: str) -> dict[str, Any]:
    if one.online:
        return {"@type": "VirtualLocation", "url": f"{public_url}{one.url}"}
    return {
        "@type": "Place",
        "name": " ".join(part for part in (one.outlet, one.place) if part),
        "address": {"@type": "PostalAddress", "streetAddress": one.where},
    }


def _moment(at: datetime, zone: ZoneInfo) -> str:
    return at.astimezone(zone).isoformat()
