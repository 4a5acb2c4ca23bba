"""Judges answers. What is shown is numbered from 1 in an order that says nothing; answers are these numbers."""

import re
from typing import NamedTuple

from content.escape_room.codes import normal
from content.escape_room.deeds import Deeds
from content.escape_room.texts import Text

Value = str | tuple[int, ...]
Said = tuple[Text, ...]


class Verdict(NamedTuple):
    """Whether it is right; else what is said, the class of the mistake in the editor's names, what it does."""

    right: bool
    texts: Said = ()
    wrong: str = ""
    deeds: Deeds = ()


class Numbers(NamedTuple):
    """Some of what is shown (`row` False: which), or all of it in a row (order; match: the partner of each).

    `names`, `becauses` and `deeds` belong to what is shown; in a row to its places. `single`: exactly one is
    chosen; `once`: no number stands twice; `of`: how many there are to choose from.
    """

    right: tuple[int, ...]
    row: bool
    single: bool
    once: bool
    of: int
    names: tuple[str, ...]
    becauses: tuple[Text | None, ...]
    deeds: tuple[Deeds, ...]
    otherwise: Text | None

    def judge(self, value: Value) -> Verdict | None:
        """By everything that was wrongly chosen, by the first wrong place, or by what is lacking."""
        if isinstance(value, str) or not value or min(value) < 1 or max(value) > self.of:
            return None
        if (self.once and len(set(value)) != len(value)) or (self.single and len(value) != 1):
            return None
        if self.row and len(value) != len(self.right):
            return None
        if (value if self.row else tuple(sorted(value))) == self.right:
            return Verdict(True)
        if self.row:
            bad = [next(at for at, number in enumerate(value) if number != self.right[at])]
        else:
            bad = [number - 1 for number in sorted(value) if number not in self.right]
        said = tuple(because for at in bad if (because := self.becauses[at])) or _said(self.otherwise)
        deeds = tuple(deed for at in bad for deed in self.deeds[at])
        return Verdict(False, said, "+".join(self.names[at] for at in bad) or "lacking", deeds)


class Code(NamedTuple):
    """A number or a word; wrong ones that were thought of have their own words."""

    right: str
    answers: frozenset[str]
    wrong: tuple[tuple[tuple[re.Pattern[str], ...], Text, Deeds], ...]
    otherwise: Text | None

    def judge(self, value: Value) -> Verdict | None:
        """By the first pattern that fits."""
        if not isinstance(value, str) or len(value) > 64 or not (given := normal(value)):
            return None
        if given in self.answers:
            return Verdict(True)
        for number, (patterns, because, deeds) in enumerate(self.wrong, start=1):
            if any(pattern.fullmatch(given) for pattern in patterns):
                return Verdict(False, (because,), f"like-{number}", deeds)
        return Verdict(False, _said(self.otherwise), "otherwise")


def _said(text: Text | None) -> Said:
    return (text,) if text else ()
