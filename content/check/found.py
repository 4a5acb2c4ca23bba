"""What a procedure hands back: a stretch of the file, before it becomes a finding."""

from dataclasses import dataclass

from content.check.findings import Severity
from content.check.source import Block, Passage


@dataclass(frozen=True, slots=True)
class Found:
    """A stretch of the file; without one the whole piece is meant. `severity` where it differs from the rule's;
    `what` is shown instead of the words of the text (a picture's name, a jargon word); `case` of the rule, which has
    words of its own; `near`: what was probably meant."""

    offset: int = 0
    length: int = 0
    severity: Severity | None = None
    what: str = ""
    case: str = ""
    near: str = ""

    @classmethod
    def in_passage(
        cls, passage: Passage, start: int, end: int, severity: Severity | None = None, what: str = ""
    ) -> "Found":
        """A stretch of a passage."""
        return cls(*passage.place(start, end), severity=severity, what=what)

    @classmethod
    def at_block(cls, block: Block) -> "Found":
        """The line in which a block opens."""
        return cls(block.offset, block.length)
