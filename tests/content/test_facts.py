"""content.desk.facts: the front matter as fields, and back into the YAML with everything else as it was."""

from pathlib import Path

import pytest

from content import frontmatter
from content.desk import facts
from content.drafting import check

STARTER = sorted((Path(__file__).parents[2] / "webapp/starter/pieces").glob("*.md"))
TEXT = """---
# 谁写的
key: one  # 不能改
kind: article
title: 旧标题
summary: 简介
help:
  - {label: 反诈专线, phone: "96110"}
review_by: 2027-06-30
---
## 正文
"""


def sent(text: str, **changed: str | list[str]) -> dict[str, list[str]]:
    """What a browser sends of the fields of a text, some changed (`__` for a point)."""
    shown = facts.facts(text, new=True)
    found: dict[str, list[str]] = {facts.SHOWN: [shown.shown]}

    def flat(box: facts.Box) -> None:
        for one in [*box.inner, *(inner for row in box.rows for inner in row)]:
            flat(one)
        found[box.path] = list(box.chosen) if box.spec.kind == "some" else [box.value]

    for _name, boxes in shown.groups:
        for box in boxes:
            flat(box)
    given = {f"fact.{name.replace('__', '.')}": value for name, value in changed.items()}
    return found | {name: [value] if isinstance(value, str) else value for name, value in given.items()}


@pytest.mark.parametrize("path", STARTER, ids=lambda path: path.stem)
def test_fields_that_nobody_touched_change_nothing(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert facts.applied(text, sent(text)) == text


def test_only_what_was_changed_is_written_and_comments_stay() -> None:
    made = facts.applied(TEXT, sent(TEXT, title="新: “标题” #1", review_by="2028-01-31"))
    expected = TEXT.replace("title: 旧标题", "title: '新: “标题” #1'").replace("2027-06-30", "2028-01-31")
    assert made == expected


def test_lists_rows_and_groups_are_written_as_the_format_wants_them() -> None:
    changed = sent(
        TEXT, topics="退保、黑灰产，诈骗", rights=["知情权"], minutes="3", help__1__label="客服", help__1__phone="95500",
        ai_generated__what=["text"], ai_generated__tool="某工具", ai_generated__editor="林编辑",
    )  # fmt: skip
    front, faults = frontmatter.read("", (frontmatter.split(facts.applied(TEXT, changed)) or ("",))[0])
    assert faults == []
    assert front is not None
    assert front.topics == ["退保", "黑灰产", "诈骗"]
    assert (front.rights, front.minutes) == (["知情权"], 3)
    assert [line.phone for line in front.help] == ["96110", "95500"]
    assert front.ai_generated is not None
    assert front.ai_generated.what == ("text",)


def test_an_emptied_field_leaves_the_front_matter() -> None:
    assert "review_by" not in facts.applied(TEXT, sent(TEXT, review_by=""))
    assert "help" not in facts.applied(TEXT, sent(TEXT, help__0__label="", help__0__phone=""))


def test_a_fault_stands_at_its_field_and_on_its_line() -> None:
    wrong = TEXT.replace('"96110"', '"打 96110"').replace("旧标题", '""')
    _draft, faults = check("", wrong, {})
    assert {(one.field, facts.line_of(wrong, one)) for one in faults} == {("title", 5), ("help.0.phone", 8)}
    boxes = [box for _name, boxes in facts.facts(wrong, faults, new=True).groups for box in boxes]
    by_name = {box.spec.name: box for box in boxes}
    assert by_name["title"].errors
    assert [bool(box.errors) for box in by_name["help"].rows[0]] == [False, True, False]


@pytest.mark.parametrize("text", ["## 没有文件头\n", "---\nkey: [a\n---\nb\n", "---\n- a\n---\nb\n"])
def test_what_cannot_be_read_has_no_fields_and_is_left_alone(text: str) -> None:
    assert facts.facts(text, new=True).broken
    assert facts.applied(text, sent(TEXT, title="新")) == text


def test_what_a_browser_makes_up_is_no_data() -> None:
    for made_up in ("", "[]", "{", '{"names":1,"values":[]}', '{"names":[{}],"values":{}}'):
        assert facts.applied(TEXT, {facts.SHOWN: [made_up], "fact.title": ["新"]}) == TEXT
