"""Parallel questions: other ones before, after and later, judged without showing what is right."""

from pathlib import Path

from content.escape_room import reading
from content.escape_room.learning import PHASES, judged, questions

ROOM = reading.read_folder(Path(__file__).parent / "rooms" / "a-call").room


def test_nobody_meets_a_question_twice_where_there_are_three_and_before_and_after_always_differ() -> None:
    for turn in range(12):
        asked = {phase: {one.fact: one.number for one in questions(ROOM, phase, turn)} for phase in PHASES}
        assert set(asked["before"]) == set(ROOM.facts)
        assert len({asked[phase]["hang-up"] for phase in PHASES}) == 3
        assert all(asked["before"][fact] != asked["after"][fact] for fact in ROOM.facts)


def test_each_question_has_its_share_of_each_phase() -> None:
    for phase in PHASES:
        numbers = [
            one.number for turn in range(6) for one in questions(ROOM, phase, turn) if one.fact == "hang-up"
        ]
        assert sorted(numbers) == [0, 0, 1, 1, 2, 2]


def test_answers_are_judged_by_what_was_shown() -> None:
    for phase in PHASES:
        for one in questions(ROOM, phase, 5):
            answers = [judged(ROOM, one.fact, one.number, at) for at in range(1, len(one.options) + 1)]
            assert [answer.right for answer in answers if answer].count(True) == 1
            for text, answer in zip(one.options, answers, strict=True):
                assert answer is not None
                option = ROOM.facts[one.fact].questions[one.number].options[answer.option]
                assert (option.text, option.right) == (text, answer.right) and answer.because.zh


def test_what_was_not_asked_is_not_judged() -> None:
    assert judged(ROOM, "nothing", 0, 1) is None
    assert judged(ROOM, "hang-up", 9, 1) is None
    assert judged(ROOM, "hang-up", -1, 1) is None
    assert judged(ROOM, "hang-up", 0, 0) is None
    assert judged(ROOM, "hang-up", 0, 3) is None
