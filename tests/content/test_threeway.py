"""content.threeway: nothing of either text is lost, and what does not touch is put together."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from content.threeway import merged, stretches

TEXTS = some.lists(some.sampled_from(["a\n", "b\n", "c\n", "\n"]), max_size=7).map("".join)


@given(TEXTS, TEXTS, TEXTS)
def test_the_stretches_hold_all_three_texts(before: str, mine: str, theirs: str) -> None:
    found = stretches(before, mine, theirs)
    for name, text in (("before", before), ("mine", mine), ("theirs", theirs)):
        assert "".join(line for one in found for line in getattr(one, name)) == text
    assert merged(stretches(before, before, theirs), {}) == theirs
    assert merged(stretches(before, mine, before), {}) == mine
    assert merged(stretches(before, mine, mine), {}) == mine


def test_changes_far_apart_are_both_taken() -> None:
    found = stretches("1\n2\n3\n4\n", "一\n2\n3\n4\n", "1\n2\n3\n四\n")
    assert merged(found, {}) == "一\n2\n3\n四\n"


@pytest.mark.parametrize(("choice", "text"), [("mine", "b\n"), ("theirs", "c\n"), ("both", "c\nb\n")])
def test_where_both_changed_somebody_chooses(choice: str, text: str) -> None:
    found = stretches("a\n", "b\n", "c\n")
    assert [one.number for one in found] == [1]
    assert merged(found, {}) is None
    assert merged(found, {1: "neither"}) is None
    assert merged(found, {1: choice}) == text
