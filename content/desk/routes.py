"""The blueprint of the desk of content, and where the piece of an address belongs."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from content import history
from content.models import State

blueprint = Blueprint("content_desk", __name__, url_prefix="/desk", template_folder="../templates")

TONES = {
    State.draft: "idle",
    State.submitted: "warn",
    State.approved: "info",
    State.published: "good",
    State.superseded: "idle",
    State.withdrawn: "bad",
}


def place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the piece that `<key>` names, or NotFound."""
    return history.get_piece(session, arguments["key"]).outlet_code
