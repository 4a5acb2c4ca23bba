"""What a recipient of a plan will read: in a frame on the plan's page, and before those who approve it."""

from dataclasses import replace

from flask import Response, url_for
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
from scheduler.composer import Composer, as_page
from scheduler.desk.routes import blueprint, plan_place
from scheduler.models import Plan
from tracking.attribution import Attributions

# Nothing but the style sheet of mails: the preview is a page of its own in a frame.
_MAIL_POLICY = "default-src 'none'; style-src 'self'; frame-ancestors 'self'; base-uri 'none'"


@blueprint.get("/plans/<int:plan_id>/mail")
@requires("push.view", at=plan_place)
def mail(plan_id: int) -> ResponseReturnValue:
    """The mail as a recipient sees it, to be shown in a frame."""
    with reading() as session:
        message = preview(session, plans.get(session, plan_id))
    answer = Response(_page(message), mimetype="text/html")
    answer.headers["Content-Security-Policy"] = _MAIL_POLICY
    return answer


def preview(session: Session, plan: Plan) -> Message:
    """The message of a plan to an invented person; Invalid when its piece is not published."""
    composer = Composer(service(Settings), service(Attributions), Unsubscriptions(service(Keys)))
    someone = Address(0, _("张三"), "zhang.san@example.com")
    letter = composer.letter(session, plan)
    return composer.message(letter, key="preview", address=someone, address_index="00" * 32, outlet="")


def _page(message: Message) -> str:
    return as_page(message.html, url_for("static", filename="css/mail.css"))


def _for_deciders(session: Session, approval: Approval) -> str | None:
    plan = session.get(Plan, int(approval.subject))
    try:
        return _page(preview(session, plan)) if plan else None
    except Invalid:
        return None


approval_kinds.declare(replace(approval_kinds.of(starting.KIND), preview=_for_deciders))
