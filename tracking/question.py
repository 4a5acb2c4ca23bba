"""What is asked of reach: groupings, the part of the tree, filters; and the conditions that follow from it."""

from dataclasses import dataclass

from tracking.definition import Definition
from tracking.groupings import KIND, LEVELS
from tracking.placement import Placement
from tracking.rollups import listed

Key = tuple[str, ...]
Where = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What to group by (one or two), the part of the tree (`within` a code, "" for all of it), and filters.

    `where` keeps only events whose key of a dimension is one of some values; `people` False saves the sketches.
    """

    by: Key
    within: str = ""
    where: Where = ()
    people: bool = True

    @property
    def level(self) -> str:
        """The level of the tree that is asked for, "" for children, outlets, or nothing of the tree."""
        return next((one for one in self.by if one in LEVELS), "")

    @property
    def by_kind(self) -> bool:
        """Whether kinds are told apart."""
        return KIND in self.by or any(name == KIND for name, _values in self.where)

    def kinds(self, definition: Definition) -> tuple[str, ...]:
        """The kinds that count: those asked for, else those of the definition."""
        return next((values for name, values in self.where if name == KIND), definition.kinds)


def filters(question: Question, placed: Placement) -> list[str]:
    """The conditions for the part of the tree and the keys asked for, except kinds."""
    found = [] if placed.everything else [placed.inside]
    return found + [f"{name} IN {listed(values)}" for name, values in question.where if name != KIND]
