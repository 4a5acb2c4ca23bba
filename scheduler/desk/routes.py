"""The blueprint of the desk of pushing, and where the plan, push or account of an address belongs."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from scheduler import accounts, plans, pushes
from scheduler.models import PlanApproval, PlanState, PushState

blueprint = Blueprint("scheduler_desk", __name__, url_prefix="/desk", template_folder="../templates")

TONES = {
    PlanState.draft: "idle",
    PlanState.active: "good",
    PlanState.paused: "warn",
    PlanState.ended: "idle",
    PushState.overtaken: "bad",
    PushState.skipped: "idle",
    PushState.cutting: "info",
    PushState.running: "info",
    PushState.done: "good",
    PushState.cancelled: "idle",
}
APPROVAL_TONES = {
    PlanApproval.none: "idle",
    PlanApproval.asked: "info",
    PlanApproval.approved: "good",
    PlanApproval.changes: "warn",
    PlanApproval.rejected: "bad",
}


def plan_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the plan that `<plan_id>` names, or NotFound."""
    return plans.get(session, arguments["plan_id"]).outlet_code


def push_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the push that `<push_id>` names, or NotFound."""
    return pushes.get(session, arguments["push_id"]).outlet_code


def account_place(session: Session, arguments: Mapping[str, Any]) -> str:
    """The node of the account that `<account_id>` names, or NotFound."""
    return accounts.get(session, arguments["account_id"]).outlet_code
