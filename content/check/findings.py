"""What the check found: rule, severity, place in the text, and the way out."""

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Any

from core.i18n import mark


class Severity(StrEnum):
    """An error stops the way to review; so does a warning, until somebody gives a reason to leave it as it is."""

    error = "error"
    warning = "warning"


SEVERITY_NAMES = {Severity.error: mark("错误"), Severity.warning: mark("提醒")}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found. `line` and `column` count from 1, `offset` and `length` in characters of the file; 0 and 0
    where the whole piece is meant. `reason` is why an editor (or the front matter) overruled it."""

    file: str
    rule: str
    severity: Severity
    line: int
    column: int
    offset: int
    length: int
    excerpt: str
    says: str
    way_out: str
    law: str
    reason: str = ""

    @property
    def mark(self) -> str:
        """What tells it from others of the same revision: the rule and the words, not where they stand."""
        return hashlib.sha256(f"{self.rule}\n{self.excerpt}".encode()).hexdigest()[:16]

    @property
    def is_open(self) -> bool:
        """Whether nobody gave a reason to leave it as it is."""
        return not self.reason

    def because(self, reason: str) -> "Finding":
        """The same, overruled."""
        return replace(self, reason=reason)

    def in_file(self, file: str) -> "Finding":
        """The same, under another name of its file."""
        return replace(self, file=file)

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self) | {"severity": self.severity.value}


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """By place in the text, then by rule; the same thing said once."""
    return sorted(set(findings), key=lambda one: (one.file, one.offset, one.rule, one.length, one.excerpt))


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those that stop the way to review."""
    return [one for one in findings if one.severity is Severity.error]


def open_warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Warnings for which nobody gave a reason."""
    return [one for one in findings if one.severity is Severity.warning and one.is_open]
