"""No page holds what was not found: every text of the room is marked, every page is searched for the marks."""

import itertools
import json
import random
import re
from typing import Any

import pytest

from content.escape_room import rules
from content.escape_room.compiling import compile_room
from content.escape_room.format import Room
from content.escape_room.moves import moves
from content.escape_room.rules import Outcome
from content.escape_room.state import State
from content.escape_room.view import lesson, view
from content.rooms import envelope, file
from content.rooms.envelope import Envelopes
from content.rooms.games import Ready
from content.rooms.playing import Step
from content.rooms.stage import Stage
from core.signing import Keys
from tests.content.rooms.conftest import KEY, SAMPLES

MARK = re.compile(r"§\d+§")


def marked(data: Any, numbers: "itertools.count[int]") -> Any:
    """The same data with a mark instead of every text."""
    if isinstance(data, dict) and "zh" in data:
        mark = f"§{next(numbers)}§"
        return {"zh": mark, "en": mark}
    if isinstance(data, dict):
        return {name: marked(value, numbers) for name, value in data.items()}
    return [marked(value, numbers) for value in data] if isinstance(data, list) else data


@pytest.fixture(scope="module")
def ready() -> Ready:
    """The sample room, all texts marked."""
    written = file.stored((SAMPLES / KEY / "room.yaml").read_text("utf-8"))
    data = written.model_dump(mode="json", by_alias=True, exclude_none=True)
    room = Room.model_validate(marked(data, itertools.count(1)))
    return Ready(1, KEY, compile_room(room), {})


def allowed(ready: Ready, state: State, outcome: Outcome | None) -> set[str]:
    """The marks that the rules let a player see now."""
    seen = view(ready.game, state)
    facts = [lesson(ready.game.room.facts[name]) for name in seen["learned"]]
    told = [text.zh for text in outcome.texts] if outcome else []
    room = ready.game.room
    return set(MARK.findall(json.dumps([seen, facts, told, room.title.zh], ensure_ascii=False)))


@pytest.mark.parametrize("elder", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_page_holds_more_than_the_rules_show(ready: Ready, seed: int, elder: bool) -> None:
    luck = random.Random(seed)
    stage = Stage()
    envelopes = Envelopes(Keys(b"x"))
    state, outcome, found = ready.begin, None, set()
    for _turn in range(60):
        play = envelope.begin(1, ready.beginning, 0, clock=True)
        step = Step(ready, play, state, envelopes.seal(play), outcome)
        html = stage.html(step, "zh", elder=elder)
        shown = set(MARK.findall(html))
        assert shown <= allowed(ready, state, outcome)
        found |= shown
        possible = list(moves(ready.game, state))
        if not possible:
            break
        state, outcome = rules.step(ready.game, state, luck.choice(possible).action)
    assert len(found) > 10, "the control: marks do reach the page"
