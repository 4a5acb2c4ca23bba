"""What is checked: the text with its front matter, its pictures, and what it may refer to."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date as Day
from typing import Any

from content.check.elsewhere import NOWHERE, Elsewhere
from content.check.source import Source


@dataclass(frozen=True)
class Checked:
    """One piece on a day. `known`: the keys of pieces that links may name (None: nobody knows); `pictures`: bytes
    as given, by name, where they are at hand; `names`: the pictures that exist; `whole`: not a fragment; `elsewhere`:
    what else links may name."""

    source: Source
    meta: Mapping[str, Any]
    on: Day
    known: frozenset[str] | None = None
    names: frozenset[str] | None = None
    pictures: Mapping[str, bytes] = field(default_factory=dict)
    whole: bool = True
    elsewhere: Elsewhere = NOWHERE

    @property
    def audience(self) -> str:
        """For whom it is, in one line."""
        return " ".join(map(str, self.meta.get("audience") or ()))

    @property
    def words(self) -> str:
        """All that is read of the body, one passage a line."""
        return "\n".join(one.text for one in self.source.passages if one.role != "title")
