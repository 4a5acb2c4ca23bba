"""Joining a session: a nickname that may be shown in a hall, no two alike, and a member for it."""

import hashlib
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, func, select

from campaign.play_sessions.hosting import LARGEST
from campaign.play_sessions.models import PlayMember, PlaySession
from content.rooms.result import named
from core.errors import Conflict, Invalid
from core.i18n import mark


@dataclass(frozen=True, slots=True)
class Joining:
    """What somebody typed who joins: a nickname, unless they would rather not appear; `ticket` is the form's own."""

    nickname: str
    hidden: bool = False
    ticket: str = ""


def join(session: Session, one: PlaySession, wanted: Joining, *, now: datetime) -> PlayMember:
    """A new member. Invalid or Conflict says what is wrong with the nickname, or that the session is full or over.

    Of many who ask for the same nickname in the same moment the database lets one have it; the same form sent again
    finds the member that it made.
    """
    if not one.is_open(now):
        raise Conflict(mark("这一场已经结束。您可以自己玩一局。"))
    name = named(wanted.nickname)
    if not name and not wanted.hidden:
        raise Invalid(mark("请写一个昵称，或者勾选“不上大屏”。"), field="nickname")
    inside = select(func.count()).select_from(PlayMember).where(PlayMember.session_id == one.id)
    if session.exec(inside).one() >= LARGEST:
        raise Conflict(mark("这一场已经有 %(most)s 人，请等下一场。"), most=LARGEST)
    again = _of_form(session, one, wanted)
    if again is not None:
        return again
    member = PlayMember(
        session_id=one.id or 0,
        nickname=name,
        name_key=compared(name) if name else f"#{secrets.token_hex(12)}",
        hidden=wanted.hidden,
        ticket_hash=hashed(wanted.ticket) if wanted.ticket else "",
        joined_at=now,
    )
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError as error:
        raise Conflict(mark("这个昵称这一场已有人用，请换一个。"), field="nickname") from error
    return member


def _of_form(session: Session, one: PlaySession, wanted: Joining) -> PlayMember | None:
    """The member that this very form made; once they have opened a lock the form is of no use any more."""
    if not wanted.ticket:
        return None
    query = select(PlayMember).where(
        PlayMember.session_id == one.id,
        PlayMember.ticket_hash == hashed(wanted.ticket),
        PlayMember.opened == 0,
        PlayMember.ending == "",
    )
    return session.exec(query).first()


def compared(name: str) -> str:
    """A nickname as it is compared: without signs between and without capitals."""
    return re.sub(r"[\W_]+", "", name).casefold() or name


def seat(session: Session, member: PlayMember, play: str, locks: int) -> None:
    """Give a member their one play; only its hash is kept."""
    mine = update(PlayMember).where(col(PlayMember.id) == member.id)
    session.connection().execute(mine.values(play_hash=hashed(play), locks=locks))


def hashed(play: str) -> str:
    """What is kept of the number of a play."""
    return hashlib.sha256(play.encode()).hexdigest()
