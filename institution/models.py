"""Tables of the institution: outlets with their dated spans, staff with their grants and sessions."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark


class OutletKind(StrEnum):
    """Levels of the tree, from the top; a parent is of a higher level than its child."""

    head_office = "head_office"
    province = "province"
    city = "city"
    county = "county"
    outlet = "outlet"


OUTLET_KIND_NAMES = {
    OutletKind.head_office: mark("总公司"),
    OutletKind.province: mark("省级分公司"),
    OutletKind.city: mark("地市公司"),
    OutletKind.county: mark("县支公司"),
    OutletKind.outlet: mark("柜面网点"),
}


class Outlet(SQLModel, table=True):
    """A node of the tree as it stands now; `code` is the institution's own and never changes."""

    __tablename__ = "outlet"

    code: str = Field(primary_key=True, max_length=32)
    name: str = Field(max_length=120)
    kind: str = Field(max_length=16, index=True)
    parent_code: str | None = Field(default=None, foreign_key="outlet.code", index=True)
    province: str = Field(default="", max_length=40, index=True)
    city: str = Field(default="", max_length=40, index=True)
    county: str = Field(default="", max_length=40)
    address: str = Field(default="", max_length=300)
    longitude: float | None = None
    latitude: float | None = None
    phone: str = Field(default="", max_length=40)
    hours: str = Field(default="", max_length=200)
    plaque_number: str = Field(default="", max_length=60)
    plaque_on: date | None = None
    open_on: date | None = None
    closed_on: date | None = None
    demo: bool = Field(default=False, index=True)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class OutletSpan(SQLModel, table=True):
    """What an outlet was called and where it hung, from `valid_from` to the day before `valid_to`.

    The spans of one code never overlap and leave no gap; the last has `valid_to` None. A closed outlet keeps
    its name: `closed` spans say when it did not serve, so that late facts about it are still named.
    """

    __tablename__ = "outlet_span"
    __table_args__ = (UniqueConstraint("code", "valid_from"),)

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(foreign_key="outlet.code", index=True)
    name: str = Field(max_length=120)
    kind: str = Field(max_length=16)
    parent_code: str | None = None
    closed: bool = False
    valid_from: date
    valid_to: date | None = None


class Staff(SQLModel, table=True):
    """A staff account. A system account (`system`) records what the product itself did; it cannot sign in.

    `password_until` ends a one-time password; `second_factor_step` is the last step (30 s) whose code was used,
    so that a code seen over the shoulder is worth nothing.
    """

    __tablename__ = "staff"

    id: int | None = Field(default=None, primary_key=True)
    login: str = Field(unique=True, max_length=60)
    name: str = Field(max_length=60)
    password_hash: str | None = None
    must_change_password: bool = True
    active: bool = True
    system: bool = False
    demo: bool = False
    email: str | None = None  # encrypted, like every personal datum
    password_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    second_factor: str | None = None  # the encrypted secret of the code app; None: not set up
    second_factor_step: int = 0
    created_at: datetime = Field(sa_type=UtcDateTime)
    signed_in_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Grant(SQLModel, table=True):
    """A role of a person for a part of the tree: node `outlet_code` and all below; "" is the whole institution."""

    __tablename__ = "staff_grant"
    __table_args__ = (UniqueConstraint("staff_id", "role", "outlet_code"),)

    id: int | None = Field(default=None, primary_key=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    role: str = Field(max_length=32)
    outlet_code: str = Field(default="", max_length=32, index=True)


class StaffSession(SQLModel, table=True):
    """A signed-in browser: the cookie holds a random token, this row its SHA-256 (hex).

    `second_factor_at` is when the second factor was shown; without it an account that has one is half in.
    """

    __tablename__ = "staff_session"

    id: int | None = Field(default=None, primary_key=True)
    token_hash: str = Field(max_length=64, unique=True)
    staff_id: int = Field(foreign_key="staff.id", index=True)
    address: str = Field(default="", max_length=45)
    agent: str = Field(default="", max_length=200)
    second_factor_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    created_at: datetime = Field(sa_type=UtcDateTime)
    seen_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime, index=True)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
