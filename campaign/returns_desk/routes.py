"""The blueprint of the desk of returns, and where the return of an address belongs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from campaign.returns import deciding, filing, keeping
from campaign.returns.models import (
    DRAFT,
    REFUSED,
    REPLACED,
    RETURNED,
    SUBMITTED,
    VERIFIED,
    ReturnVersion,
)
from core import clock
from core.errors import NotFound
from core.http import service
from core.i18n import mark
from core.settings import Settings

blueprint = Blueprint("returns", __name__, url_prefix="/desk/returns", template_folder="../templates")
PLUGGED = (deciding.PERMISSION, keeping.__name__)  # importing them declares their approvals and retention
TONES = {
    DRAFT: "idle",
    SUBMITTED: "info",
    RETURNED: "warn",
    REFUSED: "bad",
    VERIFIED: "good",
    REPLACED: "idle",
}


def return_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The outlet of the return that `<number>` names, or NotFound."""
    return filing.get(session, arguments["number"]).outlet_code


def version_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The outlet of the return that a version's number names, or NotFound."""
    found = session.get(ReturnVersion, arguments["version"])
    if found is None:
        raise NotFound(mark("没有找到这份回执。"))
    return found.outlet_code


def today() -> date:
    """The day it is where the institution is."""
    return clock.today(service(Settings).zone)
