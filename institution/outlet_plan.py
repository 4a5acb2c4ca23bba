"""What an import, a form or a bulk act would do to the tree: changes, and what is wrong with the rows."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from core.i18n import mark
from institution.outlet_files import Row
from institution.outlet_rows import Fault
from institution.timeline import Step

SORTS = {
    "added": mark("新增"), "renamed": mark("更名"), "moved": mark("调整上级"), "relevelled": mark("调整级别"),
    "closed": mark("撤并"), "reopened": mark("恢复"), "edited": mark("修改"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field's value before and after."""

    field: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What would happen to one outlet; `steps` is its history afterwards, None when that stays."""

    code: str
    name: str
    sorts: tuple[str, ...]
    fields: tuple[FieldChange, ...]
    values: dict[str, Any]
    steps: tuple[Step, ...] | None

    @property
    def is_new(self) -> bool:
        """Whether the outlet is added."""
        return "added" in self.sorts


@dataclass(slots=True)
class Plan:
    """All that an import would do on the day `as_of`, and all that is wrong with the file."""

    as_of: date
    changes: list[Change] = field(default_factory=list)
    same: int = 0
    faults: list[Fault] = field(default_factory=list)
    rejected: list[tuple[Row, list[Fault]]] = field(default_factory=list)
    blocked: bool = False

    def all_faults(self) -> list[Fault]:
        """Every fault once, by row: those of the file and those of rows that fall with their parent's."""
        found = [*self.faults, *(fault for _row, faults in self.rejected for fault in faults)]
        once = {(each.row, each.field, each.rule): each for each in found}
        return sorted(once.values(), key=lambda each: each.row)

    def count(self, sort: str) -> int:
        """How many outlets would be changed in this way."""
        return sum(sort in change.sorts for change in self.changes)
