"""Titles and excerpts with what was found marked, as pieces of text: nothing here is HTML."""

from collections.abc import Sequence

from content.finding.folding import fold
from content.finding.question import Word

Marked = tuple[tuple[str, bool], ...]
_BEFORE, _AFTER, _LEAST = 18, 70, 24
_STOPS = "。！？；\n"


def marked(text: str, words: Sequence[Word]) -> Marked:
    """The text cut at the words: (stretch, whether it was found)."""
    spots = _merged(_spots(fold(text), words))
    found: list[tuple[str, bool]] = []
    at = 0
    for start, end in spots:
        found += [(text[at:start], False), (text[start:end], True)]
        at = end
    return tuple(part for part in (*found, (text[at:], False)) if part[0])


def excerpt(text: str, folded: str, words: Sequence[Word]) -> Marked:
    """The stretch of a text around the first place where a word stands; nothing where none does."""
    spots = _spots(folded, words)
    if not spots:
        return ()
    first = min(spots)[0]
    start = max(first - _BEFORE, 0)
    stop = max((text.rfind(char, start, first) for char in _STOPS), default=-1)
    start = stop + 1 if stop >= 0 else start
    line = text.find("\n", first + _LEAST)
    end = min(len(text), first + _AFTER, line if line >= 0 else len(text))
    cut = ("…" if start and stop < 0 else "") + text[start:end] + ("…" if end < len(text) else "")
    return marked(" ".join(cut.split()), words)


def _spots(folded: str, words: Sequence[Word]) -> list[tuple[int, int]]:
    spots = []
    for word in words:
        if word.pattern is not None:
            spots += [found.span() for found in word.pattern.finditer(folded)]
            continue
        at = folded.find(word.text)
        while at >= 0:
            spots.append((at, at + len(word.text)))
            at = folded.find(word.text, at + len(word.text))
    return spots


def _merged(spots: list[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spots):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
