"""The blueprint of the desk's approvals, and who may look at a request."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint
from sqlmodel import Session

from core import clock
from core.errors import NotFound
from core.i18n import mark
from institution import access, approval_search, approvals
from institution.approval_search import Viewer
from institution.powers import WHOLE

approvals_blueprint = Blueprint(
    "approvals", __name__, url_prefix="/desk/approvals", template_folder="../templates"
)


def seen_by(session: Session) -> Viewer:
    """The person behind this request, with those for whom they stand in."""
    person = access.signed_in()
    return approval_search.viewer(session, person.id, person.powers, clock.now())


def place(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: lets through who asked, who may decide or decided a step, and the auditor of its node.

    A stand-in sees what lies outside their own part of the tree; so it is the request that is looked at, not
    the node, and the answer is the whole institution, read from below.
    """
    approval = approvals.get(session, int(arguments["number"]))
    if not approval_search.sees(session, seen_by(session), approval):
        raise NotFound(mark("没有找到这份审批申请。"))
    return WHOLE
