"""The blueprint of the desk of playing together, and where the session of an address belongs."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from campaign.play_sessions import hosting
from campaign.play_sessions.models import PlayMember
from core.errors import NotFound

VIEW, EDIT = "event.view", "event.edit"
blueprint = Blueprint("play_desk", __name__, url_prefix="/desk/play", template_folder="../templates")


def session_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The outlet of the session that `<number>` names, or NotFound; a `<member>` must be of the same session."""
    one = hosting.get(session, arguments["number"])
    if "member" in arguments:
        found = session.get(PlayMember, arguments["member"])
        if found is None or found.session_id != one.id:
            raise NotFound(hosting.GONE)
    return one.outlet_code
