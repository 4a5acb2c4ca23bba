"""What a recipient of a plan will read: in a frame on the plan's page, and before those who approve it."""

from dataclasses import dataclass, replace
from datetime import datetime

from babel.dates import format_skeleton
from flask import Response, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.audience import Address
from campaign.unsubscribe import Unsubscriptions
from core.errors import Invalid
from core.http import reading, service
from core.i18n import current_locale
from core.i18n import gettext as _
from core.settings import Settings
from core.signing import Keys
from institution import approval_kinds
from institution.access import requires
from institution.approval_models import Approval
from scheduler import plan_message, plans, sms_text, starting
from scheduler.channels import registry
from scheduler.channels.base import Look, Message
from scheduler.composer import Composer, as_page
from scheduler.desk.routes import blueprint, plan_place
from scheduler.models import ChannelAccount, Plan
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


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as the phone of its channel shows it. `length` and `parts` count what an SMS is charged as;
    `must_refuse`: its text says nowhere how to refuse more, as a promotion must."""

    look: str
    to_group: bool
    sender: str
    title: str
    summary: str
    text: str
    link: str
    picture: str
    clock: str
    day: str
    length: int = 0
    parts: int = 0
    must_refuse: bool = False


def shown(session: Session, plan: Plan, at: datetime) -> Shown:
    """What the preview draws at this moment; Invalid when its piece is not published."""
    message, kind = preview(session, plan), registry.get(plan.channel)
    account = session.get(ChannelAccount, plan.account_id) if plan.account_id else None
    local, text = at.astimezone(service(Settings).zone), message.text
    if kind.look == Look.sms:
        text = as_sms(plan, message, account)
    return Shown(
        look=kind.look,
        to_group=kind.to_group,
        sender=account.name if account and kind.to_group else service(Settings).institution_name,
        title=message.subject,
        summary=message.summary,
        text=text,
        link=message.link,
        picture=message.picture.removeprefix(service(Settings).public_url),
        clock=f"{local:%H:%M}",
        day=format_skeleton("MMMMEEEEd", local, locale=current_locale()),
        length=sms_text.length(text),
        parts=sms_text.parts(text),
        must_refuse=sms_text.missing_opt_out(text),
    )


def as_sms(plan: Plan, message: Message, account: ChannelAccount | None) -> str:
    """The SMS that a person gets: the signature, then the template's text (the plan's body) with its parameters."""
    sign = next((value for name, value in (account.options if account else {}).items() if "sign" in name), "")
    said = plan_message.rendered(plan.body, message.parameters) if plan.body else message.summary
    return f"【{sign or service(Settings).institution_name}】{said}"


def _page(message: Message) -> str:
    return as_page(message.html, url_for("static", filename="css/mail.css"))


def _for_deciders(session: Session, approval: Approval) -> str | None:
    plan = session.get(Plan, int(approval.subject))
    try:
        return _page(preview(session, plan)) if plan else None
    except Invalid:
        return None


approval_kinds.declare(replace(approval_kinds.of(starting.KIND), preview=_for_deciders))
