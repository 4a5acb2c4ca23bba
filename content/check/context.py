"""Whether a word is meant: a warning, a denial, a question, a fraudster's line says the same words and is no offence."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from content.check.rulesets import Cues, cues, union
from content.check.source import Passage

_ENDS = frozenset("。！？!?；;")
_PAUSES = frozenset("，,：:、—\n")
_QUOTES = {"“": "”", "「": "」", "『": "』", "‘": "’"}
_SAYS = re.compile(
    r"(?:说|讲|道|喊|写着?|印着?|叫|答|回|念|称|告诉[^，。]{1,4}|项目|广告|短信|话)[^“]{0,8}[：，]?\s*$"
)
_TERM = 8  # a quotation of so few characters is a word that is talked about
_QUOTED_WHOLE = re.compile(r"[“「][^“”「」]*[”」][。，！？]?")


@dataclass(frozen=True, slots=True)
class Around:
    """Where a find stands: its sentence, its clause, what of the clause comes before and after it; if it is quoted,
    the quotation and what leads to it."""

    sentence: str
    clause: str
    before: str
    after: str
    quote: str = ""
    lead: str = ""

    @property
    def quoted(self) -> bool:
        """Whether it stands in quotation marks."""
        return bool(self.quote)


def look(text: str, start: int, end: int) -> Around:
    """The surroundings of a stretch; the end of a sentence inside quotation marks does not end the one outside."""
    quotes = _quoted(text)
    inside = next((span for span in quotes if span[0] < start < span[1]), None)
    hidden = {place for span in quotes for place in range(span[0] + 1, span[1])}
    whole = (0, len(text))
    begin, finish = _bounds(text, inside or (start, end), _Stops(_ENDS, hidden, whole))
    within = (inside[0] + 1, inside[1]) if inside else (begin, finish)
    pauses = _Stops(_ENDS | _PAUSES, set() if inside else hidden, within)
    first, last = _bounds(text, (start, end), pauses)
    quote, lead = (text[inside[0] + 1 : inside[1]], text[begin : inside[0]]) if inside else ("", "")
    return Around(text[begin:finish], text[first:last], text[first:start], text[end:finish], quote, lead)


@dataclass(frozen=True, slots=True)
class _Stops:
    """What ends a stretch: which marks, where they do not count, and how far to look."""

    marks: frozenset[str]
    hidden: set[int]
    within: tuple[int, int]


def _bounds(text: str, span: tuple[int, int], stops: _Stops) -> tuple[int, int]:
    first, last = span
    low, high = stops.within
    while first > low and (text[first - 1] not in stops.marks or first - 1 in stops.hidden):
        first -= 1
    while last < high and (text[last] not in stops.marks or last in stops.hidden):
        last += 1
    return first, min(last + 1, high)


def _quoted(text: str) -> list[tuple[int, int]]:
    """Pairs of quotation marks, outermost only."""
    found: list[tuple[int, int]] = []
    opened: tuple[int, str] | None = None
    for place, char in enumerate(text):
        if opened is None and char in _QUOTES:
            opened = place, _QUOTES[char]
        elif opened and char == opened[1]:
            found.append((opened[0], place))
            opened = None
    return found


@dataclass(frozen=True)
class Judge:
    """Knows the cues and the neighbours of a passage."""

    words: Cues
    passages: Sequence[Passage]

    @classmethod
    def of(cls, passages: Sequence[Passage]) -> "Judge":
        """With the cues in force."""
        return cls(cues(), passages)

    def excuses(self, index: int, start: int, end: int) -> bool:
        """Whether the words at this place are another's, are denied, are asked about or are warned of."""
        passage = self.passages[index]
        if passage.role == "option" and passage.name in ("source", "until", "tone", "phone"):
            return True
        if self.is_others(passage):
            return True
        around = look(passage.text, start, end)
        if around.sentence.rstrip("”」 \n").endswith(("？", "?")) or self._denied(around):
            return True
        if self._finds("suspicion", around.clause) or self._is_only_named(around):
            return True
        if self._finds("claim", around.clause) and not around.quoted:
            return False
        return self._finds("suspicion", around.sentence) or self._warned(index, passage, around)

    def is_others(self, passage: Passage) -> bool:
        """Whether somebody else speaks: the other side of a dialogue, the way not to go, the people of a tale."""
        if (
            passage.role == "tale"
            or "no" in passage.blocks
            or (passage.role == "argument" and passage.name == "no")
        ):
            return True
        return bool(passage.speaker) and passage.speaker not in self.words.our_speakers

    def _is_only_named(self, around: Around) -> bool:
        """In quotation marks: a word that is talked about, or what somebody else is reported to have said."""
        if not around.quoted or self._finds("claim", around.lead) or self._finds("our_voice", around.lead):
            return False
        return len(around.quote) <= _TERM or _SAYS.search(around.lead) is not None

    def _denied(self, around: Around) -> bool:
        if self._finds("denial_after", around.after):
            return True
        before = union(tuple(self.words.no_denial)).sub("", around.before)
        found = [*union(tuple(self.words.denial)).finditer(before)]
        return bool(found) and len(before) - found[-1].end() <= 8

    def _warned(self, index: int, passage: Passage, around: Around) -> bool:
        """A heading that warns; for what stands wholly in quotation marks also the words before and after it."""
        if any(self._finds("warning_titles", title) for title in passage.titles):
            return True
        if not around.quoted and not _QUOTED_WHOLE.fullmatch(passage.text.strip()):
            return False
        near = [
            each for each in self.passages[max(index - 2, 0) : index + 3] if each.section == passage.section
        ]
        return any(self._finds("suspicion", each.text) for each in near)

    def _finds(self, name: str, text: str) -> bool:
        return union(tuple(getattr(self.words, name))).search(text) is not None
