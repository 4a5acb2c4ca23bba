"""Parallel questions about what a room teaches: other ones before, after and weeks later, judged on the server."""

from typing import Literal, NamedTuple

from content.escape_room.compiling import shuffled
from content.escape_room.format import Question, Room
from content.escape_room.texts import Text

Phase = Literal["before", "after", "later"]
PHASES: tuple[Phase, ...] = ("before", "after", "later")


class Asked(NamedTuple):
    """A question as it is shown: which one of which fact, and its options by number."""

    fact: str
    number: int
    ask: Text
    options: tuple[Text, ...]


class Marked(NamedTuple):
    """An answer to a question: whether it is right, why, and the option in the editor's names."""

    right: bool
    because: Text
    option: str


def questions(room: Room, phase: Phase, turn: int = 0) -> list[Asked]:
    """One question for each fact that has any.

    `turn` is any number that stays with a person: whole numbers in a row give each question the same share of
    each phase, so that a hard one does not look like a loss. With two questions the later one is that of before.
    """
    asked = []
    for name, fact in room.facts.items():
        if fact.questions:
            number = (turn + PHASES.index(phase)) % len(fact.questions)
            one = fact.questions[number]
            texts = tuple(one.options[option].text for option in _order(room, name, number, one))
            asked.append(Asked(name, number, one.ask, texts))
    return asked


def judged(room: Room, fact: str, number: int, option: int) -> Marked | None:
    """The answer `option` (from 1) to a question; None when there is no such question or option."""
    found = room.facts.get(fact)
    if found is None or not 0 <= number < len(found.questions):
        return None
    one = found.questions[number]
    names = _order(room, fact, number, one)
    if not 1 <= option <= len(names):
        return None
    name = names[option - 1]
    return Marked(one.options[name].right, one.because, name)


def _order(room: Room, fact: str, number: int, question: Question) -> list[str]:
    return shuffled(list(question.options), f"{room.key}/{fact}/{number}")
