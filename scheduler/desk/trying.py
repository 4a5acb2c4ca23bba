"""A plan sent to oneself before anybody else gets it: the very message, to one address, noted and not often."""

import uuid
from dataclasses import replace

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import Invalid
from core.http import service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution.access import requires
from scheduler import plans, trying
from scheduler.account_secrets import mail_server
from scheduler.channels import registry
from scheduler.channels.base import Account
from scheduler.desk.preview import preview
from scheduler.desk.routes import blueprint, plan_place
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Plan


@blueprint.post("/plans/<int:plan_id>/try")
@requires("push.edit", at=plan_place)
def try_plan(plan_id: int) -> ResponseReturnValue:
    """Send the plan's message to one address; a try into a group is for who may run pushes of the channel's account."""
    with transaction() as session:
        plan = plans.get(session, plan_id)
        message = preview(session, plan)
        address = (
            "" if registry.to_group(plan.channel) else trying.checked_address(request.form.get("to", ""))
        )
        account = _opened(session, plan)
        trying.note_plan(session, plan, address, now=clock.now())
    one = replace(message, key=uuid.uuid4().hex, address=address, name="")
    fault = trying.send(service(Outgoing).dispatcher.channels[plan.channel], account, one)
    flash(_(fault) if fault else _("测试消息已交给平台，请在收件的一边看一看。"), "bad" if fault else "good")
    return redirect(url_for(".show", plan_id=plan_id), code=303)


def _opened(session: Session, plan: Plan) -> Account:
    if plan.account_id is None:
        return mail_server(service(Settings))
    row = session.get(ChannelAccount, plan.account_id)
    if row is None or not row.active:
        raise Invalid(mark("这个渠道账号已停用，启用后再试。"), field="account_id")
    return service(Outgoing).dispatcher.opener.account(row)
