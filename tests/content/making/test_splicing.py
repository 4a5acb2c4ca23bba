"""Changes of a room's file leave the hand of whoever wrote it alone, and always say what was meant."""

import copy
import difflib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content.escape_room import yamls
from content.making.splicing import same, spliced
from content.making.writing import block, inline
from tests.content.rooms.conftest import KEY, SAMPLES

TEXT = (SAMPLES / KEY / "room.yaml").read_text("utf-8")
COMMENTED = """# at the top
title: {zh: 甲, en: A}  # beside
scenes:
  # before the hall
  hall:
    title: 大厅 # short
    doors:
      out: {label: 门, to: yard}   # the way out
  yard:
    text: |
      一行
      两行

# before the end
endings: {safe: {title: 好}}
"""


def data(text: str = TEXT) -> dict[str, Any]:
    found, _lines, wrong = yamls.load(text)
    assert not wrong
    return dict(found)


def changed(text: str, new: dict[str, Any]) -> list[str]:
    """The lines that went and came."""
    made = spliced(text, new)
    assert same(data(made), new)
    lines = difflib.unified_diff(text.splitlines(), made.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and line[:3] not in ("+++", "---")]


def test_one_value_changes_one_line() -> None:
    new = data()
    new["scenes"]["living"]["title"]["en"] = 'The "hall": #1'
    new["scenes"]["living"]["hotspots"]["photo"]["box"] = [1, 2, 3, 4.5]
    assert changed(TEXT, new) == [
        "-    title: {zh: 客厅, en: Living room}",
        "+    title: {zh: 客厅, en: 'The \"hall\": #1'}",
        "-        box: [10, 10, 15, 20]",
        "+        box: [1, 2, 3, 4.5]",
    ]


def test_comments_stay_beside_what_changes_next_to_them() -> None:
    new = data(COMMENTED)
    new["scenes"]["hall"]["title"] = {"zh": "大厅", "en": "Hall"}
    new["scenes"]["yard"]["text"] = "三行\n四行"
    made = spliced(COMMENTED, new)
    for comment in (
        "# at the top",
        "# beside",
        "# before the hall",
        "# short",
        "# the way out",
        "# before the end",
    ):
        assert comment in made
    assert same(data(made), new)


def test_what_is_added_and_taken_away_touches_nothing_else() -> None:
    new = data()
    new["items"]["card"] = {"name": "卡", "text": "no"}
    del new["facts"]["hang-up"]
    lines = changed(TEXT, new)
    assert [line for line in lines if line[0] == "+"] == ["+  card: {name: 卡, text: 'no'}"]
    assert all(line[0] == "-" for line in lines[1:])


def test_another_order_is_kept_although_it_is_written_anew() -> None:
    new = data()
    new["locks"] = dict(reversed(new["locks"].items()))
    assert list(data(spliced(TEXT, new))["locks"]) == list(new["locks"])


_WORD = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
_LEAF = st.one_of(
    _WORD, st.sampled_from(["no", "0123", "12:30", "~", "", "a: b", "# c", "- d", "{e", "2026-01-01", "true", "1e5"]),
    st.integers(-999, 999), st.booleans(), st.floats(0, 100).map(lambda one: round(one, 2)), st.just("两行\n话\n"),
)  # fmt: skip
_KEY = st.from_regex(r"[a-z][a-z0-9-]{0,5}", fullmatch=True)
_DATA = st.recursive(
    _LEAF,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEY, inner, max_size=3)),
    max_leaves=12,
)


@given(_DATA)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_is_read_again_as_it_was(value: Any) -> None:
    assert same(data(block({"a": value}))["a"], value)
    assert same(data(f"a: {inline(value)}\n")["a"], value)


@given(st.dictionaries(_KEY, _DATA, max_size=4), st.dictionaries(_KEY, _DATA, max_size=4))
@settings(max_examples=60, deadline=None)
def test_any_change_of_any_text_comes_out_as_meant(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = block(before) if before else "{}\n"
    mixed = {**before, **copy.deepcopy(after)}
    assert same(data(spliced(text, mixed)), mixed)
    assert same(data(spliced(text, after)), after)


@pytest.mark.parametrize("one, other", [(1, True), (1, 1.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1}), ("1", 1)])
def test_what_only_looks_alike_is_not_the_same(one: Any, other: Any) -> None:
    assert not same(one, other)
