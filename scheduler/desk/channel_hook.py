"""The box of an account's page that says at which address its platform tells what became of messages, and what came."""

from dataclasses import dataclass
from datetime import datetime

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.http import service, transaction
from core.i18n import gettext as _
from core.settings import Settings
from institution.access import requires
from scheduler import accounts, hooks
from scheduler.channels import registry
from scheduler.desk.routes import account_place, blueprint
from scheduler.models import ChannelAccount
from scheduler.receipt_models import ChannelHook


@dataclass(frozen=True, slots=True)
class HookBox:
    """The address of an account; `today` and `refused` are of today; `fault` and `refusal` are sentences."""

    address: str
    where: str
    heard_at: datetime | None
    today: int
    refused: int
    refused_at: datetime | None
    refusal: str
    polled_at: datetime | None
    fault: str
    confirm: str


def box_of(session: Session, account: ChannelAccount) -> HookBox | None:
    """What is known of an account's receipts; None where its platform never says anything."""
    hook, settings = session.get(ChannelHook, account.id), service(Settings)
    if hook is None or not hooks.hears(account):
        return None
    same = hook.day == clock.today(settings.zone)
    return HookBox(
        address=settings.public_url.rstrip("/") + hooks.path(account, hook),
        where=_(registry.get(account.channel).where),
        heard_at=hook.heard_at,
        today=hook.today if same else 0,
        refused=hook.refused if same else 0,
        refused_at=hook.refused_at,
        refusal=_(hook.refusal) if hook.refusal else "",
        polled_at=hook.polled_at,
        fault=_(hook.fault) if hook.fault else "",
        confirm=hook.confirm,
    )


@blueprint.post("/channels/<int:account_id>/hook")
@requires("channel.edit", at=account_place)
def renew_hook(account_id: int) -> ResponseReturnValue:
    """Give the account another address for its receipts; the one before is dead at once."""
    with transaction() as session:
        hooks.renew(session, accounts.get(session, account_id), clock.now())
    flash(_("回执地址已更换，请把新地址填到平台。"), "good")
    return redirect(url_for(".channel", account_id=account_id) + "#receipts", code=303)
