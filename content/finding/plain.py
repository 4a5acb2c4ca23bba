"""The words of a body without its marks: what is searched, and what an excerpt shows. Quick: thousands are read at once."""

import re
from dataclasses import dataclass

from content import frontmatter

_OPENING = re.compile(r"^ {0,3}/{3,} *(\w*)(?: *\| *(.*?))? *$")
_OPTION = re.compile(r"^ {4,}([\w-]+): *[\"']?(.*?)[\"']? *$")
_SHOWN = frozenset({"phone", "label", "alt", "caption", "kicker", "unit"})
_HEADING = re.compile(r"^ {0,3}#{1,6}\s+(.*?)\s*#*$")
_LEAD = re.compile(r"^\s*(?:[-*+>]|\d{1,3}[.)])\s+")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_MARKS = re.compile(r"\*\*?|__|`|<w?br ?/?>|\\(?=\W)|[\u200b-\u200f\u2060\u00ad]")
_MARKED = re.compile(r"[*_`<\\\u200b-\u200f\u2060\u00ad]")
_RULE = re.compile(r"^[\s|:-]*$")


@dataclass(frozen=True, slots=True)
class Plain:
    """A body as lines that are read: its headings and titles of blocks, and all the rest."""

    headings: str
    words: str


def plain(text: str) -> Plain:
    """Take the marks out of a file's body."""
    parts = frontmatter.split(text)
    headings: list[str] = []
    words: list[str] = []
    for line in (parts[1] if parts else text).splitlines():
        _take(line, headings, words)
    return Plain("\n".join(headings), "\n".join(words))


def _take(line: str, headings: list[str], words: list[str]) -> None:
    first = line.lstrip()[:1]
    if not first:
        return
    if first == "/" and (found := _OPENING.match(line)):
        _opened(found[1], found[2] or "", headings, words)
    elif line.startswith("    ") and (found := _OPTION.match(line)):
        if found[1] in _SHOWN:
            words.append(_bare(found[2]))
    elif first == "#" and (found := _HEADING.match(line)):
        headings.append(_bare(found[1]))
    elif first == "|":
        words += [] if _RULE.match(line) else [" ".join(_bare(line).replace("|", " ").split())]
    else:
        words.append(_bare(_LEAD.sub("", line, count=1)).strip())


def _opened(name: str, argument: str, headings: list[str], words: list[str]) -> None:
    if argument and not argument.startswith("media/"):
        (words if name == "source" else headings).append(_bare(argument))


def _bare(text: str) -> str:
    if "](" in text:
        text = _LINK.sub(r"\1", text)
    return _MARKS.sub("", text) if _MARKED.search(text) else text
