"""The blueprint of the desk of events, and where what an address names belongs."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from flask import Blueprint, request
from sqlalchemy import ColumnElement
from sqlmodel import Session

from campaign.events import load, occurrences, series
from campaign.events.models import EventSeries
from campaign.registration import changing
from core import clock
from core.errors import NotFound
from core.http import service
from core.i18n import gettext, mark
from core.settings import Settings
from institution import outlets
from institution.access import signed_in
from institution.models import Outlet
from institution.powers import WHOLE

blueprint = Blueprint("events_desk", __name__, url_prefix="/desk/events", template_folder="../templates")


def series_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the series that `<code>` names, or NotFound."""
    return series.get(session, arguments["code"]).outlet_code


def occurrence_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the occurrence that `<number>` names, or NotFound."""
    return occurrences.owner(session, occurrences.get(session, arguments["number"]))


def registration_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the occurrence whose registration `<registration>` names, or NotFound."""
    one = changing.get(session, arguments["registration"])
    return occurrences.owner(session, occurrences.get(session, one.occurrence_id))


def seen_series(permission: str = "event.view") -> ColumnElement[bool]:
    """Condition: the series of one's part of the tree, and those over it."""
    return signed_in().scope(permission).condition(EventSeries.outlet_code, above=True)


def seen_occurrences(permission: str = "event.view") -> ColumnElement[bool]:
    """Condition: the occurrences of one's part of the tree."""
    return load.within(signed_in().scope(permission))


def node(session: Session, permission: str) -> str:
    """The node that `?node=` names, else the uppermost of one's part; NotFound outside of it."""
    scope = signed_in().scope(permission)
    asked = request.values.get("node", "").strip()[:32]
    if not asked:
        return WHOLE if scope.whole else min(scope.tops, default=WHOLE)
    if not scope.covers(session, asked) or outlets.find(session, asked) is None:
        raise NotFound(mark("没有找到这个机构，或者它不在您负责的范围内。"))
    return asked


def trail(session: Session, at: str, permission: str) -> list[tuple[str, str]]:
    """From the uppermost node of one's part down to this one: (code, name)."""
    scope = signed_in().scope(permission)
    steps: list[Outlet] = outlets.path(session, at) if at else []
    seen = [(one.code, one.name) for one in steps if scope.covers(session, one.code)]
    return (
        [(WHOLE, gettext(mark("整个机构"))), *seen[1 if seen and steps[0].parent_code is None else 0 :]]
        if scope.whole
        else seen
    )


def zone() -> ZoneInfo:
    """The institution's zone."""
    return service(Settings).zone


def country() -> str:
    """The country whose holidays count."""
    return service(Settings).holidays


def today() -> date:
    """Today on the institution's clock."""
    return clock.today(zone())
