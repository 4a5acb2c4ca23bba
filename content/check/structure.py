"""The build of a text: descriptions of pictures, order of headings."""

import re
from collections.abc import Iterator

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union

_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(([^)\s]*)[^)]*\)")


def alt_text(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Pictures whose description is missing or says nothing."""
    empty = union(tuple(rule.patterns))

    def says_nothing(words: str, name: str) -> bool:
        bare = words.strip().strip("\"'。.")
        return not bare or empty.fullmatch(bare) is not None or bare == name.rsplit("/", 1)[-1]

    for block in piece.source.blocks:
        drawn = block.argument.startswith("strip/")  # tells itself what it shows
        if (
            block.name == "picture"
            and not drawn
            and says_nothing(block.options.get("alt", ""), block.argument)
        ):
            yield Found.at_block(block)
    for found in _IMAGE.finditer(piece.source.text, piece.source.body_at):
        if says_nothing(found[1], found[2]):
            yield Found(found.start(), len(found[0]))
    cover = str(piece.meta.get("cover") or "")
    if cover.startswith("media/") and says_nothing(
        str(piece.meta.get("cover_alt") or ""), str(piece.meta["cover"])
    ):
        yield Found(what=str(piece.meta["cover"]))


def heading_order(_rule: Rule, piece: Checked) -> Iterator[Found]:
    """A heading more than one level below the one above it; the title of the page is the first level.

    The title of a panel or of the call is of the second level, as it is rendered."""
    level = 1
    for passage in piece.source.passages:
        if passage.role == "argument" and passage.name in ("panel", "cover", "call"):
            level = 2
        elif passage.role == "heading":
            if passage.level > level + 1:
                yield Found.in_passage(passage, 0, len(passage.text))
            level = passage.level
