"""The blueprint of the desk of rooms, where a room of an address belongs, and its newest revision."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from content import history
from content.models import Kind, Revision
from core.errors import NotFound
from core.http import reading as session_for_reading
from core.i18n import mark

blueprint = Blueprint(
    "rooms_desk", __name__, url_prefix="/desk/pieces/<key>/room", template_folder="../templates"
)


def place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the room that `<key>` names; NotFound for what is no room."""
    piece = history.get_piece(session, arguments["key"])
    if piece.kind != Kind.escape_room:
        raise NotFound(mark("这篇内容不是密室。"))
    return piece.outlet_code


def newest(key: str) -> Revision:
    """The newest revision of a room."""
    with session_for_reading() as session:
        return history.revisions(session, key)[0]
