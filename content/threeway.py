"""Two people changed the same text: what each did since, and both together where their stretches do not touch."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher

MINE, THEIRS, BOTH = "mine", "theirs", "both"


@dataclass(frozen=True)
class Stretch:
    """Lines as they were, as I wrote them, as the other one did. `kind`: same, mine, theirs, both (the same change),
    clash (each changed them, differently); `number` counts the clashes from 1."""

    kind: str
    before: tuple[str, ...]
    mine: tuple[str, ...]
    theirs: tuple[str, ...]
    number: int = 0

    def taken(self, choice: str = "") -> tuple[str, ...]:
        """The lines that stay; of a clash those that were chosen, KeyError without a choice."""
        if self.kind != "clash":
            return self.theirs if self.kind == THEIRS else self.mine
        return {MINE: self.mine, THEIRS: self.theirs, BOTH: (*self.theirs, *self.mine)}[choice]


def stretches(before: str, mine: str, theirs: str) -> list[Stretch]:
    """The whole text in stretches; changes of both with no untouched line between them are one clash."""
    texts = [_lines(one) for one in (before, mine, theirs)]
    found: list[Stretch] = []
    at = (0, 0, 0)
    clashes = 0
    for same, length in _kept(*texts):
        was, mine_now, theirs_now = (tuple(lines[a:b]) for lines, a, b in zip(texts, at, same, strict=True))
        if was or mine_now or theirs_now:
            kind = _kind(was, mine_now, theirs_now)
            clashes += kind == "clash"
            found.append(Stretch(kind, was, mine_now, theirs_now, clashes if kind == "clash" else 0))
        if length:
            lines = tuple(texts[0][same[0] : same[0] + length])
            found.append(Stretch("same", lines, lines, lines))
        at = (same[0] + length, same[1] + length, same[2] + length)
    return found


def merged(found: list[Stretch], choices: Mapping[int, str]) -> str | None:
    """One text of both; None while a clash has no choice."""
    try:
        return "".join(line for one in found for line in one.taken(choices.get(one.number, "")))
    except KeyError:
        return None


def _kind(before: tuple[str, ...], mine: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    if mine == theirs:
        return BOTH
    if mine == before:
        return THEIRS
    return MINE if theirs == before else "clash"


def _kept(
    before: list[str], mine: list[str], theirs: list[str]
) -> Iterator[tuple[tuple[int, int, int], int]]:
    """Where all three texts have the same lines: their places and how many; last the three ends."""
    ours = SequenceMatcher(None, before, mine, autojunk=False).get_matching_blocks()
    others = SequenceMatcher(None, before, theirs, autojunk=False).get_matching_blocks()
    one = other = 0
    while one < len(ours) and other < len(others):
        a, b, n = ours[one]
        c, d, m = others[other]
        begin, end = max(a, c), min(a + n, c + m)
        if begin < end:
            yield (begin, b + begin - a, d + begin - c), end - begin
        if a + n < c + m:
            one += 1
        else:
            other += 1
    yield (len(before), len(mine), len(theirs)), 0


def _lines(text: str) -> list[str]:
    """Lines with their ends; the last one always has one, so that texts can be put together."""
    return [f"{line}\n" for line in text.removesuffix("\n").split("\n")] if text else []
