"""The dated spans of outlets, read and written for many at once."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Session, col

from institution import outlets, timeline
from institution.models import Outlet, OutletSpan
from institution.timeline import Step


def of(session: Session, existing: Iterable[Outlet]) -> dict[str, tuple[Step, ...]]:
    """The history of each outlet; one without spans has been what it is from the beginning."""
    found: dict[str, list[Step]] = {}
    for span in outlets.spans(session):
        step = Step(span.valid_from, span.name, span.kind, span.parent_code, span.closed)
        found.setdefault(span.code, []).append(step)
    for outlet in existing:
        now = Step(timeline.BEGINNING, outlet.name, outlet.kind, outlet.parent_code)
        found.setdefault(outlet.code, [now])
    return {code: tuple(steps) for code, steps in found.items()}


def write(session: Session, histories: dict[str, tuple[Step, ...]]) -> None:
    """Replace the spans of these outlets."""
    codes = list(histories)
    for start in range(0, len(codes), 500):
        session.execute(delete(OutletSpan).where(col(OutletSpan.code).in_(codes[start : start + 500])))
    rows = [row for code, steps in histories.items() for row in _spans(code, steps)]
    if rows:
        session.execute(insert(OutletSpan), rows)


def _spans(code: str, steps: Sequence[Step]) -> Iterator[dict[str, Any]]:
    ends: list[date | None] = [*(step.since for step in steps[1:]), None]
    for step, end in zip(steps, ends, strict=True):
        yield {
            "code": code, "name": step.name, "kind": step.kind, "parent_code": step.parent_code,
            "closed": step.closed, "valid_from": step.since, "valid_to": end,
        }  # fmt: skip
