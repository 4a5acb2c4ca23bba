"""The blueprint of the desk of bases, and where what an address names belongs."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from campaign.base import archives, screens
from core import clock
from core.errors import NotFound
from core.http import service
from core.i18n import mark
from core.settings import Settings
from institution import outlets

EDIT = "base.edit"
blueprint = Blueprint("base_desk", __name__, url_prefix="/desk/base", template_folder="../templates")


def of_node(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node that `<code>` names, or NotFound."""
    return outlets.get(session, arguments["code"]).code


def of_archive(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the archive that `<number>` names, or NotFound."""
    return archives.get(session, arguments["number"]).outlet_code


def of_screen(session: Session, arguments: Mapping[str, Any]) -> str:
    """The outlet of the screen that `<screen>` names, or NotFound; the address must name the same outlet."""
    found = screens.get(session, arguments["screen"])
    if found.outlet_code != arguments["code"]:
        raise NotFound(mark("没有找到这块屏幕。"))
    return found.outlet_code


def today() -> date:
    """Today in the institution's time zone."""
    return clock.today(service(Settings).zone)
