"""Writes the messages of a push: text, HTML, links that carry their attribution, the way to say no."""

import re
import secrets
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import escape
from sqlmodel import Session

from campaign.audience import Address
from campaign.unsubscribe import Unsubscriptions
from content import drawn
from content.lifecycle import PublishedPiece
from core.i18n import gettext, using_locale
from core.settings import Settings
from scheduler import openings, plan_message
from scheduler.channels import registry
from scheduler.channels.base import Message
from scheduler.models import Plan, Push
from scheduler.plan_form import published
from scheduler.plan_message import Pairs
from tracking.attribution import PARAMETER, Attribution, Attributions

_URL = re.compile(r"https?://[^\s<>\"'，。；、）》」]+[^\s<>\"'，。；、）》」.,;:!?)]")
# Marks in a form, of characters that no text has (private use): of a name, of the way to say no; and what stands in
# a link for the message's key, which has its form.
_NAME, _NO = "\ue000name\ue001", "\ue000no\ue001"
_KEY = secrets.token_hex(16)
_FORMS = 1000  # letters of outlets that are kept
_TEMPLATES = Path(__file__).resolve().parent / "templates" / "scheduler"
# A mail carries its style sheet within; a preview on the desk links to the same file, as its policy asks.
_STYLES = Path(__file__).resolve().parent.parent / "static" / "css"
_STYLE = re.compile(r"<style>.*?</style>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a paragraph: plain text, or a link with its address."""

    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Mail:
    """What the mail templates see."""

    institution: str
    hotline: str
    kicker: str
    title: str
    name: str
    paragraphs: list[list[Part]]
    link: str
    has_piece: bool
    minutes: int
    unsubscribe: str
    locale: str


@dataclass(frozen=True, slots=True)
class Letter:
    """The content of a push, read once per batch."""

    subject: str
    body: str
    kicker: str
    path: str
    has_piece: bool
    minutes: int
    campaign: str
    channel: str
    summary: str = ""
    picture: str = ""
    template: str = ""
    parameters: Pairs = ()
    purpose: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """A letter but for what differs from person to person."""

    text: str
    html: str
    link: str


class Composer:
    """Makes a `Letter` of a push and from it one `Message` per recipient, in the institution's language."""

    def __init__(
        self, settings: Settings, attributions: Attributions, unsubscriptions: Unsubscriptions
    ) -> None:
        self._settings = settings
        self._attributions = attributions
        self._unsubscriptions = unsubscriptions
        self._templates = Environment(
            loader=FileSystemLoader([_TEMPLATES, _STYLES]),
            autoescape=select_autoescape(["html"]),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals["_"] = gettext
        self._html = self._templates.get_template("mail.html")
        self._text = self._templates.get_template("mail.txt")
        self._form = lru_cache(_FORMS)(self._written)

    def letter(self, session: Session, push: Push | Plan) -> Letter:
        """The content of a push (or of a plan, for its preview); Invalid when its piece is not published."""
        piece = published(session, push.piece_key) if push.piece_key else None
        return Letter(
            subject=push.subject or self._text_of(piece, "title"),
            body=push.body or self._text_of(piece, "summary"),
            kicker=piece.kicker if piece else "",
            path=_path(piece, push.campaign),
            has_piece=piece is not None,
            minutes=(piece.minutes or 0) if piece else 0,
            campaign=push.campaign,
            channel=push.channel,
            summary=push.summary or " ".join((self._text_of(piece, "summary") or push.body).split())[:300],
            picture=self._settings.public_url + drawn.address(piece.cover_url)
            if piece and piece.cover_url
            else "",
            template=push.template,
            parameters=tuple((name, value) for name, value in push.parameters),
            purpose=push.purpose,
        )

    def message(
        self, letter: Letter, *, key: str, address: Address, address_index: str, outlet: str
    ) -> Message:
        """The message to one recipient; links carry campaign, the recipient's outlet and the channel.

        A message into a group goes to nobody by name, and nobody can refuse it alone. What is the same for all of an
        outlet is written once: a recipient's name, their way to say no, and where each has a link of their own what says
        in which message it stood, are put into it.
        """
        form = self._form(letter, outlet, bool(address.name))
        unsubscribe = ""
        if not registry.to_group(letter.channel):
            unsubscribe = self._settings.public_url + self._unsubscriptions.path(
                letter.channel, address_index, letter.purpose
            )
        text, html, link = form.text, form.html, form.link
        if registry.tells_openings(letter.channel):
            text, html, link = (one.replace(_KEY, key) for one in (text, html, link))
        text = text.replace(_NO, unsubscribe)
        html = html.replace(_NO, str(escape(unsubscribe)))
        if address.name:  # last: whatever somebody is called, nothing is put into it
            text, html = text.replace(_NAME, address.name), html.replace(_NAME, str(escape(address.name)))
        return Message(
            key, address.address, address.name, letter.subject, text, html, link, unsubscribe,
            self._settings.locale, letter.summary, letter.picture, letter.template,
            self._filled(letter, address.name, link) if letter.parameters else (),
        )  # fmt: skip

    def _filled(self, letter: Letter, name: str, link: str) -> Pairs:
        settings = self._settings
        institution = settings.institution_name_en if settings.locale == "en" else settings.institution_name
        return plan_message.filled(
            letter.parameters, name=name, link=link, institution=institution, title=letter.subject
        )

    def _written(self, letter: Letter, outlet: str, named: bool) -> Form:
        """The letter for an outlet, with marks where a name, the way to say no and the message's own key belong."""
        token = self._attributions.sign(Attribution(letter.campaign, outlet, letter.channel))
        no = "" if registry.to_group(letter.channel) else _NO
        key = _KEY if registry.tells_openings(letter.channel) else ""
        with using_locale(self._settings.locale):
            mail = self._mail(letter, _NAME if named else "", token, no, key)
            return Form(self._text.render(mail=mail), self._html.render(mail=mail), mail.link)

    def _mail(self, letter: Letter, name: str, token: str, unsubscribe: str, key: str) -> Mail:
        settings = self._settings
        english = settings.locale == "en"
        return Mail(
            institution=settings.institution_name_en if english else settings.institution_name,
            hotline=settings.hotline,
            kicker=letter.kicker,
            title=letter.subject,
            name=name,
            paragraphs=[
                self._parts(text, token, key) for text in re.split(r"\n\s*\n", letter.body) if text.strip()
            ],
            link=f"{settings.public_url}{openings.marked(letter.path, key)}?{PARAMETER}={token}",
            has_piece=letter.has_piece,
            minutes=letter.minutes,
            unsubscribe=unsubscribe,
            locale=settings.locale,
        )

    def _parts(self, text: str, token: str, key: str) -> list[Part]:
        """A paragraph cut into text and links; links to our own site get the token, and say in which message they stood."""
        parts, end = [], 0
        for found in _URL.finditer(text.strip()):
            parts += [
                Part(text.strip()[end : found.start()]),
                Part(found[0], self._attributed(found[0], token, key)),
            ]
            end = found.end()
        return [part for part in [*parts, Part(text.strip()[end:])] if part.text]

    def _attributed(self, url: str, token: str, key: str) -> str:
        own = self._settings.public_url
        if url != own and not url.startswith((own + "/", own + "?", own + "#")):
            return url
        parts = urlsplit(url)
        query = "&".join(filter(None, [parts.query, f"{PARAMETER}={token}"]))
        base = urlsplit(own).path
        path = base + openings.marked(parts.path.removeprefix(base) or "/", key)
        return urlunsplit(parts._replace(path=path if key else parts.path, query=query))

    def _text_of(self, piece: PublishedPiece | None, name: str) -> str:
        if piece is None:
            return ""
        english = getattr(piece, f"{name}_en") if self._settings.locale == "en" else ""
        return str(english or getattr(piece, name))


def as_page(html: str, style_url: str) -> str:
    """The mail as a page of a site that allows no inline styles: its style sheet is linked instead."""
    return _STYLE.sub(lambda _found: f'<link rel="stylesheet" href="{style_url}">', html, count=1)


def _path(piece: PublishedPiece | None, campaign: str) -> str:
    if piece is not None:
        return piece.url
    return f"/c/{campaign}" if campaign else "/"
