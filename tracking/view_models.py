"""The table of saved views of the reach report."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from core.database import UtcDateTime


class ReachView(SQLModel, table=True):
    """An address of the report under a name, of one person.

    `shared` opens it to all who may see reports at `outlet_code`, above or below it; each sees their own part of
    the tree. A deleted one stays for a while (`deleted_at`), so that deleting can be undone.
    """

    __tablename__ = "reach_view"

    id: int | None = Field(default=None, primary_key=True)
    owner_id: int = Field(foreign_key="staff.id", index=True)
    name: str = Field(max_length=60)
    former_name: str = Field(default="", max_length=60)
    query: str = Field(max_length=4000)
    outlet_code: str = Field(default="", max_length=32, index=True)
    shared: bool = False
    first: bool = False
    created_at: datetime = Field(sa_type=UtcDateTime)
    deleted_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
