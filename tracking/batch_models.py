"""The table of batches: which were taken under which key, so that the same one again changes nothing."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ReachBatch(SQLModel, table=True):
    """A batch that was claimed: its name (a hash of token and key) and the hash of its body.

    Claimed first, kept second: `kept_at` is None between the two, and whoever comes again finishes the work.
    `events` and `unattributed` are what was answered.
    """

    __tablename__ = "reach_batch"

    name: str = Field(primary_key=True, max_length=60)
    body_hash: str = Field(max_length=64)
    token_id: int = Field(index=True)
    claimed_at: datetime = Field(sa_type=UtcDateTime, index=True)
    kept_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    events: int = 0
    unattributed: int = 0
