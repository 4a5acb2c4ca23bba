"""What can be done in a state: for the solver and for players who play at random."""

from collections.abc import Iterator
from typing import NamedTuple

from content.escape_room.game import Bolt, Game, Place
from content.escape_room.judging import Code, Numbers, Value
from content.escape_room.rules import Action
from content.escape_room.state import State


class Possible(NamedTuple):
    """An action and its manner: look, go, say, leave, hint, right, wrong, or guess (right, its needs not met)."""

    action: Action
    manner: str


def moves(game: Game, state: State) -> Iterator[Possible]:
    """Everything offered now; for a lock its right answer and one wrong answer of each class that was thought of."""
    front = game.fronts[state.front]
    if state.ending:
        return
    if front is None:
        yield from _around(game.places[state.scene], state.facts)
        return
    yield Possible(Action("leave"), "leave")
    right = "guess" if isinstance(front, Bolt) and state.facts & front.needs != front.needs else "right"
    for number, choice in enumerate(front.lines[state.line].choices if front.lines else (), start=1):
        if choice.when.holds(state.facts):
            manner = right if choice.out else "wrong" if choice.fall else "say"
            yield Possible(Action("say", value=(state.line, number)), manner)
    if isinstance(front, Bolt):
        yield from _answers(front, right)
        if state.hints[front.number] < len(front.told.hints):
            yield Possible(Action("hint", front.name, (state.hints[front.number] + 1,)), "hint")


def _around(place: Place, facts: int) -> Iterator[Possible]:
    for at, spot in place.spots.items():
        if spot.when.holds(facts):
            yield Possible(Action("look", at), "look")
    for at, way in place.ways.items():
        if way.when.holds(facts) or way.told.shut:
            yield Possible(Action("go", at), "go")


def _answers(bolt: Bolt, right: str) -> Iterator[Possible]:
    if bolt.judge is not None:
        yield Possible(Action("answer", bolt.name, bolt.judge.right), right)
        for value in wrongs(bolt.judge):
            yield Possible(Action("answer", bolt.name, value), "wrong")


def wrongs(judge: Numbers | Code) -> list[Value]:
    """A wrong answer of each class, and a second one wherever there are two: few tries may run out."""
    if isinstance(judge, Code):
        guesses = (_example(patterns[0].pattern) for patterns, _because, _deeds in judge.wrong)
        answers: list[Value] = [*guesses, "不知道", "不清楚"]
    else:
        answers = [*_rows(judge)] if judge.row else [*_sets(judge)]
    judged = {answer: judge.judge(answer) for answer in answers}
    return [answer for answer, verdict in judged.items() if verdict and not verdict.right]


def _rows(judge: Numbers) -> Iterator[tuple[int, ...]]:
    right = judge.right
    yield from ((*right[:at], right[at + 1], right[at], *right[at + 2 :]) for at in range(len(right) - 1))
    yield from ((number,) * len(right) for number in right[:2])  # a row in which one may stand twice


def _sets(judge: Numbers) -> Iterator[tuple[int, ...]]:
    right, numbers = judge.right, range(1, judge.of + 1)
    wrong = [number for number in numbers if number not in right]
    yield from (tuple(sorted({*right, number})) for number in wrong)
    yield from (tuple(one for one in right if one != number) for number in right)
    yield from ((number,) for number in wrong)


def _example(pattern: str) -> str:
    """Something that fits a pattern of a code."""
    return pattern.replace(".*", "").replace(".", "0").replace("\\", "") or "0"
