"""The labelled passages: read, split by a fixed hash, measured.

The rules were first written by the hand that had written `labelled/*.yaml`, so that all of these are for tuning. With
the rules standing, `labelled/second/` was written: half of it, by hash, is for tuning, the other half is kept.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from content.check import checking

FOLDER = Path(__file__).parent / "labelled"
ON = date(2026, 11, 26)
_META: dict[str, Any] = {
    "key": "passage",
    "kind": "article",
    "title": "一段文字",
    "audience": ["公众"],
    "help": [{"label": "热线", "phone": "12378"}],
}
_PICTURES = frozenset({"media/cover.svg", "media/steps.png"})
_KNOWN = frozenset({"ai-voice", "passage"})


@dataclass(frozen=True)
class Passage:
    """A passage, its front matter, whether it is a whole piece, and the rules it breaks."""

    text: str
    meta: dict[str, Any]
    whole: bool
    fires: frozenset[str]
    file: str
    second: bool

    @property
    def kept(self) -> bool:
        """Whether it belongs to the half that is only measured."""
        if not self.second:
            return False
        return hashlib.sha256(f"signpost/{self.text.strip()}".encode()).digest()[0] % 2 == 1

    def found(self) -> frozenset[str]:
        """The rules that the check says it breaks."""
        findings = checking.check(
            self.file, self.text, self.meta, on=ON, known=_KNOWN, names=_PICTURES, whole=self.whole
        )
        return frozenset(one.rule for one in findings)


@dataclass
class Row:
    """Counts of one rule or of all."""

    labelled: int = 0
    found: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Right among found; 1 where nothing was found."""
        return self.right / self.found if self.found else 1.0

    @property
    def recall(self) -> float:
        """Right among labelled; 1 where nothing was labelled."""
        return self.right / self.labelled if self.labelled else 1.0


@dataclass
class Score:
    """The counts over passages, and each mistake in a line."""

    rules: dict[str, Row] = field(default_factory=lambda: defaultdict(Row))
    all: Row = field(default_factory=Row)
    mistakes: list[str] = field(default_factory=list)


def read() -> list[Passage]:
    """Every labelled passage, in the order of the files."""
    found = []
    for path in sorted(FOLDER.rglob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8")):
            meta = _META | (group.get("front") or {})
            fires, whole, second = frozenset(group["fires"]), bool(group.get("whole")), path.parent != FOLDER
            found += [Passage(text, meta, whole, fires, path.name, second) for text in group["passages"]]
    return found


def measure(passages: Iterable[Passage]) -> Score:
    """A finding is a rule in a passage; how often it is in the text does not count."""
    score = Score()
    for passage in passages:
        found = passage.found()
        for rule in found | passage.fires:
            for row in (score.rules[rule], score.all):
                row.labelled += rule in passage.fires
                row.found += rule in found
                row.right += rule in found & passage.fires
        if found != passage.fires:
            missed, wrong = sorted(passage.fires - found), sorted(found - passage.fires)
            score.mistakes.append(f"{passage.file}: missed {missed} wrong {wrong}: {passage.text.strip()}")
    return score
