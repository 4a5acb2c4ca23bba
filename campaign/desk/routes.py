"""The blueprints of the desk of campaigns, and where what an address names belongs."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from campaign import lists, programme, segments
from campaign.contact_imports import register

campaigns_blueprint = Blueprint(
    "campaign_desk", __name__, url_prefix="/desk/campaigns", template_folder="../templates"
)
audience_blueprint = Blueprint(
    "audience_desk", __name__, url_prefix="/desk/audience", template_folder="../templates"
)


def campaign_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the campaign that `<code>` names, or NotFound."""
    return programme.get(session, arguments["code"]).outlet_code


def list_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the list that `<list_id>` names, or NotFound."""
    return lists.get_list(session, arguments["list_id"]).outlet_code


def contact_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node whose lists hold the contact that `<contact_id>` names, or NotFound."""
    return lists.get_contact(session, arguments["contact_id"]).holder_code


def segment_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the segment that `<segment_id>` names, or NotFound."""
    return segments.get(session, arguments["segment_id"]).outlet_code


def import_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the import that `<import_id>` names, or NotFound."""
    return register.get(session, arguments["import_id"]).outlet_code
