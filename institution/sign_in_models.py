"""Tables of signing in: tries that slow the next one down, recovery codes, invitations."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class SignInTry(SQLModel, table=True):
    """Wrong tries under one key (a hash of an account with a device or network, or of an address).

    The keys are hashes under the installation's secret: the table names neither a login nor an address.
    """

    __tablename__ = "sign_in_try"

    key: str = Field(primary_key=True, max_length=64)
    count: float = 0.0
    tried_at: datetime = Field(sa_type=UtcDateTime, index=True)


class RecoveryCode(SQLModel, table=True):
    """One of ten codes for the day when the telephone is lost: stored as SHA-256 (hex), used once."""

    __tablename__ = "recovery_code"

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    code_hash: str = Field(max_length=64)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Invitation(SQLModel, table=True):
    """A link with which somebody sets their first password: expires, works once, stored as SHA-256 (hex)."""

    __tablename__ = "invitation"

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    token_hash: str = Field(max_length=64, unique=True)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
