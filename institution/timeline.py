"""The history of one outlet as a step function of days: pure, kept free of the database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

BEGINNING = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Step:
    """What held from `since` until the next step."""

    since: date
    name: str
    kind: str
    parent_code: str | None
    closed: bool = False

    def identity(self) -> tuple[str, str, str | None]:
        """What a report shows: name, level and place in the tree."""
        return self.name, self.kind, self.parent_code


def normal(steps: Sequence[Step]) -> list[Step]:
    """The steps by date, each different from the one before."""
    kept: list[Step] = []
    for step in sorted(steps, key=lambda each: each.since):
        if not kept or replace(step, since=kept[-1].since) != kept[-1]:
            kept.append(step)
    return kept


def cut(steps: Sequence[Step], day: date) -> list[Step]:
    """The same history with a step that begins on `day`, unless `day` is before the first."""
    before = [step for step in steps if step.since <= day]
    if not before or before[-1].since == day:
        return list(steps)
    return [*before, replace(before[-1], since=day), *steps[len(before) :]]


def last_change(steps: Sequence[Step]) -> date:
    """The day since which name, level and parent are as they are now."""
    day = steps[-1].since
    for step in reversed(steps):
        if step.identity() != steps[-1].identity():
            break
        day = step.since
    return day


def renamed(steps: Sequence[Step], day: date, name: str, kind: str, parent_code: str | None) -> list[Step]:
    """From `day` on (at the earliest from the beginning of the history) under this name, level, parent."""
    day = max(day, steps[0].since)
    return normal(
        [
            replace(step, name=name, kind=kind, parent_code=parent_code) if step.since >= day else step
            for step in cut(steps, day)
        ]
    )


def closed(steps: Sequence[Step], was: date | None, now: date | None, day: date) -> list[Step]:
    """The history after the closing date became `now` instead of `was`, on `day`.

    Moving a closing corrects it; taking it away before it came undoes it; taking it away later reopens the
    outlet from `day` on, and the time it was closed stays in the history.
    """
    if now is None:
        return normal(_painted(steps, max(day, was or day), None, value=False))
    if was is not None and was < now:
        steps = _painted(steps, was, now, value=False)
    return normal(_painted(steps, now, None, value=True))


def begun(steps: Sequence[Step], open_on: date | None) -> list[Step]:
    """The history begun no later than the outlet opened."""
    if open_on is None or open_on >= steps[0].since:
        return list(steps)
    return [replace(steps[0], since=open_on), *steps[1:]]


def _painted(steps: Sequence[Step], since: date, until: date | None, *, value: bool) -> list[Step]:
    since = max(since, steps[0].since)
    parts = cut(steps, since)
    if until is not None:
        parts = cut(parts, until)
    return [
        replace(step, closed=value) if step.since >= since and (until is None or step.since < until) else step
        for step in parts
    ]
