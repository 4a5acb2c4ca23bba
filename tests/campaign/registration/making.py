"""A series with an occurrence to register for, and parties who do."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col

from campaign.events.models import EventSeries, Occurrence, OptionSeats
from campaign.registration import registering
from campaign.registration.entry import Wanted
from campaign.registration.models import Registration
from core.privacy import Vault


def occurrence(
    session: Session,
    now: datetime,
    *,
    capacity: int,
    outlet_code: str = "",
    code: str = "tuesday",
    options: Mapping[str, int] | None = None,
    **more: Any,
) -> Occurrence:
    """An occurrence in three days, open for registration; `options`: one choice with seats of its own."""
    labels = [
        {"key": key, "label": key, "label_en": key, "capacity": most} for key, most in (options or {}).items()
    ]
    question = {"key": "group", "kind": "choice", "label": "组", "label_en": "Group", "reason": "",
                "reason_en": "", "required": True, "options": labels}  # fmt: skip
    series = EventSeries(
        code=code,
        name="相约星期二",
        first_on=now.date(),
        questions=[question] if options else [],
        outlet_code=outlet_code,
        created_at=now,
        updated_at=now,
    )
    session.add(series)
    session.flush()
    starts = now + timedelta(days=3)
    values: dict[str, Any] = {
        "code": f"{code[:8]}-1", "series_id": series.id or 0, "outlet_code": outlet_code, "planned_at": starts,
        "day": starts.date(), "starts_at": starts, "ends_at": starts + timedelta(hours=1), "opens_at": now,
        "closes_at": starts - timedelta(hours=1), "capacity": capacity, "created_at": now, "updated_at": now,
    }  # fmt: skip
    made = Occurrence(**(values | more))
    session.add(made)
    session.flush()
    for key, most in (options or {}).items():
        session.add(OptionSeats(occurrence_id=made.id or 0, question="group", option=key, capacity=most))
    session.flush()
    return made


def wanted(number: int, size: int = 1, *, minors: int = 0, option: str = "", **more: Any) -> Wanted:
    """The form of the person with this number, who brings companions."""
    names = tuple(f"同伴{each}" for each in range(size - 1 - minors))
    return Wanted(
        name=f"张{number}",
        phone=f"138{number:08d}",
        request_key=str(more.pop("request_key", f"key-{number}")),
        companions=names,
        minors=minors,
        chosen={"group": option} if option else {},
        agreed=True,
        **more,
    )


def party(
    session: Session,
    vault: Vault,
    where: Occurrence,
    number: int,
    size: int = 1,
    *,
    now: datetime,
    **more: Any,
) -> Registration:
    """Register the person with this number."""
    return registering.register(session, vault, where.id or 0, wanted(number, size, **more), now=now)


def seize(session: Session, occurrence_id: int, size: int) -> None:
    """Take seats without asking whether there are any: what the controls do."""
    where = update(Occurrence).where(col(Occurrence.id) == occurrence_id)
    session.execute(where.values(taken=col(Occurrence.taken) + size))
