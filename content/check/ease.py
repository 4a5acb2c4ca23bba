"""Hard reading, measured for those for whom a piece is written.

Three countable things, which studies of Chinese readability agree on as the strongest simple signs: characters in
a sentence and in a clause (徐巍、姚振晔、陈冬华 2021, 中文年报可读性: characters per clause), characters beyond the 3,755
of level one in GB/T 2312—1980, and terms of the trade that are not explained. The limits are our own, in the rule.
"""

import re
from collections.abc import Iterator

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union
from content.models import Kind

_LEVEL_ONE = (0xB0A1, 0xD7F9)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_SENTENCE = re.compile(r"[^。！？!?；;\n]+[。！？!?；;]?[”」]?")
_CLAUSE = re.compile(r"[^，。！？、；：,“”（）\n]+")
_NAMES_OF_LAWS = re.compile(r"《[^》]*》")
_READ = frozenset({"text", "item", "title", "tale"})


def is_common(char: str) -> bool:
    """Whether a Chinese character is one of the 3,755 of level one."""
    try:
        code = int.from_bytes(char.encode("gb2312"), "big")
    except UnicodeEncodeError:
        return False
    return _LEVEL_ONE[0] <= code <= _LEVEL_ONE[1]


def ease(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Sentences that are hard for the readers whom the rule means; none where the piece is for others."""
    if not _is_for(rule, piece):
        return
    terms = union(tuple(rule.patterns))
    known = set(_explained(rule, terms, piece.words))
    for passage in piece.source.passages:
        if (
            passage.role in _READ
            and "source" not in passage.blocks
            and passage.name not in ("heading", "kicker")
        ):
            for found in _SENTENCE.finditer(passage.text):
                unknown = {term[0] for term in terms.finditer(found[0])} - known
                known |= unknown  # a term is named once, where it is met first
                if unknown or _is_hard(rule, found[0]):
                    yield Found.in_passage(passage, *found.span())


def _is_for(rule: Rule, piece: Checked) -> bool:
    kinds = {str(each) for each in rule.words.get("kinds", ())}
    readers = union(tuple(rule.words["readers"]))
    return str(piece.meta.get("kind")) in kinds & set(Kind) or readers.search(piece.audience) is not None


def _is_hard(rule: Rule, sentence: str) -> bool:
    bare = _NAMES_OF_LAWS.sub("", sentence)
    letters = _CHINESE.findall(bare)
    longest = max((len(_CHINESE.findall(clause)) for clause in _CLAUSE.findall(bare)), default=0)
    rare = {char for char in letters if not is_common(char)}
    limits = rule.limits
    return len(letters) > limits["sentence"] or longest > limits["clause"] or len(rare) >= limits["rare"]


def _explained(rule: Rule, terms: re.Pattern[str], words: str) -> Iterator[str]:
    """The terms of the trade that the piece says in plain words: “核保，就是……” or “看身体（核保）”."""
    ways = "|".join(rule.words["explained"])
    for term in {found[0] for found in terms.finditer(words)}:
        word = re.escape(term)
        if re.search(rf"{word}[”」]?(?:{ways})|（{word}）", words):
            yield term
