"""More tables of the audience: addresses of any channel, groups, closed addresses, segments, purposes refused."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import KEY_ALONE, UtcDateTime


class ContactAddress(SQLModel, table=True):
    """Where a person is reached on a channel that `contact` has no column for: one address a channel.

    `sealed` is ciphertext (a browser's subscription is a short document), `address_index` the keyed hash.
    """

    __tablename__ = "contact_address"

    id: int | None = Field(default=None, primary_key=True)
    contact_id: int = Field(foreign_key="contact.id")
    channel: str = Field(max_length=16)
    sealed: str = Field(max_length=4000)
    address_index: str = Field(max_length=64, index=True)
    since: datetime = Field(sa_type=UtcDateTime)

    __table_args__ = (UniqueConstraint("contact_id", "channel", name="contact_address_channel"),)


class ContactGroup(SQLModel, table=True):
    """A person belongs to a group of `groups.GROUPS`."""

    __tablename__ = "contact_group"
    __table_args__ = (Index("ix_contact_group_name", "name", "contact_id"), KEY_ALONE)

    contact_id: int = Field(foreign_key="contact.id", primary_key=True)
    name: str = Field(max_length=24, primary_key=True)


class ClosedAddress(SQLModel, table=True):
    """An address that takes nothing more on a channel, and why. By hash alone, like a refusal."""

    __tablename__ = "closed_address"

    channel: str = Field(max_length=16, primary_key=True)
    address_index: str = Field(max_length=64, primary_key=True)
    reason: str = Field(max_length=16, index=True)
    via: str = Field(max_length=40)
    at: datetime = Field(sa_type=UtcDateTime, index=True)


class PurposeRefusal(SQLModel, table=True):
    """An address that wants nothing of one purpose on a channel, and takes the rest."""

    __tablename__ = "purpose_refusal"

    channel: str = Field(max_length=16, primary_key=True)
    address_index: str = Field(max_length=64, primary_key=True)
    purpose: str = Field(max_length=16, primary_key=True)
    refused_at: datetime = Field(sa_type=UtcDateTime)
    via: str = Field(max_length=40)


class ConsentText(SQLModel, table=True):
    """The words to which people agree, by purpose: a version stands from its day on and is never changed."""

    __tablename__ = "consent_text"

    version: str = Field(primary_key=True, max_length=60)
    purpose: str = Field(max_length=16, index=True)
    text: str = Field(max_length=1000)
    text_en: str = Field(default="", max_length=1800)
    valid_from: datetime = Field(sa_type=UtcDateTime)


class Segment(SQLModel, table=True):
    """A saved filter over the contacts that a node holds; `filters` is a `segments.Filters` as JSON."""

    __tablename__ = "segment"
    __table_args__ = (UniqueConstraint("outlet_code", "name", name="segment_name"),)

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    outlet_code: str = Field(default="", max_length=32, index=True)
    filters: str = Field(max_length=8000)
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)
