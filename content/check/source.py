"""A text as passages: what stands where, in which blocks, who says it; every character knows its place in the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from content import frontmatter
from content.rendering.grammar import OPENING

_CLOSING = re.compile(r"^ {0,3}(/{3,}) *$")
_OPTION = re.compile(r"^ {4,}([\w-]+): *(.*)$")
_HEADING = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|\d{1,3}[.)])\s+")
_ROW = re.compile(r"^\s*\|.*\|\s*$")
_RULE_OF_TABLE = re.compile(r"^\s*\|[\s|:-]+\|\s*$")
_CHOICE = re.compile(r"\[([ xX])\]\s+")
_SPEAKER = re.compile(r"^\s*([^\s：:，。]{1,12})[：:]\s*")
# Marks that are not read: emphasis, line breaks, what has no width.
_UNREAD = re.compile(r"\*+|<w?br/?>|\\|[\u200b-\u200f\u2060\ufeff\u00ad]|(?<!\S)>")
_WIDE = {
    code: code - 0xFEE0 for code in (*range(0xFF10, 0xFF1A), *range(0xFF21, 0xFF3B), *range(0xFF41, 0xFF5B))
}
_NEW_SECTION = frozenset({"panel", "cover", "call"})
_SPOKEN = ("title", "heading", "summary", "kicker", "cover_alt", "hours")


@dataclass(frozen=True, slots=True)
class Passage:
    """A paragraph, item, heading, option: `at` gives each character's offset in the file.

    role: text, item, tale (a wrong answer), cell, heading, argument, option, title (front matter); blocks: outermost first; name: of an
    option or a field; titles: of the headings and blocks above it; section: counts panels and headings.
    """

    text: str
    at: tuple[int, ...]
    role: str
    blocks: tuple[str, ...] = ()
    name: str = ""
    titles: tuple[str, ...] = ()
    section: int = 0
    speaker: str = ""
    level: int = 0

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offset and length in the file of a stretch of the text."""
        if not self.at:
            return 0, 0
        first = self.at[min(start, len(self.at) - 1)]
        last = self.at[min(max(end - 1, start), len(self.at) - 1)]
        return first, last - first + 1


@dataclass(frozen=True, slots=True)
class Block:
    """A block that was opened: where, with what."""

    name: str
    argument: str
    offset: int
    length: int
    options: dict[str, str]
    blocks: tuple[str, ...]
    section: int


@dataclass(frozen=True)
class Source:
    """A file as the checks see it; `body_at` is where the body begins."""

    file: str
    text: str
    body_at: int
    passages: tuple[Passage, ...]
    blocks: tuple[Block, ...]

    def line_of(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset, from 1."""
        before = self.text[:offset]
        return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


@dataclass
class _Open:
    slashes: int
    name: str
    argument: str
    block: int  # its index in `blocks`


@dataclass
class _Reader:
    """Walks the lines of a body."""

    passages: list[Passage] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    open: list[_Open] = field(default_factory=list)
    headings: dict[int, str] = field(default_factory=dict)
    section: int = 0
    header: bool = False  # the lines under an opening, where options stand
    pending: list[tuple[int, str]] = field(default_factory=list)  # lines of the paragraph or item being read
    role: str = "text"

    def line(self, offset: int, line: str) -> None:
        """Take one line in."""
        if self.header and (found := _OPTION.match(line)):
            self._option(offset, found)
        elif not line.strip():
            self._flush()
        elif found := OPENING.match(line):
            self._opening(offset, line, found)
        elif found := _CLOSING.match(line):
            self._closing(len(found[1]))
        elif found := _HEADING.match(line):
            self._heading(offset, found)
        elif _ROW.match(line):
            self._row(offset, line)
        else:
            self._words(offset, line)

    def _words(self, offset: int, line: str) -> None:
        self.header = False
        if found := _ITEM.match(line):
            self._flush()
            self.role = "item"
            offset, line = offset + found.end(), line[found.end() :]
            if self.open and self.open[-1].name == "quiz" and (chosen := _CHOICE.match(line)):
                self.role = "item" if chosen[1] != " " else "tale"  # who errs says it, not we
                offset, line = offset + chosen.end(), line[chosen.end() :]
        self.pending.append((offset, line))

    def _row(self, offset: int, line: str) -> None:
        self._flush()
        if _RULE_OF_TABLE.match(line):
            return
        for found in re.finditer(r"[^|]+", line):
            self._keep("cell", [(offset + found.start(), found[0])])

    def _heading(self, offset: int, found: re.Match[str]) -> None:
        self._flush()
        level = len(found[1])
        self.section += 1
        self.headings = {each: title for each, title in self.headings.items() if each < level}
        self._keep("heading", [(offset + found.start(2), found[2])], level=level)
        self.headings[level] = found[2]

    def _opening(self, offset: int, line: str, found: re.Match[str]) -> None:
        self._flush()
        name, argument = found[2].lower(), found[3] or ""
        if name in _NEW_SECTION:
            self.section += 1
        if argument:
            start = offset + found.start(3)
            self._keep("argument", [(start, argument)], name=name)
        self.blocks.append(
            Block(
                name,
                argument,
                offset,
                len(line.rstrip()),
                {},
                tuple(one.name for one in self.open),
                self.section,
            )
        )
        self.open.append(_Open(len(found[1]), name, argument, len(self.blocks) - 1))
        self.header = True

    def _option(self, offset: int, found: re.Match[str]) -> None:
        value = found[2].strip().strip("\"'")
        self.blocks[self.open[-1].block].options[found[1]] = value
        start = offset + found.start(2) + found[2].find(value)
        self._keep("option", [(start, value)], name=found[1])

    def _closing(self, slashes: int) -> None:
        self._flush()
        while self.open:
            closed = self.open.pop()
            if closed.name in _NEW_SECTION:
                self.section += 1
            if closed.slashes == slashes:
                break

    def _flush(self) -> None:
        self.header = False
        if self.pending:
            self._keep(self.role, self.pending)
        self.pending, self.role = [], "text"

    def _keep(self, role: str, lines: list[tuple[int, str]], *, name: str = "", level: int = 0) -> None:
        text, at = read_lines(lines)
        if not text.strip():
            return
        blocks = tuple(one.name for one in self.open)
        titles = (*self.headings.values(), *(one.argument for one in self.open if one.argument))
        speaker = ""
        if blocks and blocks[-1] == "talk" and role == "item" and (found := _SPEAKER.match(text)):
            speaker, text, at = found[1], text[found.end() :], at[found.end() :]
        self.passages.append(Passage(text, at, role, blocks, name, titles, self.section, speaker, level))


def read(file: str, text: str) -> Source:
    """Read a text with or without front matter."""
    parts = frontmatter.split(text)
    body_at = len(text) - len(parts[1]) if parts else 0
    reader = _Reader()
    if parts:
        reader.passages += _fields(text, body_at)
    offset = body_at
    for line in text[body_at:].splitlines(keepends=True):
        reader.line(offset, line.rstrip("\r\n"))
        offset += len(line)
    reader._flush()
    return Source(file, text, body_at, tuple(reader.passages), tuple(reader.blocks))


def read_lines(lines: list[tuple[int, str]]) -> tuple[str, tuple[int, ...]]:
    """Lines as they are read aloud: no marks, no wide digits; and the offset of each character."""
    kept: list[str] = []
    at: list[int] = []
    for number, (offset, line) in enumerate(lines):
        if number:
            kept.append("\n")
            at.append(offset - 1)
        unread = {place for found in _UNREAD.finditer(line) for place in range(*found.span())}
        for place, char in enumerate(line.translate(_WIDE)):
            if place not in unread:
                kept.append(char)
                at.append(offset + place)
    return "".join(kept), tuple(at)


def _fields(text: str, end: int) -> Iterator[Passage]:
    """The words of the front matter that people read."""
    for found in re.finditer(r"^(\w+):[ \t]*(\S.*?)[ \t]*$", text[:end], flags=re.MULTILINE):
        if found[1] in _SPOKEN:
            value, at = read_lines([(found.start(2), found[2])])
            yield Passage(value, at, "title", name=found[1])
