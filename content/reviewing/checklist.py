"""The checklist of a review: ours, dated, and the institution's own; each item with where it comes from."""

from collections.abc import Sequence
from datetime import date as Day
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlmodel import Session, col, select

from content.models import Kind
from content.reviewing.models import OwnChecklist
from core.errors import Invalid
from core.i18n import current_locale, mark
from institution import audit

OURS = Path(__file__).parent / "checklist.yaml"
OWN = "own-"
MOST = 40
_LARGEST = 40_000  # characters of a list that is typed

audit.declare({"checklist.save": mark("修改审查清单")})


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    """A sentence in both languages; without an English one the Chinese stands."""

    zh: Annotated[str, Field(min_length=2, max_length=300)]
    en: Annotated[str, Field(max_length=500)] = ""

    def __str__(self) -> str:
        return self.en if current_locale() == "en" and self.en else self.zh


class Item(_Strict):
    """One thing to look at: in force from `since` to `until`, for these kinds of piece (none named: for all)."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{1,38}$")]
    since: Day
    until: Day | None = None
    kinds: list[Kind] = []
    says: Said
    source: Annotated[str, Field(min_length=2, max_length=300)]
    confidence: Annotated[str, Field(pattern=r"^[HML]$")] = "H"

    def counts(self, kind: str, on: Day) -> bool:
        """Whether it is asked for a piece of this kind on a day."""
        return (
            self.since <= on
            and (self.until is None or on <= self.until)
            and (not self.kinds or kind in self.kinds)
        )


class Checklist(_Strict):
    """A file of items; `version` is the day it was last changed."""

    version: Day
    items: list[Item]


@cache
def ours() -> Checklist:
    """The list that comes with the product."""
    return Checklist.model_validate(yaml.safe_load(OURS.read_text(encoding="utf-8")))


def own(session: Session) -> OwnChecklist | None:
    """The newest version of the institution's own list."""
    return session.exec(select(OwnChecklist).order_by(col(OwnChecklist.id).desc())).first()


def versions(session: Session) -> Sequence[OwnChecklist]:
    """Every version of the institution's own list, the newest first."""
    return session.exec(select(OwnChecklist).order_by(col(OwnChecklist.id).desc())).all()


def items(session: Session, kind: str, on: Day) -> list[Item]:
    """What is asked for a piece of this kind on a day: ours, then the institution's."""
    mine = own(session)
    added = [Item.model_validate(one) for one in mine.items] if mine else []
    return [one for one in [*ours().items, *added] if one.counts(kind, on)]


def version(session: Session) -> str:
    """What tells one state of the list from another: the day of ours, the number of the institution's."""
    mine = own(session)
    return f"{ours().version.isoformat()}+{mine.id if mine else 0}"


def parse(text: str) -> list[Item]:
    """The institution's items as they are typed (YAML: a list, or nothing); Invalid names the line that is wrong."""
    if len(text) > _LARGEST:
        raise Invalid(mark("清单太长，请精简到 %(most)s 项以内。"), field="items", most=MOST)
    try:
        data = yaml.safe_load(text) or []
    except yaml.YAMLError as error:
        raise Invalid(mark("这不是有效的 YAML：%(why)s"), field="items", why=str(error)[:200]) from error
    if not isinstance(data, list) or len(data) > MOST:
        raise Invalid(mark("清单要写成一列，每项以“- id:”开头，最多 %(most)s 项。"), field="items", most=MOST)
    found = [_item(number, one) for number, one in enumerate(data, 1)]
    names = [one.id for one in found]
    twice = next((one for one in names if names.count(one) > 1), None)
    if twice is not None:
        raise Invalid(mark("“%(id)s”写了两次，每项的 id 要不同。"), field="items", id=twice)
    return found


def save(session: Session, text: str, *, note: str, by: int, now: datetime) -> OwnChecklist:
    """A new version of the institution's own items; reviews under way keep what they were answered by."""
    found = [one.model_dump(mode="json") for one in parse(text)]
    before = own(session)
    made = OwnChecklist(items=found, note=note.strip()[:300], by=by, at=now)
    session.add(made)
    session.flush()
    audit.record(
        session, "checklist.save", "checklist", made.id,
        before={"items": [one["id"] for one in before.items] if before else []},
        after={"items": [one["id"] for one in found]}, note=made.note,
    )  # fmt: skip
    return made


def as_text(kept: OwnChecklist | None) -> str:
    """The institution's items as they are typed."""
    if kept is None or not kept.items:
        return ""
    lean = [{key: value for key, value in one.items() if value not in (None, [])} for one in kept.items]
    return yaml.safe_dump(lean, allow_unicode=True, sort_keys=False, width=200)


def _item(number: int, given: Any) -> Item:
    try:
        item = Item.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "-"
        raise Invalid(
            mark("第 %(number)s 项的 %(where)s 不对：%(why)s"),
            field="items",
            number=number,
            where=where,
            why=first["msg"],
        ) from error
    if not item.id.startswith(OWN):
        raise Invalid(
            mark("第 %(number)s 项的 id 要以 %(own)s 开头。"), field="items", number=number, own=OWN
        )
    return item
