"""The public page by which a person says no, or what they want: a GET only shows, a POST changes at once."""

from dataclasses import dataclass

from flask import Blueprint, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign import audience, consents, serials
from campaign.consents import Choice
from campaign.contacts import CHANNEL_NAMES, DIARY, PURPOSE_NAMES
from campaign.unsubscribe import Said, Unsubscriptions
from core import clock
from core.http import reading, render, service, transaction
from core.i18n import current_locale
from core.i18n import gettext as _
from core.signing import Keys
from institution import access, audit
from institution.audit import Actor

blueprint = Blueprint("audience", __name__, template_folder="templates")

# Whoever holds the link: neither their name nor their network address is kept.
VISITOR = Actor(None, "visitor", "visitor")


@dataclass(frozen=True, slots=True)
class ChannelChoice:
    """One channel on the page: stopped for good, or a box for each purpose (value, name, words, ticked)."""

    name: str
    stopped: bool
    boxes: list[tuple[str, str, str, bool]]


@dataclass(frozen=True, slots=True)
class UnsubscribePage:
    """What the page says: the channel, whether it is stopped, what else can be chosen, whether that was saved."""

    channel: str
    done: bool
    choices: list[ChannelChoice]
    saved: bool = False
    everything: bool = False
    diary: bool = False  # the letter was one of the diary, or they left it just now
    left: bool = False


@blueprint.get("/u/<token>")
def unsubscribe_page(token: str) -> ResponseReturnValue:
    """Ask once more; mail scanners open every link, so looking changes nothing."""
    said = Unsubscriptions(service(Keys)).read(token)
    with reading() as session:
        return _page(session, said)


@blueprint.post("/u/<token>")
@access.public
def unsubscribe(token: str) -> ResponseReturnValue:
    """Unsubscribe by the button or by the mail program itself (RFC 8058: no cookie, no sign-in, no CSRF); save
    what the person wants; or stop everything.

    What a mail program posts means what the letter was about: of a letter of the diary the diary, else the channel.
    """
    said = Unsubscriptions(service(Keys)).read(token)
    by_program = request.form.get("List-Unsubscribe") == "One-Click"
    asked = "" if by_program else request.form.get("from", "")
    if not asked and said.about == DIARY:
        asked = "diary"
    with audit.acting(VISITOR), transaction() as session:
        if asked == "preferences":
            _choose(session, said)
        elif asked == "everything":
            consents.stop_everything(session, said.channel, said.address_index, now=clock.now())
        elif asked == "diary":
            via = "one-click" if by_program else "page"
            serials.leave(session, said.channel, said.address_index, via=via, now=clock.now())
        else:
            via = "page" if asked == "page" or not request.form.get("List-Unsubscribe") else "one-click"
            audience.refuse(session, said.channel, said.address_index, via=via, now=clock.now())
        return _page(session, said, asked)


def _choose(session: Session, said: Said) -> None:
    wanted = {
        (kind, purpose) for box in request.form.getlist("want") for kind, _at, purpose in [box.partition(":")]
    }
    consents.choose(session, said.channel, said.address_index, wanted, now=clock.now())


def _page(session: Session, said: Said, asked: str = "") -> str:
    words = consents.words(session, clock.now(), current_locale())
    found = [
        ChannelChoice(_(CHANNEL_NAMES[one.channel]), one.stopped, _boxes(one, words))
        for one in consents.choices(session, said.channel, said.address_index)
    ]
    done = audience.is_refused(session, said.channel, said.address_index)
    name = _(CHANNEL_NAMES[said.channel])
    page = UnsubscribePage(
        name, done, found, saved=asked == "preferences", everything=asked == "everything",
        diary=said.about == DIARY or asked == "diary",
        left=serials.has_left(session, said.channel, said.address_index),
    )  # fmt: skip
    return render("campaign/unsubscribe.html", page)


def _boxes(choice: Choice, words: dict[str, consents.Words]) -> list[tuple[str, str, str, bool]]:
    return [
        (f"{choice.channel}:{purpose}", _(name), words[purpose].text, purpose in choice.wanted)
        for purpose, name in PURPOSE_NAMES.items()
    ]
