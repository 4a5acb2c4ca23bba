"""What changed between two texts, line by line, with a little of what stands around it."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

_AROUND = 3


@dataclass(frozen=True)
class Line:
    """A line of the comparison: `same`, `gone` or `new`, with its number in the old and in the new text."""

    kind: str
    text: str
    before: int | None = None
    after: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The changed stretches, and the pictures that came, went or changed."""

    stretches: tuple[tuple[Line, ...], ...]
    pictures: tuple[tuple[str, str], ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed at all."""
        return not self.stretches and not self.pictures


def compare(
    before: str, after: str, before_media: Mapping[str, Any], after_media: Mapping[str, Any]
) -> Comparison:
    """Compare two revisions by text and by pictures."""
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    stretches = tuple(
        tuple(line for code in group for line in _lines(code, old, new))
        for group in matcher.get_grouped_opcodes(_AROUND)
    )
    return Comparison(stretches, tuple(_pictures(before_media, after_media)))


def _lines(code: tuple[str, int, int, int, int], old: list[str], new: list[str]) -> list[Line]:
    kind, a, b, c, d = code
    if kind == "equal":
        return [Line("same", old[a + at], a + at + 1, c + at + 1) for at in range(b - a)]
    gone = [Line("gone", old[at], before=at + 1) for at in range(a, b)]
    return gone + [Line("new", new[at], after=at + 1) for at in range(c, d)]


def _pictures(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = []
    for name in sorted({*before, *after}):
        if name not in after:
            found.append(("gone", name))
        elif name not in before:
            found.append(("new", name))
        elif before[name]["sha256"] != after[name]["sha256"]:
            found.append(("changed", name))
    return found
