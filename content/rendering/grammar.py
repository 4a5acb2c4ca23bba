"""Which blocks a body may have, and what is wrong with a body, line by line."""

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date as Day
from itertools import takewhile
from typing import Any

import yaml

from core.i18n import gettext as _

OPENING = re.compile(r"^ {0,3}(/{3,}) *([\w-]+) *(?:\| *(.*?) *)?$")
_CLOSING = re.compile(r"^ {0,3}(/{3,}) *$")
_OPTION = re.compile(r"^ {4,}\S")
_ANSWER = re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)])\s+\S")
_MARKED = re.compile(r"^ {0,3}(?:[-*+]|\d{1,3}[.)])\s+\[([ xX])\]\s+\S")
_TOP_HEADING = re.compile(r"^ {0,3}#(?!#)\s*\S")
_RAW_IMAGE = re.compile(r"<\s*(?:img|image|picture|svg)\b", re.IGNORECASE)
_NO_DAY = Day.max
TONES = ("plain", "soft", "sun", "brand")


@dataclass(frozen=True)
class Spec:
    """What a block takes: an argument (True: must, None: may, False: must not), options, its parent."""

    argument: bool | None = None
    options: tuple[str, ...] = ()
    inside: str = ""
    needed: tuple[str, ...] = ()


SPECS = {
    "cover": Spec(None, ("kicker",)),
    "panel": Spec(None, ("tone",)),
    "figure": Spec(True, ("unit", "source", "until")),
    "picture": Spec(True, ("alt", "caption"), needed=("alt",)),
    "compare": Spec(None),
    "no": Spec(True, inside="compare"),
    "yes": Spec(True, inside="compare"),
    "timeline": Spec(None),
    "steps": Spec(None),
    "talk": Spec(None),
    "qa": Spec(True),
    "card": Spec(None),
    "task": Spec(None, ("minutes", "needs")),
    "source": Spec(None),
    "call": Spec(True, ("phone", "label")),
    "quiz": Spec(True),
    "finder": Spec(None, ("province", "city", "label")),
}


@dataclass
class _Reader:
    """Walks the lines of a body with the blocks that are open."""

    lines: list[str]
    open: list[tuple[int, str, int]] = field(default_factory=list)  # slashes, name, line

    def faults(self) -> Iterator[tuple[int, str]]:
        """Line (from 0) and rule."""
        for at, line in enumerate(self.lines):
            if found := OPENING.match(line):
                yield from self._opening(at, len(found[1]), found[2].lower(), found[3] or "")
            elif found := _CLOSING.match(line):
                yield from self._closing(at, len(found[1]))
            elif _TOP_HEADING.match(line):
                yield at, _("正文里不用一级标题（#），请用 ## 或 ###。")
            elif _RAW_IMAGE.search(line):
                yield at, _("图片请用 /// picture | media/… 写，并写 alt。")
        for _slashes, name, at in self.open:
            yield at, _("块“%(name)s”没有结束，请在末尾加同样数目的斜线。", name=name)

    def _opening(self, at: int, slashes: int, name: str, argument: str) -> Iterator[tuple[int, str]]:
        if any(slashes == other for other, _name, _line in self.open):
            yield at, _("嵌套的块要用不同数目的斜线，例如外层 //// 内层 ///。")
        inside = self.open[-1][1] if self.open else ""
        self.open.append((slashes, name, at))
        spec = SPECS.get(name)
        if spec is None:
            yield at, _("没有“%(name)s”这种块。", name=name)
            return
        if spec.argument and not argument:
            yield at, _("块“%(name)s”要在竖线后写内容：/// %(name)s | …", name=name)
        if spec.inside and spec.inside != inside:
            yield at, _("块“%(name)s”要写在“%(outer)s”里面。", name=name, outer=spec.inside)
        yield from self._options(at, name, spec, argument)

    def _options(self, at: int, name: str, spec: Spec, argument: str) -> Iterator[tuple[int, str]]:
        given = self._given_options(at)
        if given is None:
            yield at + 1, _("块的选项写作“    名称: 值”；值里有冒号时请加引号。")
            return
        for option in given.keys() - set(spec.options):
            yield at + 1, _("块“%(name)s”没有“%(option)s”这个选项。", name=name, option=option)
        drawn = name == "picture" and argument.startswith("strip/")  # which tells itself what it shows
        for option in () if drawn else spec.needed:
            if not str(given.get(option) or "").strip():
                yield at, _("块“%(name)s”要写“%(option)s”。", name=name, option=option)
        if name == "figure" and not isinstance(given.get("until", _NO_DAY), Day):
            yield at + 1, _("until 写成日期，例如 2027-06-30：过了这一天，数字就要核对。")
        if str(given.get("tone", "plain")) not in TONES:
            yield at + 1, _("tone 只能是：%(tones)s。", tones=", ".join(TONES))

    def _given_options(self, at: int) -> dict[str, Any] | None:
        """The indented lines under an opening as options, None when they are not."""
        header = list(takewhile(_OPTION.match, self.lines[at + 1 :]))
        try:
            given = yaml.safe_load(textwrap.dedent("\n".join(header))) or {}
        except (yaml.YAMLError, ValueError):
            return None
        return given if isinstance(given, dict) else None

    def _closing(self, at: int, slashes: int) -> Iterator[tuple[int, str]]:
        if self.open and self.open[-1][0] == slashes:
            _slashes, name, began = self.open.pop()
            if name == "quiz":
                yield from _quiz_faults(began, self.lines[began + 1 : at])
            return
        yield at, _("这一行结束的块没有开始，或里面的块还没有结束。")
        if any(slashes == other for other, _name, _line in self.open):
            while self.open.pop()[0] != slashes:
                pass


def _quiz_faults(at: int, lines: list[str]) -> Iterator[tuple[int, str]]:
    """What a quiz lacks: two answers, each marked, exactly one right, and why."""
    words = (number for number, line in enumerate(lines) if line[:1].strip() and not _ANSWER.match(line))
    last = next((number for number in words if number and not lines[number - 1].strip()), len(lines))
    answers = [number for number, line in enumerate(lines[:last]) if _ANSWER.match(line)]
    unmarked = [number for number in answers if not _MARKED.match(lines[number])]
    for number in unmarked:
        yield at + 1 + number, _("每个选项写作 - [ ] 选项，对的那个写作 - [x] 选项。")
    if unmarked:
        return
    right = sum(_MARKED.match(lines[number])[1] != " " for number in answers)  # type: ignore[index]
    if len(answers) < 2 or right != 1:
        yield at, _("小题至少要有两个选项，其中正好一个是对的（- [x]）。")
    elif last == len(lines):
        yield at, _("小题要在选项后空一行，写明为什么。")


def faults(body: str) -> list[tuple[int, str]]:
    """What is wrong with a body: line (from 0) and rule."""
    return list(_Reader(body.splitlines()).faults())
