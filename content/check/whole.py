"""What a whole piece lacks: a risk notice, a line to call, a script of what to do, a label that a machine made it."""

import re
from collections.abc import Iterator

from content.check.context import Judge, look
from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union

_CALLS = frozenset({"call", "steps"})


def risk_notice(rule: Rule, piece: Checked) -> Iterator[Found]:
    """A product whose return is uncertain is offered, and nowhere stands that it is."""
    if not piece.whole or union(tuple(rule.words["notice"])).search(piece.words):
        return
    product, offer = union(tuple(rule.patterns)), union(tuple(rule.words["offer"]))
    judge = Judge.of(piece.source.passages)
    offered = {
        passage.section
        for index, passage in enumerate(piece.source.passages)
        for found in offer.finditer(passage.text)
        if not judge.excuses(index, *found.span())
    }
    for index, passage in enumerate(piece.source.passages):
        found = product.search(passage.text)
        if found and passage.section in offered and not judge.excuses(index, *found.span()):
            yield Found.in_passage(passage, *found.span())
            return


def help_line(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Fraud, loss or complaint, and no number to call."""
    if not piece.whole or piece.meta.get("help"):
        return
    numbers = union(tuple(rule.words["numbers"]))
    calls = any(block.name == "call" and block.options.get("phone") for block in piece.source.blocks)
    if calls or numbers.search(piece.words):
        return
    topic = union(tuple(rule.patterns))
    for passage in piece.source.passages:
        if found := topic.search(passage.text):
            yield Found.in_passage(passage, *found.span())
            return


def fear(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Frightening words, and nothing that a reader can do (steps, a number, a sentence to say)."""
    if not piece.whole or _has_script(rule, piece):
        return
    strong, weak = union(tuple(rule.patterns)), union(tuple(rule.softer))
    judge = Judge.of(piece.source.passages)
    weight, places = 0, []
    for passage in piece.source.passages:
        if judge.is_others(passage):
            continue
        for pattern, points in ((strong, 2), (weak, 1)):
            for found in pattern.finditer(passage.text):
                weight += points
                places.append(Found.in_passage(passage, *found.span()))
    if weight >= rule.limits["weight"]:
        yield min(places, key=lambda one: one.offset)


def _has_script(rule: Rule, piece: Checked) -> bool:
    if any(block.name in _CALLS for block in piece.source.blocks):
        return True
    return union(tuple(rule.words["script"])).search(piece.words) is not None


def ai_label(rule: Rule, piece: Checked) -> Iterator[Found]:
    """The text says that a machine made it, and the front matter does not."""
    if not piece.whole or piece.meta.get("ai_generated"):
        return
    judge, others = Judge.of(piece.source.passages), re.compile(r"骗|诈|冒充|不法|有人用|对方")
    for passage in piece.source.passages:
        for found in union(tuple(rule.patterns)).finditer(passage.text):
            if not judge.is_others(passage) and not others.search(look(passage.text, *found.span()).sentence):
                yield Found.in_passage(passage, *found.span())
                return
