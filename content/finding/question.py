"""What somebody typed, as words to look for: Chinese runs, Latin words, numbers; nothing of it is ever a command."""

import re
from dataclasses import dataclass

from content.finding.folding import fold

LONGEST = 60
_MOST_WORDS = 8
_TELLING = 3  # a Latin word or a number that is shorter is everywhere
NUMBER = re.compile(r"(?<![a-z0-9])\+?\d(?:[ -]?\d){4,19}(?![a-z0-9])")
_TOKEN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]+|[a-z][a-z']*|\d+")
_CHINESE = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
# Words of a question that are not what it is about.
_ASKING = re.compile(
    r"为什么|怎么办(?!理)|怎么样|怎么|怎样|如何|什么|请问|我想要?|我要|能不能|可不可以|可以|是不是|有没有|哪里|哪儿|哪些|多少|一下|[的了吗呢啊吧]"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word, folded: a run of Chinese characters, a Latin word that something begins with, or a number.

    `pattern` finds numbers and Latin words where they stand in the text.
    """

    text: str
    pattern: re.Pattern[str] | None = None

    @property
    def is_chinese(self) -> bool:
        """Whether it is a run of Chinese characters."""
        return self.pattern is None


@dataclass(frozen=True, slots=True)
class Question:
    """`typed` as it was written, at most LONGEST characters; `words` as typed, `core` without words of asking,
    `pairs` of neighbouring characters for a look that forgives a slip."""

    typed: str
    words: tuple[Word, ...]
    core: tuple[Word, ...]
    pairs: tuple[Word, ...]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to look for."""
        return not self.words


def asked(text: str) -> Question:
    """Read what was typed, whatever it is."""
    typed = " ".join(text.split())[:LONGEST].strip()
    folded = fold(typed)
    words = [_number(found[0]) for found in NUMBER.finditer(folded)]
    words += [_word(found[0]) for found in _TOKEN.finditer(NUMBER.sub(" ", folded))]
    words = list(dict.fromkeys(words))[:_MOST_WORDS]
    core = [part for word in words for part in _core(word)]
    pairs = [pair for word in core for pair in _pairs(word)]
    return Question(typed, tuple(words), tuple(dict.fromkeys(core)), tuple(dict.fromkeys(pairs))[:8])


def _word(token: str) -> Word:
    return (
        Word(token) if _CHINESE.match(token) else Word(token, re.compile(rf"(?<![a-z0-9]){re.escape(token)}"))
    )


def _number(token: str) -> Word:
    """A telephone number is found however it is spaced."""
    digits = re.sub(r"[ +-]", "", token)
    return Word(digits, re.compile(rf"(?<!\d){r'[ -]?'.join(digits)}"))


def _core(word: Word) -> list[Word]:
    if not word.is_chinese or len(word.text) < 3:
        return [word]
    parts = [part for part in _ASKING.split(word.text) if part]
    return [Word(part) for part in parts] or [word]


def _pairs(word: Word) -> list[Word]:
    if not word.is_chinese and len(word.text) < _TELLING:
        return []
    if not word.is_chinese or len(word.text) < 3:
        return [word]
    return [Word(word.text[at : at + 2]) for at in range(len(word.text) - 1)]
