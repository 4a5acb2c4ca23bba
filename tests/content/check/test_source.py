"""Every character of a passage knows its place in the file, whatever marks stand between."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from content.check import checking, source
from content.check.room_source import read_room
from content.check.source import Source
from tests.content.check import passages

STARTER = Path(__file__).parents[3] / "webapp" / "starter" / "pieces"
FILES = [*sorted(STARTER.glob("*.md")), *sorted(STARTER.glob("*/room.yaml"))]
_WIDE = str.maketrans("０１２３４５６７８９", "0123456789")


def places_are_true(read: Source) -> bool:
    """Whether each character stands in the file where its passage says."""
    return all(
        char == read.text[at].translate(_WIDE) or char == "\n"
        for passage in read.passages
        for char, at in zip(passage.text, passage.at, strict=True)
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_places_are_true_in_the_starter_library(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    read = read_room(path.name, text) if path.suffix == ".yaml" else source.read(path.name, text)
    assert read.passages
    assert places_are_true(read)


@given(some.text(alphabet="保本**<br>“”/ |-:#\n\t    /// talk对方：说\u200b１2", max_size=120))
def test_places_are_true_in_any_text(text: str) -> None:
    read = source.read("any", text)
    assert places_are_true(read)
    for finding in checking.check("any", text, {}, on=passages.ON):
        assert 0 <= finding.offset <= finding.offset + finding.length <= len(text)


def test_a_finding_names_line_column_and_the_very_words() -> None:
    text = (
        "---\nkey: a\nkind: article\ntitle: 好\nsummary: 好\n---\n## 一\n\n我们的**保**<br>本产品，请放心。\n"
    )
    finding = checking.check("a.md", text, {}, on=passages.ON)[0]
    assert (finding.rule, finding.line, finding.column) == ("return-promise", 9, 6)
    assert text[finding.offset : finding.offset + finding.length] == "保**<br>本"


def test_who_speaks_and_under_which_heading_is_known() -> None:
    read = source.read(
        "", "## 骗子的话\n\n/// talk | 电话里\n\n- 对方：快转账\n- 我：不转\n///\n\n## 后来\n\n没事。\n"
    )
    said = {
        one.text: (one.speaker, one.titles, one.section) for one in read.passages if one.role != "heading"
    }
    assert said["快转账"] == ("对方", ("骗子的话", "电话里"), 1)
    assert said["不转"][0] == "我"
    assert said["没事。"] == ("", ("后来",), 2)


def test_findings_come_in_the_order_of_the_text() -> None:
    text = "名额有限，手慢无。\n\n收益最高，保本保息。\n\n打13812345678。\n"
    found = checking.check("", text, {}, on=passages.ON)
    assert [one.offset for one in found] == sorted(one.offset for one in found)
    assert found == checking.check("", text, {}, on=passages.ON)


def test_a_wrong_answer_of_a_quiz_is_no_promise_of_ours() -> None:
    body = "/// quiz | 选哪个？\n\n- [{}] 我们的产品保本\n- [{}] 先问清楚\n\n再签字。\n///\n"
    found = [checking.check("", body.format(*marks), {}, on=passages.ON) for marks in (" x", "x ")]
    assert [[one.excerpt for one in findings] for findings in found] == [[], ["保本"]]
