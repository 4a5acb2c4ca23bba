"""Tables of the outbox: batches of a push, and one row per recipient."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    UniqueConstraint,
    literal_column,
    text,
)
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime

# SQLite only counts up in a column of exactly the type INTEGER.
_Serial = BigInteger().with_variant(Integer(), "sqlite")


class Batch(SQLModel, table=True):
    """Some recipients of a push, claimed together. `owner` and `lease_until` say who sends it and until when
    that is believed. `rounds` of settled deliveries were named, `counted` of them deposited. `calls` are the numbers
    given to its calls, where many recipients go in a call, and `sending` the one that its worker has in its hands: its
    recipients are not marked one by one. `sent` and the others are its figures once it is settled, so that nobody
    counts a million rows to say how far a push is; `account_id` is the account it went by, when that is not the push's
    own."""

    __tablename__ = "push_batch"
    __table_args__ = (
        UniqueConstraint("push_id", "number"),
        Index("push_batch_claim", "state", "not_before"),
    )

    id: int | None = Field(default=None, primary_key=True)
    key: str = Field(max_length=32, unique=True)
    push_id: int = Field(foreign_key="push.id")
    number: int
    size: int
    channel: str = Field(max_length=16)
    state: str = Field(max_length=16)
    owner: str | None = Field(default=None, max_length=64)
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    attempts: int = 0
    reason: str = Field(default="", max_length=500)
    rounds: int = 0
    counted: int = 0
    calls: int = 0
    sending: int | None = None
    sent: int | None = None
    failed: int = 0
    refused: int = 0
    uncertain: int = 0
    cancelled: int = 0
    account_id: int | None = Field(default=None, foreign_key="channel_account.id")
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


# As it stands in the index of rows that went wrong; a question that says the same is answered by that index.
# Not as a list: SQLite makes a table of it for every row that is written, which was half of settling it.
_WELL = ("queued", "sending", "sent")
TROUBLED = " AND ".join(f"state <> '{one}'" for one in _WELL)
TROUBLE = literal_column(" AND ".join(f"delivery.state <> '{one}'" for one in _WELL), Boolean)


class Delivery(SQLModel, table=True):
    """One recipient of a push: the database refuses the same contact twice, and who cuts leaves out an address that
    stands twice.

    `key` is the idempotency key at the receiver and the Message-ID of the mail: it never changes. `call` is the number,
    within the batch, of the call in which it goes with others, known when it is cut: sent again, a call has the same
    recipients. A row that waits and was tried (`attempts`) is in a call that is in doubt. `sent` means accepted; whether it
    arrived and was opened the platform says later, or never.

    Indexes are in the order in which rows are written, and none holds the state of what goes well: a random one over a
    million addresses cost more than all the rest of cutting, and one with the state more than all the rest of settling.
    The rows of an address are found by the contacts that have it (`writing`).
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("push_id", "contact_id"),
        Index("delivery_batch", "batch_id", "call"),
        Index(
            "delivery_trouble", "push_id", "state",
            sqlite_where=text(TROUBLED), postgresql_where=text(TROUBLED),
        ),
    )  # fmt: skip

    id: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True))
    key: str = Field(max_length=32, unique=True)
    push_id: int = Field(sa_column=Column(Integer, ForeignKey("push.id"), nullable=False))
    batch_id: int = Field(sa_column=Column(Integer, ForeignKey("push_batch.id"), nullable=False))
    contact_id: int
    address_index: str = Field(max_length=64)
    outlet_code: str = Field(default="", max_length=32)
    state: str = Field(max_length=16)
    attempts: int = 0
    reason: str = Field(default="", max_length=500)
    reference: str = Field(default="", max_length=200)
    count_round: int | None = None
    call: int | None = None
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    arrived_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opened_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
