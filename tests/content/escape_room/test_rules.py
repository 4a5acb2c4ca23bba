"""What happens when somebody plays: idempotent, never below 0, nothing taken away, no way past a condition."""

from typing import Any

import pytest

from content.escape_room.game import Game
from content.escape_room.rules import Action, Outcome, score, start, step
from content.escape_room.state import State
from content.escape_room.view import view
from tests.content.escape_room import making

LOOK, LEAVE = Action("look", "spot"), Action("leave")


def game(**parts: Any) -> Game:
    """A room with a hall, a yard behind it, a lock and two endings."""
    given: dict[str, Any] = {
        "scenes": {"hall": making.scene(), "yard": making.scene()},
        "locks": {"lock": making.choice(hints=[{"text": "一", "cost": 3}, {"text": "二", "cost": 9}])},
        "endings": {name: {"title": name, "text": name, "tone": "good"} for name in ("good", "soft")},
        **parts,
    }
    return making.game(making.room(**given))


def hall(then: Any = (), **more: Any) -> dict[str, Any]:
    """Scenes: a hall with one hotspot that does this, and a yard."""
    spot = {"label": "看", "then": then, **more}
    return {"hall": making.scene(hotspots={"spot": spot}), "yard": making.scene()}


def answer(made: Game, state: State, text: str) -> tuple[State, Outcome]:
    number = next(one["number"] for one in view(made, state)["lock"]["options"] if one["text"] == text)
    return step(made, state, Action("answer", "lock", (number,)))


def test_finding_twice_finds_once() -> None:
    made = game(
        scenes=hall({"give": "key", "note": "pin"}),
        items={"key": {"name": "钥", "text": "钥"}},
        clues={"pin": {"text": "码"}},
    )
    once, first = step(made, start(made), LOOK)
    twice, second = step(made, once, LOOK)
    assert first.found == (("has", "key"), ("knows", "pin")) and second.found == ()
    assert twice == once


def test_the_same_mistake_twice_running_costs_once_and_another_costs_again() -> None:
    lock = making.choice()
    lock["options"] = {**lock["options"], "nor": {"text": "也错", "because": "也不对"}}
    made = game(scenes=hall({"lock": "lock"}), locks={"lock": lock})
    state = step(made, start(made), LOOK)[0]
    state, first = answer(made, state, "错")
    state, again = answer(made, state, "错")
    assert (first.points, again.points, state.tries[0]) == (-2, 0, 1)
    assert again.texts == first.texts
    state, other = answer(made, state, "也错")
    assert (other.points, state.tries[0]) == (-2, 2)
    state, opened = answer(made, state, "对")
    assert opened.points == score(made, state) == 6
    assert step(made, state, Action("answer", "lock", (1,)))[1].did == "refused"


def test_only_so_many_tries_count_and_a_lock_is_never_worth_less_than_nothing() -> None:
    lock = making.choice(points=5, cost=2, counted=2, hints=[{"text": "一", "cost": 100}])
    lock["options"] = {**lock["options"], "nor": {"text": "也错", "because": "不"}}
    made = game(scenes=hall({"lock": "lock"}), locks={"lock": lock})
    state = step(made, start(made), LOOK)[0]
    for text in ("错", "也错", "错", "也错"):
        state, _outcome = answer(made, state, text)
    assert view(made, state)["lock"]["worth"] == 1
    state, hint = step(made, state, Action("hint", "lock", (1,)))
    assert (hint.points, view(made, state)["lock"]["worth"]) == (-1, 0)
    assert score(made, answer(made, state, "对")[0]) == 0


def test_hints_come_in_their_order_and_are_paid_once() -> None:
    made = game(scenes=hall({"lock": "lock"}))
    state = step(made, start(made), LOOK)[0]
    assert step(made, state, Action("hint", "lock", (2,)))[1].did == "refused"
    state, first = step(made, state, Action("hint", "lock", (1,)))
    assert (first.points, [text.zh for text in first.texts]) == (-3, ["一"])
    again, same = step(made, state, Action("hint", "lock", (1,)))
    assert again == state and same.points == 0 and same.texts == first.texts
    state, second = step(made, state, Action("hint", "lock", (2,)))
    assert second.points == -7
    assert step(made, state, Action("hint", "lock", (3,)))[1].did == "refused"
    assert view(made, state)["lock"]["hints"] == ["一", "二"]


def test_a_limit_closes_a_lock_for_good() -> None:
    limit = {"tries": 2, "text": "没有机会了", "then": {"mark": "shut"}}
    lock = making.choice(limit=limit)
    lock["options"] = {**lock["options"], "nor": {"text": "也错", "because": "不"}}
    made = game(scenes=hall({"lock": "lock"}), locks={"lock": lock})
    state = step(made, start(made), LOOK)[0]
    state, _first = answer(made, state, "错")
    state, last = answer(made, state, "也错")
    assert (last.did, [text.zh for text in last.texts]) == ("failed", ["不", "没有机会了"])
    assert view(made, state)["lock"] is None
    assert state.facts >> made.bits["marked", "shut"] & state.facts >> made.bits["failed", "lock"] & 1
    assert view(made, step(made, state, LOOK)[0])["lock"] is None


def test_clauses_follow_each_other_and_nothing_follows_an_ending() -> None:
    then = [
        {"mark": "seen"},
        {"when": {"marked": "seen"}, "end": "soft"},
        {"end": "good", "mark": "late"},
    ]
    made = game(scenes=hall(then))
    state = step(made, start(made), LOOK)[0]
    assert view(made, state)["ending"]["name"] == "soft"
    assert not state.facts >> made.bits["marked", "late"] & 1
    assert step(made, state, LOOK) == (state, Outcome("refused", wrong="over"))


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"has": "key"}, True),
        ({"has": ["key", "coin"]}, False),
        ({"has": "key", "visited": "yard"}, False),
        ({"has": "key", "visited": "hall"}, True),
        ({"not": {"has": "coin"}}, True),
        ({"not": {"has": "key"}}, False),
        ({"not": {"has": ["key", "coin"]}}, True),
        ({"not": {"not": {"has": "key"}}}, True),
        ({"any": [{"has": "coin"}, {"has": "key"}]}, True),
        ({"any": [{"has": "coin"}, {"visited": "yard"}]}, False),
        ({"all": [{"has": "key"}, {"not": {"has": "coin"}}]}, True),
        ({"all": [{"has": "key"}, {"has": "coin"}]}, False),
        ({"not": {"any": [{"has": "coin"}, {"visited": "yard"}]}}, True),
        ({"not": {"all": [{"has": "key"}, {"visited": "hall"}]}}, False),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    scenes = hall({"give": "key"})
    scenes["hall"]["hotspots"]["hidden"] = {"label": "藏", "when": condition}
    items = {name: {"name": name, "text": name} for name in ("key", "coin")}
    made = game(scenes=scenes, items=items)
    state = step(made, start(made), LOOK)[0]
    assert ("hidden" in {one["name"] for one in view(made, state)["hotspots"]}) is holds
    assert (step(made, state, Action("look", "hidden"))[1].did == "looked") is holds


def test_a_door_is_hidden_shut_locked_and_open() -> None:
    door = {"label": "门", "to": "yard", "when": {"has": "key"}, "text": "吱呀", "lock": "lock"}
    scenes = hall({"give": "key"})
    scenes["hall"]["doors"] = {"hidden": door, "shut": {**door, "shut": "锁着"}}
    made = game(scenes=scenes, items={"key": {"name": "钥", "text": "钥"}})
    state = start(made)
    assert [(one["name"], one["open"]) for one in view(made, state)["doors"]] == [("shut", False)]
    assert step(made, state, Action("go", "hidden"))[1].did == "refused"
    same, shut = step(made, state, Action("go", "shut"))
    assert same == state and [text.zh for text in shut.texts] == ["锁着"]
    state = step(made, state, LOOK)[0]
    state, shut = step(made, state, Action("go", "hidden"))
    assert (shut.did, shut.lock, view(made, state)["lock"]["name"]) == ("shut", "lock", "lock")
    state = answer(made, state, "对")[0]
    assert [one["open"] for one in view(made, state)["doors"]] == [True, True]
    state, moved = step(made, state, Action("go", "hidden"))
    assert view(made, state)["scene"]["name"] == "yard" and [text.zh for text in moved.texts] == ["吱呀"]


def test_what_is_said_twice_counts_once_and_a_talk_can_be_left() -> None:
    lines = {
        "hello": {
            "says": "您好",
            "replies": {
                "on": {"text": "说", "next": "more", "then": {"mark": "said"}},
                "off": {"text": "再见"},
            },
        },
        "more": {"says": "还有", "by": "other"},
    }
    people = {"clerk": {"name": "小林"}, "other": {"name": "旁人"}}
    made = game(
        scenes=hall({"talk": "talk"}), dialogues={"talk": {"by": "clerk", "lines": lines}}, characters=people
    )
    talking = step(made, start(made), LOOK)[0]
    assert view(made, talking)["talk"]["by"]["title"] == "小林"
    state = step(made, talking, Action("say", value=(0, 1)))[0]
    assert view(made, state)["talk"] == {**view(made, state)["talk"], "line": 1, "replies": []}
    assert view(made, state)["talk"]["by"]["title"] == "旁人"
    assert step(made, state, Action("say", value=(0, 1)))[0] == state
    assert view(made, step(made, state, LEAVE)[0])["talk"] is None
    assert view(made, step(made, talking, Action("say", value=(0, 2)))[0])["talk"] is None


def test_coming_in_does_something_and_other_things_close_what_is_in_front() -> None:
    scenes = hall({"lock": "lock"})
    scenes["hall"]["doors"] = {"on": {"label": "门", "to": "yard"}}
    scenes["yard"]["enter"] = [{"when": {"not": {"marked": "been"}}, "mark": "been", "note": "pin"}]
    made = game(scenes=scenes, clues={"pin": {"text": "码"}})
    state, outcome = step(made, step(made, start(made), LOOK)[0], Action("go", "on"))
    assert outcome.found == (("knows", "pin"),) and view(made, state)["lock"] is None


def test_the_ending_and_the_clock_make_the_score() -> None:
    endings = {
        "good": {"title": "好", "text": "好", "tone": "good", "bonus": 5},
        "soft": {"title": "险", "text": "险", "tone": "soft", "share": 50},
    }
    for name, off, at_once, half, late in (("good", 15, 35, 25, 15), ("soft", 5, 15, 10, 5)):
        lock = making.choice(then={"end": name})
        made = game(
            scenes=hall({"lock": "lock"}),
            locks={"lock": lock},
            endings=endings,
            clock={"minutes": 1, "bonus": 20},
        )
        state = answer(made, step(made, start(made), LOOK)[0], "对")[0]
        assert [score(made, state, seconds) for seconds in (None, 0, 30, 60)] == [off, at_once, half, late]
        assert score(made, state, 9999) == off and score(made, state, -5) == at_once
