"""What is done to an account: a new secret, closing and opening, one message to try it."""

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import Invalid
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import requires
from scheduler import accounts, trying
from scheduler.desk.channel_page import held, once, page_of, say, values_of
from scheduler.desk.routes import account_place, blueprint
from scheduler.jobs import Outgoing


@blueprint.post("/channels/<int:account_id>/secret")
@requires("channel.edit", at=account_place)
def replace_secret(account_id: int) -> ResponseReturnValue:
    """Give the account a new secret: typed, or made and shown this once."""
    try:
        with transaction() as session:
            secret = request.form.get("secret", "")
            shown = accounts.replace_secret(session, account_id, held=held(), secret=secret, now=clock.now())
    except Invalid as error:
        with reading() as session:
            account = accounts.get(session, account_id)
            return render("scheduler/channel.html", page_of(session, account, values_of(account), error)), 400
    if not shown:
        flash(_("密钥已更换。"), "good")
        return redirect(url_for(".channel", account_id=account_id), code=303)
    return once(account_id, shown)


@blueprint.post("/channels/<int:account_id>/<any(close, open):action>")
@requires("channel.edit", at=account_place)
def act_on_channel(account_id: int, action: str) -> ResponseReturnValue:
    """Close or open an account."""
    with transaction() as session:
        halted = accounts.set_active(session, account_id, action == "open", now=clock.now())
    say(_("渠道账号已启用。") if action == "open" else _("渠道账号已停用。"), halted)
    return redirect(url_for(".channel", account_id=account_id), code=303)


@blueprint.post("/channels/<int:account_id>/test")
@requires("channel.edit", at=account_place)
def try_channel(account_id: int) -> ResponseReturnValue:
    """Send one message by the account to an address that is typed; noted first, so that no try goes unnoticed."""
    to = request.form.get("to", "")
    with transaction() as session:
        account = accounts.get(session, account_id)
        address = trying.begin(session, account, to, now=clock.now())
        opened = service(Outgoing).dispatcher.opener.account(account)
    message = trying.message(
        address, service(Settings), request.form.get("template", ""), request.form.get("parameters", "")
    )
    fault = trying.send(service(Outgoing).dispatcher.channels[account.channel], opened, message)
    flash(_(fault) if fault else _("测试消息已交给平台，请在收件的一边看一看。"), "bad" if fault else "good")
    return redirect(url_for(".channel", account_id=account_id), code=303)
