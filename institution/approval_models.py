"""Tables of four eyes: requests with their steps, paths by kind and place, stand-ins, reviews by guests.

The database itself refuses one's own request, two decisions by one person, and two open requests for a thing.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Column, ForeignKeyConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime

_OPEN = text("decision IS NULL")


class Approval(SQLModel, table=True):
    """A request that others decide on exactly `subject_hash`; open while `decision` is None.

    `decision`: approved, changes, rejected, or withdrawn (which has no decider). `current_step` counts from 1.
    `outlet_code` is the node the thing belongs to, "" for the whole institution.
    """

    __tablename__ = "approval"
    __table_args__ = (
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="four_eyes"),
        CheckConstraint(
            "(decided_by IS NULL) = (decision IS NULL OR decision = 'withdrawn')", name="decision_has_decider"
        ),
        UniqueConstraint("id", "requested_by", name="approval_requester"),
        Index("approval_subject", "kind", "subject"),
        Index(
            "approval_one_open",
            "kind",
            "subject",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=40)
    subject: str = Field(max_length=120)
    subject_hash: str = Field(max_length=64)
    title: str = Field(max_length=300)
    reason: str = Field(default="", max_length=2000)
    outlet_code: str = Field(default="", max_length=32, index=True)
    requested_by: int = Field(foreign_key="staff.id", index=True)
    requested_at: datetime = Field(sa_type=UtcDateTime)
    due_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    current_step: int = 1
    decision: str | None = Field(default=None, max_length=16, index=True)
    decided_by: int | None = Field(default=None, foreign_key="staff.id")
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opinion: str = Field(default="", max_length=2000)


class ApprovalStep(SQLModel, table=True):
    """One step of a request: decided by who holds `permission` over node `outlet_code`.

    `for_staff` is the absent person for whom a stand-in decided; `guest` the name of somebody without account,
    for whom `decided_by`, who invited them, answers.
    """

    __tablename__ = "approval_step"
    __table_args__ = (
        ForeignKeyConstraint(["approval_id", "requested_by"], ["approval.id", "approval.requested_by"]),
        CheckConstraint("decided_by IS NULL OR decided_by <> requested_by", name="step_four_eyes"),
        CheckConstraint(
            "for_staff IS NULL OR (for_staff <> requested_by AND for_staff <> decided_by)",
            name="step_stand_in",
        ),
        CheckConstraint("(decided_by IS NULL) = (decision IS NULL)", name="step_has_decider"),
        UniqueConstraint("approval_id", "number", name="step_number"),
        UniqueConstraint("approval_id", "decided_by", name="step_nobody_twice"),
        UniqueConstraint("approval_id", "for_staff", name="step_nobody_for_twice"),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: int
    requested_by: int
    number: int
    name: str = Field(max_length=60)
    permission: str = Field(max_length=40)
    outlet_code: str = Field(default="", max_length=32)
    decision: str | None = Field(default=None, max_length=16)
    decided_by: int | None = Field(default=None, foreign_key="staff.id", index=True)
    for_staff: int | None = Field(default=None, foreign_key="staff.id")
    guest: str = Field(default="", max_length=60)
    decided_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    opinion: str = Field(default="", max_length=2000)
    reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    overdue_reminded_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class ApprovalPath(SQLModel, table=True):
    """The steps that a kind of request takes in a part of the tree; the path of the nearest node holds.

    `steps` is a list of `{"name", "permission", "at"}`, `at` one of own, province, head. `due_days` is the
    time given to requests that name no due date, None for no limit.
    """

    __tablename__ = "approval_path"
    __table_args__ = (UniqueConstraint("kind", "outlet_code", name="path_place"),)

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(max_length=40)
    outlet_code: str = Field(default="", max_length=32)
    steps: list[dict[str, Any]] = Field(sa_column=Column(JSON, nullable=False))
    due_days: int | None = None
    updated_by: int | None = Field(default=None, foreign_key="staff.id")
    updated_at: datetime = Field(sa_type=UtcDateTime)


class StandIn(SQLModel, table=True):
    """Who decides for whom from `begins_at` to `ends_at`; `ended_at` when it was called off before."""

    __tablename__ = "stand_in"
    __table_args__ = (
        CheckConstraint("absent_id <> stand_in_id", name="stand_in_is_another"),
        CheckConstraint("ends_at > begins_at", name="stand_in_has_time"),
    )

    id: int | None = Field(default=None, primary_key=True)
    absent_id: int = Field(foreign_key="staff.id", index=True)
    stand_in_id: int = Field(foreign_key="staff.id", index=True)
    begins_at: datetime = Field(sa_type=UtcDateTime)
    ends_at: datetime = Field(sa_type=UtcDateTime)
    reason: str = Field(default="", max_length=300)
    created_by: int = Field(foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class GuestReview(SQLModel, table=True):
    """A personal link by which somebody without account decides one step of one request, once.

    The link holds a random token, this row its SHA-256 (hex). The e-mail address is stored encrypted.
    """

    __tablename__ = "guest_review"

    id: int | None = Field(default=None, primary_key=True)
    step_id: int = Field(foreign_key="approval_step.id", index=True)
    subject_hash: str = Field(max_length=64)
    token_hash: str = Field(max_length=64, unique=True)
    name: str = Field(max_length=60)
    email_sealed: str = Field(default="", max_length=600)
    note: str = Field(default="", max_length=1000)
    invited_by: int = Field(foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    revoked_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
