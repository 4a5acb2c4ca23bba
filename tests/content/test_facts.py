"""content.desk.facts: the front matter as fields, and back into the YAML with everything else as it was."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from content import frontmatter
from content.desk import facts
from content.drafting import check
from content.faults import Fault

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
        if box.spec.kind == "strip":  # shown, never sent
            return
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


GUIDE = """---
key: line
kind: guide
title: 客服热线
summary: 一个人听您说完
way: phone
tasks: [ask, complain]
bring:
  - 保单号，记不住也行  # 没有也能办
---
## 怎么打
"""
PANEL = """strip:
  - place: home
    cast:
      - {who: grandma, says: 谁呀？}
      - {who: xiaobao}
  - place: home
    cast:
      - {who: xiaobao}
"""
DIARY = f"---\nkey: new\nkind: diary\ntitle: 新的一集\nsummary: 小宝说\nnumber: 3\n{PANEL}---\n## 正文\n"


def read(text: str) -> frontmatter.FrontMatter:
    """The front matter of a text that must be good."""
    front, faults = frontmatter.read("", (frontmatter.split(text) or ("",))[0])
    assert front is not None, faults
    return front


def box_of(text: str, name: str, faults: Sequence[Fault] = (), *, new: bool = False) -> facts.Box | None:
    """The field of this name, None where the kind has none."""
    boxes = [box for _name, boxes in facts.facts(text, faults, new=new).groups for box in boxes]
    return next((box for box in boxes if box.spec.name == name), None)


def test_a_guide_has_its_fields_and_nothing_else_has_them() -> None:
    for name in ("way", "tasks", "suits", "needs", "bring", "hours", "number"):
        assert box_of(GUIDE, name) is not None, name
        assert (box_of(TEXT, name) is None) or name == "number", name
    assert box_of(GUIDE, "season") is None
    names = [name for name, _boxes in facts.facts(TEXT, new=False).groups]
    assert "服务指南" not in names and "小宝成长日记" not in names
    shown = box_of(GUIDE, "bring")
    assert shown is not None
    assert (shown.value, shown.type) == ("保单号，记不住也行", "textarea")


def test_the_fields_of_a_guide_are_written_as_the_format_wants_them() -> None:
    changed = sent(
        GUIDE, way="video", tasks=["ask", "claim"], suits=["home", "hearing"], needs=["network"], number="4",
        hours="全天", bring="身份证\r\n\r\n 银行卡，本人的 \r\n说明: 一份",
    )  # fmt: skip
    made = facts.applied(GUIDE, changed)
    front = read(made)
    assert (front.way, front.tasks, front.suits, front.needs) == (
        "video", ["ask", "claim"], ["home", "hearing"], ["network"],
    )  # fmt: skip
    assert (front.number, front.hours) == (4, "全天")
    assert front.bring == ["身份证", "银行卡，本人的", "说明: 一份"]
    assert facts.applied(made, sent(made)) == made
    emptied = read(facts.applied(made, sent(made, way="", tasks=[], bring="\r\n")))
    assert (emptied.way, emptied.tasks, emptied.bring) == (None, [], [])


def test_one_more_line_leaves_the_other_fields_of_a_guide_as_they_were() -> None:
    made = facts.applied(GUIDE, sent(GUIDE, bring="保单号，记不住也行\n身份证"))
    begin, end = GUIDE.index("bring:"), GUIDE.index("---\n## ")
    assert made.startswith(GUIDE[:begin]) and made.endswith(GUIDE[end:])
    assert read(made).bring == ["保单号，记不住也行", "身份证"]


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("way", GUIDE.replace("way: phone", "way: pigeon")),
        ("tasks", GUIDE.replace("complain]", "sing]")),
        ("bring", GUIDE.replace("保单号，记不住也行", "12")),
        ("number", DIARY.replace("number: 3\n", "")),
        ("season", DIARY.replace("number: 3", "number: 3\nseason: 0")),
        ("strip", DIARY.replace("who: grandma", "who: nobody")),
    ],
)
def test_a_fault_of_a_guide_or_an_episode_stands_at_its_field(name: str, wrong: str) -> None:
    _draft, faults = check("", wrong, {})
    assert faults
    box = box_of(wrong, name, faults)
    assert box is not None
    assert box.errors
    assert facts.facts(wrong, faults, new=False).wrong == len(faults)
    right = box_of(GUIDE if wrong.count("kind: guide") else DIARY, name)
    assert right is not None and not right.errors


def test_a_strip_is_told_in_a_line_and_never_typed() -> None:
    box = box_of(DIARY, "strip")
    assert box is not None
    assert box.value == "2 格 · 奶奶、小宝"
    assert box_of(DIARY.replace(PANEL, ""), "strip") == facts.Box(box.spec, box.path)
    made_up = {facts.SHOWN: ['{"names":["strip"],"values":{}}'], "fact.strip": ["其他"]}
    assert facts.applied(DIARY, made_up) == DIARY
    changed = facts.applied(DIARY, sent(DIARY, season="2", number="13"))
    assert changed == DIARY.replace("number: 3\n", "number: 13\n").replace("---\n## ", "season: 2\n---\n## ")


def test_a_piece_that_was_saved_knows_its_composer() -> None:
    assert facts.facts(DIARY, new=False).key == "new"
    assert facts.facts(DIARY, new=True).key == ""
