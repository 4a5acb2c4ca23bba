"""The table of what readers say."""

from datetime import date

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel


class PieceVoice(SQLModel, table=True):
    """One answer: whether a revision helped, a reason (key), words (masked, encrypted). `visitor` is a hash of the day
    and the piece."""

    __tablename__ = "piece_voice"
    __table_args__ = (UniqueConstraint("piece_key", "day", "visitor", name="piece_voice_once"),)

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    day: date = Field(index=True)
    visitor: str = Field(max_length=22)
    helpful: bool
    reason: str = Field(default="", max_length=16)
    words_sealed: str = ""
