"""Tables of the imports of contact files: what each is, how far it is, and who will stand in its list."""

from datetime import datetime

from sqlalchemy import BigInteger
from sqlmodel import Field, SQLModel

from core.database import KEY_ALONE, UtcDateTime

QUEUED, READING, CHECKED, APPLYING = "queued", "reading", "checked", "applying"
DONE, CANCELLED, FAILED = "done", "cancelled", "failed"


class ContactImport(SQLModel, table=True):
    """One file: `queued → reading → checked → applying → done | cancelled | failed`.

    `checked` waits for a person; a file that was to be imported at once and has no bad row passes it by. No name of
    a file and no word of a row stands here: `fault_sealed` is ciphertext, `folder` the name of a folder under home.
    `share` is how much of the stage is over, 0 to 1; `applied` of `pages` are written,
    `attempts` counts how often reading began. Whoever works holds the row
    until `leased_until`.
    """

    __tablename__ = "contact_import"

    id: int | None = Field(default=None, primary_key=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    list_name: str = Field(max_length=80)
    list_id: int | None = Field(default=None, foreign_key="contact_list.id")
    folder: str = Field(max_length=32)
    bytes: int = Field(default=0, sa_type=BigInteger)
    sha256: str = Field(default="", max_length=64)
    preview: bool = False
    skip_bad: bool = False
    state: str = Field(default=QUEUED, max_length=16, index=True)
    share: float = 0.0
    rows: int = 0
    bad: int = 0
    pages: int = 0
    applied: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    fault_sealed: str = Field(default="", max_length=4000)
    attempts: int = 0
    worker: str = Field(default="", max_length=32)
    leased_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    made_by: int | None = Field(default=None, foreign_key="staff.id")
    asked_at: datetime = Field(sa_type=UtcDateTime)
    stage_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime, index=True)

    @property
    def moving(self) -> bool:
        """Whether something is still to happen by itself."""
        return self.state in (QUEUED, READING, APPLYING)


class ContactImportMember(SQLModel, table=True):
    """Who will stand in the list of an import that is being applied."""

    __tablename__ = "contact_import_member"
    __table_args__ = (KEY_ALONE,)

    import_id: int = Field(primary_key=True, foreign_key="contact_import.id")
    contact_id: int = Field(primary_key=True)
