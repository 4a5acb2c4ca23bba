"""Figures: whose number it is, and whether its day is over."""

import re
from collections.abc import Iterator
from datetime import date as Day

from content.check.context import Judge, look
from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union
from content.check.source import Block, Passage

_YEAR = re.compile(r"(20\d\d)(?=年|-|\b)")
_LAW = re.compile(r"《|办法|条例|法律|令〔|号令")


def figure_source(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Figure blocks without `source`, and statistics in sentences of a section that names none."""
    for block in piece.source.blocks:
        if block.name == "figure" and not block.options.get("source", "").strip():
            yield Found.at_block(block)
    named = union(tuple(rule.words["named"]))
    if piece.meta.get("sources"):
        return  # the page ends with its sources
    judge = Judge.of(piece.source.passages)
    sections = {block.section for block in piece.source.blocks if block.name == "source"}
    for index, passage in enumerate(piece.source.passages):
        if "figure" in passage.blocks or passage.section in sections or passage.role in ("option", "title"):
            continue
        yield from _unsourced(rule, judge, index, named)


def _unsourced(rule: Rule, judge: Judge, index: int, named: re.Pattern[str]) -> Iterator[Found]:
    passage, taken = judge.passages[index], -1
    if judge.is_others(passage):
        return
    examples = union(tuple(rule.unless))
    for found in union(tuple(rule.patterns)).finditer(passage.text):
        sentence = look(passage.text, *found.span()).sentence
        if found.start() < taken or named.search(passage.text) or examples.search(sentence):
            continue
        if union(tuple(rule.words["mouths"])).search(sentence):
            continue  # a number in the fraudster's mouth is no statistic of ours
        taken = found.start() + len(sentence)
        yield Found.in_passage(passage, *found.span())


def figure_stale(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Figures whose `until` is over, or that say of themselves that they are old."""
    oldest = piece.on.year - rule.limits["years"]
    for block in piece.source.blocks:
        if block.name == "figure" and is_over(block, piece.on, oldest):
            yield Found.at_block(block)
    for passage in piece.source.passages:
        if "figure" not in passage.blocks and passage.role != "option":
            yield from _old(rule, passage, oldest)


def is_over(block: Block, on: Day, oldest: int) -> bool:
    """Whether the figure of a block is past its day; without one, whether the year of its source is too long ago.

    What a law says has no such day: it counts until the law changes."""
    until = until_of(block)
    if until is not None:
        return until < on
    source = block.options.get("source", "")
    years = [int(year) for year in _YEAR.findall(source)]
    return bool(years) and max(years) < oldest and not _LAW.search(source)


def until_of(block: Block) -> Day | None:
    """The day until which a figure is true, None where none (or none that is a day) is given."""
    try:
        return Day.fromisoformat(block.options.get("until", "").strip())
    except ValueError:
        return None


def _old(rule: Rule, passage: Passage, oldest: int) -> Iterator[Found]:
    for found in union(tuple(rule.patterns)).finditer(passage.text):
        years = [int(year) for year in re.findall(r"20\d\d", found[0])]
        if years and max(years) < oldest:
            yield Found.in_passage(passage, *found.span())
