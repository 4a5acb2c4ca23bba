"""Rules that look for words, and leave alone the same words where they are not meant."""

from collections.abc import Iterator

from content.check.context import Judge
from content.check.findings import Severity
from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union


def words(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Every word of the rule that is meant, one find for a stretch."""
    judge = Judge.of(piece.source.passages)
    for index, passage in enumerate(piece.source.passages):
        excepted = [found.span() for found in union(tuple(rule.unless)).finditer(passage.text)]
        taken = -1
        for severity, patterns in ((rule.severity, rule.patterns), (Severity.warning, rule.softer)):
            for found in union(tuple(patterns)).finditer(passage.text):
                start, end = found.span()
                if start < taken or any(first < end and start < last for first, last in excepted):
                    continue
                if not judge.excuses(index, start, end):
                    taken = end
                    yield Found.in_passage(passage, start, end, severity)
