"""What changed between two texts, line by line and within a line word by word, with a little of what is around it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any

_AROUND = 3
# A word of letters or digits, a stretch of blanks, or one character: Chinese is compared character by character.
_WORD = re.compile(r"[A-Za-z0-9]+(?:[.,'’-][A-Za-z0-9]+)*%?|\s+|.", re.DOTALL)
_ALIKE = 0.4  # lines that share less are not shown as one line that changed
_NEAR = 12  # how many lines further down the changed line is looked for
_LONG = 4000  # characters of a line beyond which only the line is compared


@dataclass(frozen=True)
class Line:
    """A line of the comparison: `same`, `gone` or `new`, with its number in the old and in the new text.

    `parts` are its words in stretches, each with whether it changed; none where the whole line did."""

    kind: str
    text: str
    before: int | None = None
    after: int | None = None
    parts: tuple[tuple[bool, str], ...] = ()


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
    came = [Line("new", new[at], after=at + 1) for at in range(c, d)]
    return _with_words(gone, came)


def _with_words(gone: list[Line], came: list[Line]) -> list[Line]:
    """The lines of a changed stretch; a line that became another one shows the words that did."""
    last = 0
    for at, old in enumerate(gone):
        found = [
            (_likeness(old.text, came[to].text), -to) for to in range(last, min(last + _NEAR, len(came)))
        ]
        best, to = max(found, default=(0.0, 0))
        if best > _ALIKE:
            first, second = words(old.text, came[-to].text)
            gone[at], came[-to] = replace(old, parts=first), replace(came[-to], parts=second)
            last = 1 - to
    return gone + came


def _likeness(old: str, new: str) -> float:
    if not old.strip() or not new.strip() or max(len(old), len(new)) > _LONG:
        return 0.0
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return matcher.ratio() if matcher.real_quick_ratio() > _ALIKE and matcher.quick_ratio() > _ALIKE else 0.0


Parts = tuple[tuple[bool, str], ...]


def words(old: str, new: str) -> tuple[Parts, Parts]:
    """Two lines in stretches of words, each with whether it changed."""
    before, after = _WORD.findall(old), _WORD.findall(new)
    first: list[tuple[bool, str]] = []
    second: list[tuple[bool, str]] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        first += [(kind != "equal", "".join(before[a:b]))] if a < b else []
        second += [(kind != "equal", "".join(after[c:d]))] if c < d else []
    return tuple(first), tuple(second)


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
