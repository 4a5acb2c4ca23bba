"""The public page by which a person says no: a GET only shows a button, a POST unsubscribes at once."""

from dataclasses import dataclass

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from campaign import audience
from campaign.contacts import CHANNEL_NAMES
from campaign.unsubscribe import Unsubscriptions
from core import clock
from core.http import reading, render, service, transaction
from core.i18n import gettext as _
from core.signing import Keys
from institution import access, audit
from institution.audit import Actor

blueprint = Blueprint("audience", __name__, template_folder="templates")

# Whoever holds the link: neither their name nor their network address is kept.
VISITOR = Actor(None, "visitor", "visitor")


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What the page says: the channel, and whether it is done."""

    channel: str
    done: bool


@blueprint.get("/u/<token>")
def unsubscribe_page(token: str) -> ResponseReturnValue:
    """Ask once more; mail scanners open every link, so looking changes nothing."""
    said = Unsubscriptions(service(Keys)).read(token)
    with reading() as session:
        done = audience.is_refused(session, said.channel, said.address_index)
    return render("campaign/unsubscribe.html", UnsubscribePage(_(CHANNEL_NAMES[said.channel]), done))


@blueprint.post("/u/<token>")
@access.public
def unsubscribe(token: str) -> ResponseReturnValue:
    """Unsubscribe: by the button, or by the mail program itself (RFC 8058: no cookie, no sign-in, no CSRF)."""
    said = Unsubscriptions(service(Keys)).read(token)
    one_click = request.form.get("List-Unsubscribe") == "One-Click"
    with audit.acting(VISITOR), transaction() as session:
        via = "one-click" if one_click else "page"
        audience.refuse(session, said.channel, said.address_index, via=via, now=clock.now())
    return render("campaign/unsubscribe.html", UnsubscribePage(_(CHANNEL_NAMES[said.channel]), done=True))
