"""The history of one outlet: renames, closings, corrections, always without gap or overlap."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from institution import timeline
from institution.timeline import Step

FIRST = [Step(date(2000, 1, 1), "甲", "outlet", "9")]
D = date(2023, 5, 1)


def test_a_rename_keeps_the_old_name_before_it() -> None:
    steps = timeline.renamed(FIRST, D, "乙", "outlet", "9")
    assert [(step.since, step.name) for step in steps] == [(date(2000, 1, 1), "甲"), (D, "乙")]
    assert timeline.last_change(steps) == D


def test_a_second_change_on_the_same_day_replaces_the_first_and_back_undoes_it() -> None:
    steps = timeline.renamed(FIRST, D, "乙", "outlet", "9")
    assert [step.name for step in timeline.renamed(steps, D, "丙", "outlet", "9")] == ["甲", "丙"]
    assert timeline.renamed(steps, D, "甲", "outlet", "9") == FIRST


def test_closing_reopening_and_closing_again_all_stay_in_the_history() -> None:
    steps = timeline.closed(FIRST, None, D, D)
    steps = timeline.closed(steps, D, None, D + timedelta(90))
    steps = timeline.closed(steps, None, D + timedelta(200), D + timedelta(200))
    assert [(step.since, step.closed) for step in steps] == [
        (date(2000, 1, 1), False), (D, True), (D + timedelta(90), False), (D + timedelta(200), True),
    ]  # fmt: skip


def test_a_closing_date_is_corrected_in_place_or_undone_before_it_came() -> None:
    steps = timeline.closed(FIRST, None, D, D)
    later = timeline.closed(steps, D, D + timedelta(10), D)
    assert [(step.since, step.closed) for step in later] == [
        (date(2000, 1, 1), False),
        (D + timedelta(10), True),
    ]
    assert timeline.closed(later, D + timedelta(10), D, D) == steps
    assert timeline.closed(steps, D, None, D - timedelta(5)) == FIRST


def test_a_rename_before_a_closing_to_come_keeps_the_closing() -> None:
    steps = timeline.renamed(timeline.closed(FIRST, None, D, D), D - timedelta(30), "乙", "outlet", "9")
    assert [(step.name, step.closed) for step in steps] == [("甲", False), ("乙", False), ("乙", True)]


days = st.integers(0, 3000).map(lambda number: date(1999, 1, 1) + timedelta(number))


@given(st.lists(st.tuples(days, st.sampled_from(["甲", "乙", "丙"]), st.none() | days), max_size=8))
def test_any_sequence_of_changes_gives_a_proper_step_function(
    moves: list[tuple[date, str, date | None]],
) -> None:
    steps, closed_on = list(FIRST), None
    for day, name, closing in sorted(moves, key=lambda move: move[0]):
        steps = timeline.renamed(steps, day, name, "outlet", "9")
        if closing != closed_on:
            steps = timeline.closed(steps, closed_on, closing, day)
            closed_on = closing
        assert steps[-1].name == name
        assert steps[-1].closed == (closed_on is not None)
    dates = [step.since for step in steps]
    assert dates == sorted(set(dates)) and dates[0] == FIRST[0].since
    assert timeline.normal(steps) == steps
