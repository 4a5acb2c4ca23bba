"""Reach events for tests of the read path, and the same counts done naively in Python."""

from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from typing import Any, TypeVar

from tracking.definition import FIRST, Definition
from tracking.events import ReachEvent, new_id, to_line
from tracking.store import ReachStore

T = TypeVar("T")


def event(day: str, kind: str = "visited", *, hour: int = 4, **more: Any) -> ReachEvent:
    """An event of a day; one visit by visitor 1 on the web unless said otherwise."""
    on = date.fromisoformat(day)
    given = {"quantity": 1, "visitor": 1, "source": "web", "channel": "web", "id": new_id(), **more}
    return ReachEvent(at=datetime.combine(on, time(hour), UTC), day=on, kind=kind, **given)


def heads(day: str, quantity: int, **more: Any) -> ReachEvent:
    """People counted at an activity; negative: a correction."""
    return event(day, "attended", **{"quantity": quantity, "visitor": 0, "source": "offline", **more})


def ship(store: ReachStore, segment: str, events: Iterable[ReachEvent]) -> None:
    """Ship events as one segment."""
    store.ship(segment, b"".join(to_line(one) for one in events))


def gross(events: Iterable[ReachEvent], key: Callable[[ReachEvent], T]) -> dict[T, int]:
    """Gross person-times by key, counted one by one."""
    found: dict[T, int] = {}
    for one in events:
        if one.kind in FIRST.kinds:
            found[key(one)] = found.get(key(one), 0) + one.quantity
    return {name: number for name, number in found.items() if number}


def unique(
    events: Iterable[ReachEvent], key: Callable[[ReachEvent], T], definition: Definition = FIRST
) -> dict[T, int]:
    """Deduplicated person-times by key, counted one by one, straight from the definition's words."""
    found: dict[T, int] = {}
    groups: dict[tuple[Any, ...], list[ReachEvent]] = {}
    for one in events:
        if one.kind not in definition.kinds:
            continue
        if one.visitor:
            place = (one.visitor, one.day, one.outlet, one.channel, one.piece)
            groups.setdefault(place, []).append(one)
        elif one.source in definition.head_counts:
            found[key(one)] = found.get(key(one), 0) + one.quantity
    for group in groups.values():
        first = min(group, key=lambda one: one.at)
        if sum(one.quantity for one in group) > 0:
            found[key(first)] = found.get(key(first), 0) + 1
    return {name: number for name, number in found.items() if number}


def people(events: Iterable[ReachEvent], key: Callable[[ReachEvent], T]) -> dict[T, int]:
    """Distinct visitors by key; exact, as the sketch is for small numbers."""
    found: dict[T, set[int]] = {}
    for one in events:
        if one.visitor and one.kind in FIRST.kinds:
            found.setdefault(key(one), set()).add(one.visitor)
    return {name: len(visitors) for name, visitors in found.items()}
