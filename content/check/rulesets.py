"""The rule sets: files of `rules/`, dated and versioned, read strictly; a rule counts from its day to its last."""

import re
from datetime import date as Day
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from content.check.findings import Severity
from core.i18n import current_locale

FOLDER = Path(__file__).parent / "rules"


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(str(error)) from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Said(_Strict):
    """A sentence in both languages."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.en if current_locale() == "en" else self.zh


class Case(_Strict):
    """What a rule says of one sort of find, where its own words would not help."""

    says: Said
    way_out: Said


class Rule(_Strict):
    """One rule. `check` names the procedure, the lists are what it works with.

    patterns: what is looked for; softer: the same, but only a warning; unless: what, where it stands over the
    find, makes it something else (最后 is no superlative); words: named lists of one procedure; cases: words for
    sorts of finds; limits: numbers.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z-]{1,30}$")]
    check: str
    severity: Severity
    since: Day
    until: Day | None = None
    law: str
    confidence: Annotated[str, Field(pattern=r"^[HML]$")] = "H"
    says: Said
    way_out: Said
    patterns: list[Pattern] = []
    softer: list[Pattern] = []
    unless: list[Pattern] = []
    words: dict[str, list[Pattern]] = {}
    cases: dict[str, Case] = {}
    limits: dict[str, int] = {}

    def counts(self, on: Day) -> bool:
        """Whether it is in force on a day."""
        return self.since <= on and (self.until is None or on <= self.until)


class RuleSet(_Strict):
    """A file of rules that belong together; `version` is the day it was last changed."""

    name: str
    version: Day
    rules: list[Rule]


class Cues(_Strict):
    """The words by which a sentence shows that it warns, denies, asks or quotes; shared by all rules."""

    version: Day
    suspicion: list[Pattern]
    denial: list[Pattern]
    no_denial: list[Pattern]
    denial_after: list[Pattern]
    claim: list[Pattern]
    our_voice: list[Pattern]
    warning_titles: list[Pattern]
    our_speakers: list[str]


@cache
def sets() -> tuple[RuleSet, ...]:
    """Every rule set, by name of its file."""
    files = sorted(path for path in FOLDER.glob("*.yaml") if path.stem != "cues")
    return tuple(RuleSet.model_validate(_data(path)) for path in files)


@cache
def cues() -> Cues:
    """The cues of context."""
    return Cues.model_validate(_data(FOLDER / "cues.yaml"))


@cache
def rules(on: Day) -> tuple[Rule, ...]:
    """The rules in force on a day."""
    return tuple(rule for each in sets() for rule in each.rules if rule.counts(on))


def version() -> str:
    """The newest day on which any of it was changed: it stands in every report."""
    return max([*(each.version for each in sets()), cues().version]).isoformat()


@cache
def union(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """One expression for a list; an empty list finds nothing."""
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) if patterns else r"(?!)")


def _data(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
