"""What visitors get of a piece that was taken down: words and ways to go on, and no picture of it."""

from dataclasses import dataclass
from datetime import datetime

from flask import Response, jsonify
from sqlmodel import Session

from content import history, lifecycle
from content.listing import PublishedPiece
from content.off_site import withdrawing
from content.off_site.pictures import Withheld
from core.errors import NotFound
from core.http import render, service
from core.i18n import mark
from institution import access

_MORE = 3
_NOT_KEPT = "no-store"


@dataclass(frozen=True)
class GonePage:
    """That a piece was taken down: since when, what may be said of why, and what to read instead."""

    kind: str
    since: datetime | None
    reason: str
    expired: bool
    more: tuple[PublishedPiece, ...]


def page(session: Session, key: str) -> GonePage:
    """The page of a piece that was on the site and is not; NotFound for one that never was."""
    if not withdrawing.was_published(session, key):
        raise NotFound(mark("没有找到这篇内容，可能已经更名或撤下。"))
    last = withdrawing.last(session, key)
    kind = history.get_piece(session, key).kind
    others = lifecycle.published_list(session)
    others.sort(key=lambda one: one.kind == kind, reverse=True)
    return GonePage(
        kind=kind,
        since=last.at if last else None,
        reason=last.public_reason if last else "",
        expired=last is not None and last.cause == withdrawing.EXPIRED,
        more=tuple(others[:_MORE]),
    )


def answer(found: GonePage) -> Response:
    """410: nobody keeps it, so that it is gone when the piece comes back."""
    made = Response(render("content/withdrawn.html", found), 410, mimetype="text/html")
    made.headers["Cache-Control"] = _NOT_KEPT
    return made


def withheld(file: str) -> bool:
    """Whether a picture is not for visitors any more; whoever works on the desk still sees it in previews."""
    return file in service(Withheld) and not access.is_staff()


def withdrawn_now() -> Response:
    """The keys of what is off the site again: screens in halls ask every few seconds."""
    made = jsonify(sorted(service(Withheld).keys()))
    made.headers["Cache-Control"] = _NOT_KEPT
    return made
