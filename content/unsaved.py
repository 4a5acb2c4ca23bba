"""Work that is not saved yet: kept per person and piece while it is written, offered again, thrown away once saved.

It is no revision: nobody else sees it, nothing reviews or publishes it, and it leaves no record (it may never be
meant). Whoever writes at two places at once is told, so that neither place overwrites the other's work unseen.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Column, Text, UniqueConstraint, delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, func, select

from core.database import UtcDateTime
from core.errors import Conflict, Invalid
from core.i18n import mark
from institution import retention
from institution.retention import Rule

DAYS = 30
LONGEST = 200_000  # characters, as of a piece
MOST_NEW = 20  # new pieces that one person has under way; the oldest makes room
_ELSEWHERE = mark("同一篇还有一份没有保存的内容（可能在另一台电脑上）。请刷新页面，先选用哪一份。")


class Unsaved(SQLModel, table=True):
    """What somebody wrote and did not save. `piece_key` and `slot`: one of them names it (a new piece has no key
    yet); `base`: the revision it began with; `media` as in a revision; `version` counts the times it was kept."""

    __tablename__ = "content_unsaved"
    __table_args__ = (UniqueConstraint("staff_id", "piece_key", "slot", name="content_unsaved_once"),)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id")
    piece_key: str = Field(default="", max_length=60)
    slot: str = Field(default="", max_length=24)
    base: int
    text: str = Field(sa_column=Column(Text, nullable=False))
    media: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    version: int
    at: datetime = Field(sa_type=UtcDateTime, index=True)


@dataclass(frozen=True)
class Spot:
    """Whose work on which piece; `slot` tells new pieces apart, which have no key."""

    staff_id: int
    key: str
    slot: str = ""


@dataclass(frozen=True)
class Work:
    """What is kept: the text, its pictures, the revision it began with, and which keeping it follows (0: none)."""

    text: str
    media: dict[str, Any]
    base: int
    follows: int = 0


def find(session: Session, spot: Spot) -> Unsaved | None:
    """The work that is kept at a spot."""
    query = select(Unsaved).where(
        Unsaved.staff_id == spot.staff_id, Unsaved.piece_key == spot.key, Unsaved.slot == _slot(spot)
    )
    return session.exec(query).first()


def new_pieces(session: Session, staff_id: int) -> list[Unsaved]:
    """The new pieces that somebody has under way, newest first."""
    query = select(Unsaved).where(Unsaved.staff_id == staff_id, Unsaved.piece_key == "")
    return list(session.exec(query.order_by(col(Unsaved.at).desc())))


def keep(session: Session, spot: Spot, work: Work, now: datetime) -> Unsaved:
    """Keep what is written now; Conflict when the work kept there is not the one that this follows, Invalid for what
    is no text, or more of it than a piece may have."""
    if "\x00" in work.text or len(work.text) > LONGEST:
        raise Invalid(mark("这不是文字，或者太长（最多 20 万字）。"), field="text")
    kept = session.exec(
        select(Unsaved)
        .where(Unsaved.staff_id == spot.staff_id, Unsaved.piece_key == spot.key, Unsaved.slot == _slot(spot))
        .with_for_update()
    ).first()
    if (kept.version if kept else 0) != work.follows:
        raise Conflict(_ELSEWHERE, field="follows")
    if kept is None:
        _make_room(session, spot)
        kept = Unsaved(
            staff_id=spot.staff_id, piece_key=spot.key, slot=_slot(spot), base=work.base, text=work.text,
            media=work.media, version=0, at=now,
        )  # fmt: skip
    kept.text, kept.media, kept.base, kept.at = work.text, work.media, work.base, now
    kept.version += 1
    session.add(kept)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(_ELSEWHERE, field="follows") from error
    return kept


def forget(session: Session, spot: Spot) -> None:
    """Throw the work at a spot away; nothing is no fault."""
    kept = find(session, spot)
    if kept is not None:
        session.delete(kept)
        session.flush()


def _slot(spot: Spot) -> str:
    return "" if spot.key else spot.slot


def _make_room(session: Session, spot: Spot) -> None:
    if not spot.key:
        for one in new_pieces(session, spot.staff_id)[MOST_NEW - 1 :]:
            session.delete(one)


def _over(session: Session, before: datetime) -> int:
    return session.exec(select(func.count()).select_from(Unsaved).where(col(Unsaved.at) < before)).one()


def _clear(session: Session, before: datetime) -> int:
    return session.connection().execute(delete(Unsaved).where(col(Unsaved.at) < before)).rowcount


retention.declare(
    Rule(
        "content.unsaved",
        mark("写了没有保存的内容（只有本人看得到）"),
        DAYS,
        mark("没有保存就不是版本；一个月没有接着写，多半不要了"),
        count=_over,
        clear=_clear,
    )
)
