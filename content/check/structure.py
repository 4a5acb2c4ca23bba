"""The build of a text: descriptions of pictures, links, order of headings."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union

_IMAGE = re.compile(r"!\[([^\]\n]*)\]\(([^)\s]*)[^)]*\)")
_LINK = re.compile(r"(?<!!)\[([^\]\n]*)\]\(([^)\s]*)[^)]*\)")
_PIECE = re.compile(r"^/p/([a-z0-9-]+)(?:[#?].*)?$")
_HOST = re.compile(r"^(?:[A-Za-z0-9\u4e00-\u9fff-]+\.)+[A-Za-z\u4e00-\u9fff]{2,}(?::\d+)?$")


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


def broken_link(_rule: Rule, piece: Checked) -> Iterator[Found]:
    """Links to pieces and pictures that do not exist; of outside addresses only the form is looked at."""
    for found in _LINK.finditer(piece.source.text, piece.source.body_at):
        if not _leads_somewhere(found[2].strip("<>"), piece):
            yield Found(found.start(), len(found[0]))


def _leads_somewhere(target: str, piece: Checked) -> bool:
    if target.startswith("#"):
        return len(target) > 1
    if named := _PIECE.match(target):
        return piece.known is None or named[1] in piece.known or named[1] == piece.meta.get("key")
    if target.startswith("/") and not target.startswith("//"):
        return True
    if target.startswith("media/"):
        return piece.names is None or target in piece.names
    return _is_outside(target)


def _is_outside(target: str) -> bool:
    try:
        parts = urlsplit(target)
    except ValueError:
        return False
    if parts.scheme in ("http", "https"):
        return _HOST.match(parts.netloc) is not None
    if parts.scheme == "tel":
        return re.fullmatch(r"\+?[\d-]{3,20}", parts.path) is not None
    return parts.scheme == "mailto" and "@" in parts.path


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
