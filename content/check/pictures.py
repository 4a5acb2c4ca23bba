"""What a picture's file tells beside the picture: a place, a name, the machine that made it."""

from collections.abc import Iterator

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union
from content.picture_facts.reading import properties


def picture_data(_rule: Rule, piece: Checked) -> Iterator[Found]:
    """Pictures that carry a place or a person's name in their properties."""
    for name, data in sorted(piece.pictures.items()):
        if properties(data).personal:
            yield Found(what=name)


def made_by_machine(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Pictures whose file says that a machine made them, in a piece that does not say so."""
    if piece.meta.get("ai_generated"):
        return
    tools = union(tuple(rule.words["tools"]))
    for name, data in sorted(piece.pictures.items()):
        if tools.search(properties(data).made):
            yield Found(what=name)
