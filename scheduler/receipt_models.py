"""Tables of what platforms say later: the address each account is told at, receipts that came too early, what they add up to."""

from datetime import date, datetime

from sqlalchemy import JSON, BigInteger, Column, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime

_Serial = BigInteger().with_variant(Integer(), "sqlite")


class ChannelHook(SQLModel, table=True):
    """Where an account is told what became of its messages. `token` is the part of the address nobody guesses.

    `today` and `refused` count the calls of `day` (the institution's) that were believed and that were not. From
    `poll_at` on it is asked for by who takes the lease (`poll_owner`, believed until `poll_until`); None: nothing is
    asked for. `cursor` is the last delivery that was asked about; `fault` says what went wrong the last time.
    `confirm` is the platform's address at which a person agrees to be told, until it has told something.
    """

    __tablename__ = "channel_hook"

    account_id: int = Field(foreign_key="channel_account.id", primary_key=True)
    token: str = Field(max_length=64, unique=True)
    made_at: datetime = Field(sa_type=UtcDateTime)
    heard_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    day: date | None = None
    today: int = 0
    refused: int = 0
    refused_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    refusal: str = Field(default="", max_length=200)
    confirm: str = Field(default="", max_length=2000)
    poll_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)
    poll_owner: str = Field(default="", max_length=32)
    poll_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    polled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    fault: str = Field(default="", max_length=500)
    cursor: int = Field(default=0, sa_type=BigInteger)


class KeptReceipt(SQLModel, table=True):
    """A receipt (or the heads of a call, `counts`) that was faster than our own settling: tried again from `not_before`
    on. It holds no address, only its hash."""

    __tablename__ = "kept_receipt"
    __table_args__ = (
        UniqueConstraint("account_id", "reference", "address_index", "what", name="kept_receipt_once"),
    )

    id: int | None = Field(default=None, sa_column=Column(_Serial, primary_key=True))
    account_id: int = Field(foreign_key="channel_account.id")
    reference: str = Field(max_length=200)
    address_index: str = Field(default="", max_length=64)
    key: str | None = Field(default=None, max_length=64)
    what: str = Field(max_length=16)
    reason: str = Field(default="", max_length=500)
    closes: str = Field(default="", max_length=16)
    counts: dict[str, int] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    tries: int = 0
    kept_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime, index=True)


class PushReceived(SQLModel, table=True):
    """What the receipts of a push add up to: so many of its recipients arrived at, failed after all, opened it, were
    cleared of doubt."""

    __tablename__ = "push_received"

    push_id: int = Field(foreign_key="push.id", primary_key=True)
    arrived: int = 0
    failed: int = 0
    opened: int = 0
    cleared: int = 0


class PushTally(SQLModel, table=True):
    """How one call of a push ended in heads, where the platform does not say whose; the last word replaces the one before."""

    __tablename__ = "push_tally"

    push_id: int = Field(foreign_key="push.id", primary_key=True)
    reference: str = Field(max_length=200, primary_key=True)
    total: int | None = None
    filtered: int | None = None
    reached: int | None = None
    failed: int | None = None
    shown: int | None = None
    clicked: int | None = None
    at: datetime = Field(sa_type=UtcDateTime)


class ReachCorrection(SQLModel, table=True):
    """A delivery that was counted as reached and failed after all: to be counted back once, under the name `batch`."""

    __tablename__ = "reach_correction"

    delivery_id: int = Field(sa_column=Column(BigInteger(), primary_key=True, autoincrement=False))
    batch: str = Field(default="", max_length=40, index=True)
    done: bool = Field(default=False, index=True)
    at: datetime = Field(sa_type=UtcDateTime)
