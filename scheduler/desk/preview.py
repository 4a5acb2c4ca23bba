"""What a recipient of a plan will read: in a frame on the plan's page, and before those who approve it."""

from dataclasses import replace

from flask import Response
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.audience import Address
from campaign.unsubscribe import Unsubscriptions
from core.errors import Invalid
from core.http import reading, service
from core.i18n import gettext as _
from core.settings import Settings
from core.signing import Keys
from institution import approval_kinds
from institution.access import requires
from institution.approval_models import Approval
from scheduler import plans, starting
from scheduler.channels.base import Message
from scheduler.composer import Composer
from scheduler.desk.routes import blueprint, plan_place
from scheduler.models import Plan
from tracking.attribution import Attributions

# A mail brings its own style sheet; the desk's pages may not, so the preview is a page of its own in a frame.
_MAIL_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; base-uri 'none'"


@blueprint.get("/plans/<int:plan_id>/mail")
@requires("push.view", at=plan_place)
def mail(plan_id: int) -> ResponseReturnValue:
    """The mail as a recipient sees it, to be shown in a frame."""
    with reading() as session:
        message = preview(session, plans.get(session, plan_id))
    answer = Response(message.html, mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _MAIL_POLICY
    return answer


def preview(session: Session, plan: Plan) -> Message:
    """The message of a plan to an invented person; Invalid when its piece is not published."""
    composer = Composer(service(Settings), service(Attributions), Unsubscriptions(service(Keys)))
    someone = Address(0, _("张三"), "zhang.san@example.com")
    letter = composer.letter(session, plan)
    return composer.message(letter, key="preview", address=someone, address_index="00" * 32, outlet="")


def _for_deciders(session: Session, approval: Approval) -> str | None:
    plan = session.get(Plan, int(approval.subject))
    try:
        return preview(session, plan).html if plan else None
    except Invalid:
        return None


approval_kinds.declare(replace(approval_kinds.of(starting.KIND), preview=_for_deciders))
