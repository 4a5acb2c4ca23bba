"""The public pages by which somebody subscribes to the diary: type an address, open the letter, press once more."""

from dataclasses import dataclass

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from campaign import consents, serials
from campaign.contacts import EDUCATION
from campaign.serials import SerialLinks
from core import clock
from core.errors import Conflict, Invalid
from core.http import reading, render, service, transaction
from core.i18n import current_locale
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from institution import access, audit, letters
from institution.audit import Actor

blueprint = Blueprint("serials", __name__, template_folder="templates")
# Whoever holds the link: neither their name nor their network address is kept.
VISITOR = Actor(None, "visitor", "visitor")


@dataclass(frozen=True, slots=True)
class SubscribePage:
    """One of the steps: `form`, `sent`, `confirm`, `done`; `words` are what people agree to."""

    step: str
    words: str = ""
    possible: bool = True
    error: str = ""
    email: str = ""


@blueprint.get("/diary/subscribe")
def subscribe_page() -> ResponseReturnValue:
    """What comes, how often, how to stop, and the field for the address."""
    return _form()


@blueprint.post("/diary/subscribe")
@access.public
def subscribe() -> ResponseReturnValue:
    """Write to the address; the page says the same whether it is known or not."""
    settings, vault = service(Settings), service(Vault)
    typed = request.form.get("email", "")[:200]
    if not letters.possible(settings) or not request.form.get("agree"):
        return _form(typed), 400
    links = SerialLinks(service(Keys), vault)
    try:
        with transaction() as session:
            serials.ask(session, vault, settings, links, typed, language=current_locale(), now=clock.now())
    except Invalid as error:
        return _form(typed, str(error)), 400
    return render("campaign/serial_subscribe.html", SubscribePage("sent"))


@blueprint.get("/diary/subscribe/<token>")
def confirm_page(token: str) -> ResponseReturnValue:
    """Ask once more; mail scanners open every link, so looking changes nothing."""
    SerialLinks(service(Keys), service(Vault)).read(token, clock.now())
    return render("campaign/serial_subscribe.html", SubscribePage("confirm", _words()))


@blueprint.post("/diary/subscribe/<token>")
@access.public
def confirm(token: str) -> ResponseReturnValue:
    """Subscribe the holder of the address."""
    now = clock.now()
    wish = SerialLinks(service(Keys), service(Vault)).read(token, now)
    try:
        with audit.acting(VISITOR), transaction() as session:
            serials.confirm(session, service(Vault), wish, now=now)
    except Conflict as error:
        return render("campaign/serial_subscribe.html", SubscribePage("refused", error=str(error))), 409
    return render("campaign/serial_subscribe.html", SubscribePage("done"))


def _form(email: str = "", error: str = "") -> str:
    possible = letters.possible(service(Settings))
    return render("campaign/serial_subscribe.html", SubscribePage("form", _words(), possible, error, email))


def _words() -> str:
    with reading() as session:
        return consents.words(session, clock.now(), current_locale())[EDUCATION].text
