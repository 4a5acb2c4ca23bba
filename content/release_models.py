"""The table of coming releases: an approved revision and the moment from which it is to be on the site."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark


class ReleaseState(StrEnum):
    """`stopped`: something came between, so it was not published; `note` says what."""

    waiting = "waiting"
    done = "done"
    cancelled = "cancelled"
    stopped = "stopped"


RELEASE_NAMES = {
    ReleaseState.waiting: mark("等待发布"),
    ReleaseState.done: mark("已按时发布"),
    ReleaseState.cancelled: mark("已取消"),
    ReleaseState.stopped: mark("没有发布"),
}


class Release(SQLModel, table=True):
    """One revision at one moment; a piece has at most one release that waits."""

    __tablename__ = "piece_release"
    __table_args__ = (
        Index(
            "piece_release_one_waiting",
            "piece_key",
            unique=True,
            sqlite_where=text("state = 'waiting'"),
            postgresql_where=text("state = 'waiting'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60, index=True)
    revision_id: int = Field(foreign_key="revision.id")
    due_at: datetime = Field(sa_type=UtcDateTime, index=True)
    state: str = Field(default=ReleaseState.waiting.value, max_length=16)
    note: str = Field(default="", max_length=400)
    by: int = Field(foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
