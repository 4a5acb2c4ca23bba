"""The small language of a room: conditions over what was found, and what happens.

A condition names facts: `{has: card}`, `{knows: [pin, name]}`, `{not: {opened: safe}}`, `{any: […]}`. Several
keys, or several names under one key, must all hold. What happens is a clause, or a list of clauses with `when`,
carried out in their order. Nothing that was found is ever taken away, so facts only grow.
"""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field, StringConstraints

from content.escape_room.texts import Id, Ids, OneOrMany, Part

_Spoken = Annotated[str, StringConstraints(strict=True, pattern=r"^[a-z][a-z0-9_/-]{0,120}$")]
# The facts that conditions may name, each with the things it is about.
FACTS = ("has", "knows", "opened", "failed", "visited", "marked", "chose")


class Condition(Part):
    """All of what it names must hold. `chose` names `dialogue/line/reply`; `failed` a lock whose tries ran out."""

    has: Ids = ()
    knows: Ids = ()
    opened: Ids = ()
    failed: Ids = ()
    visited: Ids = ()
    marked: Ids = ()
    chose: Annotated[tuple[_Spoken, ...], OneOrMany()] = ()
    all: "tuple[Condition, ...]" = ()
    any: "Annotated[tuple[Condition, ...], Field(min_length=1)] | None" = None
    not_: "Condition | None" = Field(default=None, alias="not")

    def names(self) -> Iterator[tuple[str, str]]:
        """Every (fact, thing) in it, at any depth."""
        for fact in FACTS:
            yield from ((fact, name) for name in getattr(self, fact))
        for part in (*self.all, *(self.any or ()), *((self.not_,) if self.not_ else ())):
            yield from part.names()


class Clause(Part):
    """What happens: things given, clues noted, marks set; then to a scene, a dialogue, a lock, or the end."""

    when: Condition | None = None
    give: Ids = ()
    note: Ids = ()
    mark: Ids = ()
    go: Id | None = None
    talk: _Spoken | None = None
    lock: Id | None = None
    end: Id | None = None


Then = Annotated[tuple[Clause, ...], OneOrMany()]
