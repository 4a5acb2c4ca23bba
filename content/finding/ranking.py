"""How well a document answers: title before subjects and summary, those before headings, those before the text."""

from collections.abc import Sequence

from content.finding.documents import Document
from content.finding.question import Question, Word

_WHOLE_TITLE, _TITLE, _BEGINS = 60.0, 20.0, 6.0
_SUBJECT, _SUMMARY, _HEADING, _TEXT, _AGAIN = 10.0, 8.0, 5.0, 1.0, 0.5
_COUNTED = 8
_SHARE = 0.5  # of the pairs of characters that a document must hold to be like the question
Ranked = list[tuple[Document, float]]


def judge(every: Sequence[Document], question: Question) -> tuple[bool, Ranked]:
    """The documents that answer with how well, and whether they are only alike.

    The strictest look that finds something counts: every word as typed; without words of asking; alike.
    Without words everything answers equally well.
    """
    if question.is_empty:
        return False, [(one, 0.0) for one in every]
    for words in dict.fromkeys((question.words, question.core)):
        found = every
        for word in words:
            found = [one for one in found if holds(one.everything, word)]
        if found:
            return False, [(one, sum(_score(one, word) for word in words)) for one in found]
    return True, _alike(every, question.pairs) if len(question.pairs) > 1 else []


def holds(text: str, word: Word) -> bool:
    """Whether a folded text holds the word; a Latin word or a number where one begins."""
    if word.is_chinese:
        return word.text in text
    at = text.find(word.text)
    while at > 0 and text[at - 1].isascii() and text[at - 1].isalnum():
        at = text.find(word.text, at + 1)
    return at >= 0


def _score(one: Document, word: Word) -> float:
    score = _TEXT + _AGAIN * min(one.everything.count(word.text, one.words_at), _COUNTED)
    if holds(one.in_title, word):
        score += _TITLE + _BEGINS * one.in_title.startswith(word.text)
        score += _WHOLE_TITLE * (word.text in one.in_title.split("\n"))
    score += _SUBJECT * holds(one.in_subjects, word)
    score += _SUMMARY * holds(one.in_summary, word)
    return score + _HEADING * holds(one.in_headings, word)


def _alike(every: Sequence[Document], pairs: Sequence[Word]) -> Ranked:
    """Documents that hold at least half of the pairs of characters, by how many and where."""
    counts = [0] * len(every)
    for pair in pairs:
        text = pair.text
        for at, one in enumerate(every):
            if text in one.everything:
                counts[at] += 1
    least = len(pairs) * _SHARE
    found = [(one, count / len(pairs)) for one, count in zip(every, counts, strict=True) if count >= least]
    return [(one, 20 * share**2 + _bonus(one, pairs)) for one, share in found]


def _bonus(one: Document, pairs: Sequence[Word]) -> float:
    return sum(5.0 * holds(one.in_title, pair) + 3.0 * holds(one.in_subjects, pair) for pair in pairs)
