"""The short form of a state: short, exact, and refused when it could not have come from here."""

import json
from typing import Any

import pytest

from content.escape_room import ways
from content.escape_room.exploring import Explorer
from content.escape_room.game import Game
from content.escape_room.rules import start, step
from content.escape_room.state import State, decode, encode
from core.errors import Invalid
from tests.content.escape_room import making


@pytest.fixture(scope="module")
def game() -> Game:
    return making.game(making.big())


@pytest.fixture(scope="module")
def states(game: Game) -> list[State]:
    """All states on a long walk through the big room."""
    explorer = Explorer(game, 20_000)
    found = ways.longest(explorer, explorer.point(start(game)))
    assert found is not None
    states = [start(game)]
    for action in found[1]:
        states.append(step(game, states[-1], action)[0])
    return states


def test_every_state_comes_back_and_is_short(game: Game, states: list[State]) -> None:
    texts = [encode(game, state) for state in states]
    assert [decode(game, text) for text in texts] == states
    assert max(len(text.encode()) for text in texts) < 300
    assert len(set(texts)) == len(set(states))


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (0, "0" * 16), (1, 99), (1, -1), (1, 1.0), (1, True), (1, "0"), (2, 999), (3, 7), (4, 9), (4, 1), (5, ""),
        (5, ""), (5, "!!"), (5, "_" * 80), (6, "AAA"), (6, None), (7, "_" * 32), (7, "AAAA"), (8, "_" * 32), (9, 1),
    ],
)  # fmt: skip
def test_a_state_that_does_not_fit_is_refused(
    game: Game, states: list[State], place: int, value: Any
) -> None:
    state = next(state for state in states if state.front > len(game.room.dialogues))
    parts = json.loads(encode(game, state))
    parts[place : place + 1] = [value]
    with pytest.raises(Invalid):
        decode(game, json.dumps(parts, separators=(",", ":")))


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", "[1", "[" * 5000, '"' + "x" * 100 + '"', "\x00"])
def test_nonsense_is_refused(game: Game, text: str) -> None:
    with pytest.raises(Invalid):
        decode(game, text)


def test_another_spelling_of_the_same_state_is_refused(game: Game, states: list[State]) -> None:
    text = encode(game, states[3])
    with pytest.raises(Invalid):
        decode(game, text.replace(",", ", "))


def test_a_state_of_another_version_of_the_room_is_refused(game: Game, states: list[State]) -> None:
    changed = making.big()
    changed["scenes"]["scene-3"]["text"] = "改了一个字"
    with pytest.raises(Invalid):
        decode(making.game(changed), encode(game, states[0]))
    assert decode(making.game(making.big()), encode(game, states[0])) == states[0]
