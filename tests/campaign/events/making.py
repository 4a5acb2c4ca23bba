"""A series of Tuesdays at the outlets of the named tree, and parties who register."""

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from campaign.events import planning, series
from campaign.events.models import EventSeries, Occurrence
from campaign.events.planning import Planned
from campaign.registration import registering
from campaign.registration.entry import Wanted
from campaign.registration.models import Registration
from core.privacy import Vault
from tests import factories

ZONE = ZoneInfo("Asia/Shanghai")
OUTLETS = [factories.OUTLET_A, factories.OUTLET_B]
FORM = {
    "name": "相约星期二", "name_en": "Tuesdays", "summary": "当面讲，当面问。", "form": "outlet", "theme": "plain",
    "rule": "FREQ=WEEKLY;BYDAY=TU", "first_on": "2026-01-06", "starts_at": "09:30", "minutes": "60", "capacity": "2",
    "party_most": "4", "opens_days": "14", "closes_minutes": "60", "offer_hours": "24", "waiting": "1",
    "visible": "1", "host": "吴宣讲",
}  # fmt: skip
ONLINE = FORM | {
    "name": "线上小课",
    "name_en": "Online class",
    "form": "online",
    "live_url": "https://live.example.com/a",
}


def tuesdays(
    session: Session, now: datetime, code: str = "tuesday", outlet_code: str = "", **more: str
) -> EventSeries:
    """The series."""
    return series.create(session, code, FORM | more, outlet_code=outlet_code, now=now)


def plan(
    session: Session,
    one: EventSeries,
    first: date,
    last: date,
    now: datetime,
    *,
    codes: list[str] | None = None,
) -> Planned:
    """Plan it at both outlets."""
    return planning.plan(
        session, one, OUTLETS if codes is None else codes, first, last, zone=ZONE, country="CN", now=now
    )


def saved(
    session: Session, one: EventSeries, now: datetime, *, follow: bool = True, **changed: str
) -> series.Saved:
    """Save the series with some fields changed."""
    return series.save(
        session, one.code, FORM | changed, outlet_code=one.outlet_code, follow=follow, zone=ZONE, country="CN", now=now
    )  # fmt: skip


def all_of(session: Session, one: EventSeries) -> list[Occurrence]:
    """Its occurrences by time and outlet."""
    query = select(Occurrence).where(Occurrence.series_id == one.id)
    ordered = query.order_by(col(Occurrence.planned_at), col(Occurrence.outlet_code))
    return list(session.exec(ordered.execution_options(populate_existing=True)))


def party(
    session: Session, vault: Vault, where: Occurrence, number: int, now: datetime, **more: Any
) -> Registration:
    """Somebody registers."""
    wanted = Wanted(
        name=f"张{number}", phone=f"138{number:08d}", request_key=f"{where.id}-{number}", agreed=True, **more
    )
    return registering.register(session, vault, where.id or 0, wanted, now=now, via="staff")
