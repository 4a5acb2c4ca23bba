"""The blueprint of the desk of imports, and where the import or mapping of an address belongs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from core import clock
from core.http import service
from core.i18n import mark
from core.settings import Settings
from tracking import tabs
from tracking.imports import deciding, keeping, register, saving
from tracking.imports.models import (
    APPLIED,
    APPROVED,
    CHANGES,
    REJECTED,
    STATE_NAMES,
    WAITING,
    WITHDRAWN,
)
from tracking.tabs import Tab

blueprint = Blueprint(
    "reach_imports", __name__, url_prefix="/desk/reach/imports", template_folder="../templates"
)
tabs.plug(Tab("imports", mark("导入"), "/desk/reach/imports", "reach.import", after=30))
PLUGGED = (deciding.PERMISSION, keeping.__name__)  # importing them declares their approvals and retention
STATES = STATE_NAMES
TONES = {
    WAITING: "info",
    APPROVED: "info",
    APPLIED: "good",
    CHANGES: "warn",
    REJECTED: "bad",
    WITHDRAWN: "idle",
}


def import_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the import that `<number>` names, or NotFound."""
    return register.get(session, arguments["number"]).outlet_code


def mapping_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the saved mapping that `<number>` names, or NotFound."""
    return saving.get(session, arguments["number"]).outlet_code


def today() -> date:
    """The day it is where the institution is."""
    return clock.today(service(Settings).zone)
