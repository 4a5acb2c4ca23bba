"""The table of API tokens: what programs show instead of a person's session."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from institution.powers import Scope


class ApiToken(SQLModel, table=True):
    """A token of a program: stored as SHA-256 (hex) only; `hint` is its beginning, by which people know it.

    `purposes` names what it may do, separated by spaces; `outlet_code` is the part of the tree it may do it in.
    `used_at` is written at most every few minutes.
    """

    __tablename__ = "api_token"

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=80)
    token_hash: str = Field(max_length=64, unique=True)
    hint: str = Field(max_length=16)
    purposes: str = Field(max_length=200)
    outlet_code: str = Field(default="", max_length=32, index=True)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    made_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    used_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def scope(self) -> Scope:
        """The part of the tree in which this token may act."""
        return Scope(frozenset({self.outlet_code}))

    def may(self, purpose: str) -> bool:
        """Whether this token was given for the purpose."""
        return purpose in self.purposes.split()

    def valid(self, now: datetime) -> bool:
        """Whether it is neither ended nor expired."""
        return self.ended_at is None and self.expires_at > now
