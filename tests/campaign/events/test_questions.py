"""Questions as lines: read, written, read again the same; keys stay with their labels."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from campaign.events import questions
from core.errors import Invalid

TEXT = """组别* / Group | 按组安排座位 / Seats are by group
- 上午组 / Morning = 10
- 下午组
想问什么 / Your question"""
LABELS = st.text(st.sampled_from("甲乙丙丁早晚组别问题ABC"), min_size=1, max_size=8)


def test_lines_become_questions() -> None:
    group, free = questions.read(TEXT)
    assert (group["key"], group["kind"], group["required"], group["label_en"]) == (
        "q1",
        "choice",
        True,
        "Group",
    )
    assert [(one["key"], one["capacity"]) for one in group["options"]] == [("o1", 10), ("o2", None)]
    assert (free["key"], free["kind"], free["required"], free["reason"]) == ("q2", "text", False, "")
    assert questions.written([group, free]) == TEXT


def test_what_keeps_its_label_keeps_its_key() -> None:
    before = questions.read(TEXT)
    after = questions.read("新问题\n" + TEXT.replace("- 上午组", "- 晚上组 = 3\n- 上午组"), before)
    keys = {one["label"]: one["key"] for one in after}
    assert (keys["组别"], keys["想问什么"]) == ("q1", "q2")
    assert keys["新问题"] not in ("q1", "q2")
    assert {one["label"]: one["key"] for one in after[1]["options"]} == {
        "上午组": "o1",
        "下午组": "o2",
        "晚上组": "o3",
    }


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            LABELS,
            st.booleans(),
            st.lists(
                st.tuples(LABELS, st.none() | st.integers(0, 99)), max_size=4, unique_by=lambda one: one[0]
            ),
        ),
        max_size=5,
        unique_by=lambda one: one[0],
    )
)
def test_whatever_is_written_is_read_as_it_was(
    wanted: list[tuple[str, bool, list[tuple[str, int | None]]]],
) -> None:
    lines = []
    for label, required, options in wanted:
        lines.append(f"{label}{'*' if required else ''}")
        lines += [f"- {name}" + ("" if seats is None else f" = {seats}") for name, seats in options]
    found = questions.read("\n".join(lines))
    assert questions.read(questions.written(found), found) == found
    assert [(one["label"], one["required"]) for one in found] == [
        (label, required) for label, required, _ in wanted
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("- 没有问题", 1),
        ("组\n- 甲 = 很多", 2),
        ("组\n- 甲\n- 甲", 3),
        ("组\n组", 2),
        ("|为什么", 1),
        ("组\n- ", 2),
    ],
)
def test_a_fault_names_its_line(text: str, line: int) -> None:
    with pytest.raises(Invalid) as refused:
        questions.read(text)
    assert refused.value.params["line"] == line
    assert refused.value.field == "questions"


def test_nobody_asks_too_much() -> None:
    with pytest.raises(Invalid):
        questions.read("\n".join("甲乙丙丁戊己"))
