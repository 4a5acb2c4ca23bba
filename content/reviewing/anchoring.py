"""Where a remark's passage stands in a later text: by its words, then by the words around it, then by likeness. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

AROUND = 40  # characters kept of what stands before and after
_LIKE = 0.5  # from which share of common characters on a stretch counts as the same, changed
_MOST_LINES = 12


class Standing(StrEnum):
    """What became of a passage."""

    same = "same"
    changed = "changed"
    gone = "gone"


@dataclass(frozen=True, slots=True)
class Anchor:
    """The words of a passage, a little of what stood around them, and the line on which they began (from 1)."""

    quote: str
    before: str
    after: str
    line: int


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a text, from 1, both included; 0 and 0 where the passage is gone."""

    first: int
    last: int
    standing: Standing


@dataclass(frozen=True, slots=True)
class Chunk:
    """A paragraph of a source: its lines (from 1, both included) and its text."""

    first: int
    last: int
    text: str


def anchor(text: str, first: int, last: int, words: str = "") -> Anchor | None:
    """The anchor of lines of a text, or of the words in them; None when there are no such lines or words."""
    lines = text.splitlines(keepends=True)
    if not 1 <= first <= last <= len(lines):
        return None
    start = sum(map(len, lines[: first - 1]))
    whole = "".join(lines[first - 1 : last]).rstrip("\r\n")
    quote = words.strip() or whole
    at = whole.find(quote)
    if at < 0 or not quote.strip():
        return None
    return at_offset(text, start + at, len(quote))


def at_offset(text: str, start: int, length: int) -> Anchor:
    """The anchor of a stretch of characters."""
    end = start + length
    return Anchor(
        text[start:end], text[max(0, start - AROUND) : start], text[end : end + AROUND], _line(text, start)
    )


def find(text: str, wanted: Anchor) -> Place:
    """Where the passage stands now."""
    places = _exact(text, wanted.quote)
    if places:
        best = max(places, key=lambda at: (_fits(text, at, wanted), -abs(_line(text, at) - wanted.line)))
        return Place(_line(text, best), _line(text, best + len(wanted.quote) - 1), Standing.same)
    return _alike(text, wanted)


def chunks(text: str) -> list[Chunk]:
    """The paragraphs of a source, parted by empty lines."""
    found: list[Chunk] = []
    begun: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate([*lines, ""], 1):
        if line.strip():
            begun.append(line)
        elif begun:
            found.append(Chunk(number - len(begun), number - 1, "\n".join(begun)))
            begun = []
    return found


def _exact(text: str, quote: str) -> list[int]:
    found, at = [], text.find(quote)
    while at >= 0 and quote:
        found.append(at)
        at = text.find(quote, at + 1)
    return found


def _fits(text: str, at: int, wanted: Anchor) -> int:
    """How many characters around agree."""
    before, after = text[max(0, at - AROUND) : at], text[at + len(wanted.quote) :][:AROUND]
    return _common(before[::-1], wanted.before[::-1]) + _common(after, wanted.after)


def _common(one: str, other: str) -> int:
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )


def _alike(text: str, wanted: Anchor) -> Place:
    """The lines that have most in common with the passage."""
    lines = text.splitlines()
    length = min(len(wanted.quote.splitlines()) or 1, _MOST_LINES)
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted.quote)
    best, found = 0.0, 0
    for first in range(len(lines)):
        share = _share(matcher, lines[first : first + length], best)
        if share > best:
            best, found = share, first + 1
    if best < _LIKE:
        return Place(0, 0, Standing.gone)
    return Place(found, min(found + length - 1, len(lines)), Standing.changed)


def _share(matcher: "SequenceMatcher[str]", lines: Sequence[str], best: float) -> float:
    matcher.set_seq1("\n".join(lines))
    if matcher.real_quick_ratio() <= best or matcher.quick_ratio() <= best:
        return 0.0
    return matcher.ratio()


def _line(text: str, offset: int) -> int:
    return text.count("\n", 0, max(offset, 0)) + 1
