"""A reader's answer to "did this help?": the last one of the day counts, and nothing in it says whose it is."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from content import history
from content.check.personal import masked
from content.models import Revision, State
from content.voices.models import PieceVoice
from core.database import inserting
from core.errors import Invalid, NotFound
from core.i18n import mark
from core.privacy import Vault
from core.signing import Keys

LONGEST = 200
YES = {
    "clear": mark("讲得清楚"),
    "done": mark("照着办成了"),
    "tell": mark("要讲给家里人听"),
}
NO = {
    "hard": mark("看不懂"),
    "missing": mark("没有我要找的"),
    "wrong": mark("有错，或者过时了"),
    "failed": mark("照着做，没办成"),
    "reading": mark("字小、图不清、打不开"),
}
REASONS = {**YES, **NO}


@dataclass(frozen=True, slots=True)
class Said:
    """An answer as the form brings it."""

    helpful: bool
    reason: str = ""
    words: str = ""


def said(form: Mapping[str, str]) -> Said:
    """Read the form; Invalid when it does not say yes or no, or says too much."""
    if form.get("helpful") not in ("1", "0"):
        raise Invalid(mark("请点“有用”或“没帮上”。"), field="helpful")
    helpful = form["helpful"] == "1"
    reason, words = form.get("reason", ""), " ".join(form.get("words", "").split())
    if len(words) > LONGEST:
        raise Invalid(mark("请写短一点，不超过 %(most)s 字。"), field="words", most=LONGEST)
    return Said(helpful, reason if reason in (YES if helpful else NO) else "", masked(words))


def who(keys: Keys, visitor: int, key: str, day: date) -> str:
    """What tells a visitor of a piece from another for a day."""
    digest = hmac.digest(keys.derive("content/voices"), f"{visitor}:{key}:{day}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


def give(session: Session, vault: Vault, key: str, number: int, answer: Said, *, who: str, day: date) -> None:
    """Keep an answer about revision `number` of a piece, instead of the same visitor's earlier one of the day.

    NotFound when the piece is not on the site; about a revision that was replaced meanwhile it still counts for that.
    """
    revision = _revision(session, key, number)
    values = {
        "revision_id": revision.id,
        "helpful": answer.helpful,
        "reason": answer.reason,
        "words_sealed": vault.encrypt(answer.words) if answer.words else "",
    }
    insert = inserting(session.get_bind().dialect)
    made = insert(PieceVoice).values(piece_key=key, day=day, visitor=who, **values)
    session.execute(made.on_conflict_do_update(index_elements=["piece_key", "day", "visitor"], set_=values))


def _revision(session: Session, key: str, number: int) -> Revision:
    current = history.published_revision(session, key)
    if current is None:
        raise NotFound(mark("没有找到这篇内容，可能已经更名或撤下。"))
    if current.number == number:
        return current
    try:
        read = history.by_number(session, key, number)
    except NotFound:
        return current
    return read if read.state == State.superseded else current
