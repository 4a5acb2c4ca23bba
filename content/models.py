"""Tables of content: pieces, their immutable revisions, what happened to them, and the page generation."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import DDL, JSON, Column, Index, Text, UniqueConstraint, event, text
from sqlalchemy.schema import ExecutableDDLElement
from sqlmodel import Field, SQLModel

from core.database import UtcDateTime
from core.i18n import mark


class Kind(StrEnum):
    """What a piece is; each kind has its own page design."""

    long_graphic = "long_graphic"
    article = "article"
    diary = "diary"
    guide = "guide"
    escape_room = "escape_room"


KIND_NAMES = {
    Kind.long_graphic: mark("宣传长图"),
    Kind.article: mark("以案说险"),
    Kind.diary: mark("小宝成长日记"),
    Kind.guide: mark("服务指南"),
    Kind.escape_room: mark("密室探索"),
}


class State(StrEnum):
    """Where a revision stands; `superseded` is what a newer published revision makes of an older one."""

    draft = "draft"
    submitted = "submitted"
    approved = "approved"
    published = "published"
    superseded = "superseded"
    withdrawn = "withdrawn"


STATE_NAMES = {
    State.draft: mark("草稿"),
    State.submitted: mark("待审查"),
    State.approved: mark("已通过"),
    State.published: mark("已发布"),
    State.superseded: mark("已被新版替换"),
    State.withdrawn: mark("已撤下"),
}


class Piece(SQLModel, table=True):
    """One item of content; what it says stands in its revisions. `outlet_code`: the node it belongs to, "" the
    whole institution."""

    __tablename__ = "piece"

    key: str = Field(primary_key=True, max_length=60)
    kind: str = Field(max_length=16, index=True)
    outlet_code: str = Field(default="", max_length=32, index=True)
    created_at: datetime = Field(sa_type=UtcDateTime)
    first_published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)


class Revision(SQLModel, table=True):
    """An immutable version of a piece: the file as given, its front matter, its pictures, one hash of all.

    `media` maps the name in the text to the stored file: `{"media/x.svg": {"file", "original", "width",
    "height"}}`. Only `state` and the time of publication move; the database refuses any other change.
    """

    __tablename__ = "revision"
    __table_args__ = (
        UniqueConstraint("piece_key", "number", name="revision_number"),
        Index(
            "revision_one_published",
            "piece_key",
            unique=True,
            sqlite_where=text("state = 'published'"),
            postgresql_where=text("state = 'published'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    piece_key: str = Field(foreign_key="piece.key", max_length=60)
    number: int
    text: str = Field(sa_column=Column(Text, nullable=False))
    meta: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    media: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    hash: str = Field(max_length=64, index=True)
    author_id: int = Field(foreign_key="staff.id")
    created_at: datetime = Field(sa_type=UtcDateTime)
    state: str = Field(default=State.draft.value, max_length=16, index=True)
    published_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

    @property
    def title(self) -> str:
        """The title in the front matter."""
        return str(self.meta.get("title", self.piece_key))


class RevisionStep(SQLModel, table=True):
    """One thing that happened to a revision: who, when, in which words."""

    __tablename__ = "revision_step"

    id: int | None = Field(default=None, primary_key=True)
    revision_id: int = Field(foreign_key="revision.id", index=True)
    action: str = Field(max_length=16)
    by: int = Field(foreign_key="staff.id")
    at: datetime = Field(sa_type=UtcDateTime)
    note: str = Field(default="", max_length=2000)


class PageGeneration(SQLModel, table=True):
    """One row that counts the changes after which published pages must be rendered anew."""

    __tablename__ = "page_generation"

    id: int = Field(primary_key=True)
    value: int


# A revision is what was reviewed: neither its words nor its pictures may change afterwards, whoever asks.
_FROZEN = "piece_key, number, text, meta, media, hash, author_id, created_at"
_REFUSAL = "a revision never changes"

IMMUTABLE_DDL: dict[str, tuple[str, ...]] = {
    "sqlite": (
        f"CREATE TRIGGER revision_immutable BEFORE UPDATE OF {_FROZEN} ON revision "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
        "CREATE TRIGGER revision_kept BEFORE DELETE ON revision "
        f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END",
    ),
    "postgresql": (
        "CREATE OR REPLACE FUNCTION refuse_revision_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$",
        f"CREATE TRIGGER revision_immutable BEFORE UPDATE OF {_FROZEN} ON revision "
        "FOR EACH ROW EXECUTE FUNCTION refuse_revision_change()",
        "CREATE TRIGGER revision_kept BEFORE DELETE ON revision "
        "FOR EACH ROW EXECUTE FUNCTION refuse_revision_change()",
    ),
}


def _guard_revisions() -> None:
    table = SQLModel.metadata.tables["revision"]
    for dialect, statements in IMMUTABLE_DDL.items():
        for statement in statements:
            ddl: ExecutableDDLElement = DDL(statement)  # type: ignore[no-untyped-call]
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


_guard_revisions()
