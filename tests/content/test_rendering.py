"""content.rendering: what blocks become, and what is refused (what survives of attacks: test_sanitiser)."""

import re

import pytest

from content.media import Picture
from content.rendering import render

PICTURE = Picture("0123456789abcdef.svg", "", "", 40, 30)
KNOWN = {"media/x.svg": PICTURE}


def html(body: str, kind: str = "article") -> str:
    made = render(body, KNOWN, kind)
    assert not made.faults, made.faults
    return made.html


def rules(body: str, kind: str = "article") -> list[tuple[str, str]]:
    return [(f"第 {line} 行", rule) for line, rule in render(body, KNOWN, kind, first_line=10).faults]


def test_a_figure_has_number_unit_and_source() -> None:
    made = html("/// figure | 20%\n    unit: 起\n    source: 总局\n\n解释\n///\n")
    assert '<p class="num">20%<small>起</small></p>' in made
    assert '<p class="src">来源：总局</p>' in made


def test_two_ways_stand_side_by_side_with_their_titles() -> None:
    made = html("//// compare\n/// no | 找代理\n先交钱\n///\n/// yes | 走正路\n不收费\n///\n////\n")
    assert re.search(r'class="versus".*class="no".*找代理.*class="yes".*走正路', made, re.DOTALL)


def test_a_conversation_knows_who_speaks() -> None:
    made = html("/// talk\n\n- 对方：交钱吧\n- 我：**不**交\n///\n")
    assert '<li class="b"><span class="who">对方</span>交钱吧</li>' in made
    assert '<li class="b me"><span class="who">我</span><strong>不</strong>交</li>' in made


def test_lists_take_the_class_of_their_block() -> None:
    assert '<ol class="steps">' in html("/// steps\n\n1. **问** 一\n2. **等** 二\n///\n")
    assert '<ul class="timeline">' in html("/// timeline\n\n- **周一** 来电\n///\n")


def test_a_picture_keeps_its_place_and_has_words() -> None:
    made = html("/// picture | media/x.svg\n    alt: 一张图\n    caption: 说明\n///\n")
    assert 'src="/media/0123456789abcdef.svg"' in made
    assert 'width="40"' in made
    assert 'height="30"' in made
    assert 'loading="lazy"' in made
    assert "<figcaption>说明</figcaption>" in made


def test_a_call_dials() -> None:
    made = render("/// call | 马上打\n    phone: 96110\n    label: 反诈专线\n///\n", {}, "article")
    assert made.has_call
    assert 'href="tel:96110"' in made.html


def test_everything_in_a_long_graphic_stands_in_a_panel() -> None:
    made = html("开头\n\n/// panel | 二\n    tone: soft\n\n话\n///\n\n结尾\n", "long_graphic")
    assert re.findall(r'<section class="([^"]+)">', made) == ["pane plain", "pane soft", "pane plain"]


def test_a_line_of_a_long_graphic_stays_a_line() -> None:
    assert "一句。<br>\n两句。" in html("一句。\n两句。\n", "long_graphic")
    assert "一句。两句。" in html("一句。\n两句。\n", "article")


def test_a_break_between_chinese_leaves_no_space_but_latin_keeps_it() -> None:
    assert "先停一停，再说" in html("先停一停，\n再说\n")
    assert "call\nus" in html("call\nus\n")


def test_a_table_scrolls_in_its_frame() -> None:
    assert re.search(r'<div[^>]*class="wide"[^>]*>\s*<table>', html("| a | b |\n|---|---|\n| 1 | 2 |\n"))


def test_no_heading_level_is_skipped() -> None:
    levels = re.findall(r"<h(\d)", html("/// card | 一\n话\n///\n\n## 二\n\n/// card | 三\n话\n///\n"))
    assert levels == ["2", "2", "3"]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("a\n\n/// panle | x\nb\n///\n", "第 12 行"),
        ("/// card | x\nb\n", "第 10 行"),
        ("a\n\n///\n", "第 12 行"),
        ("/// card | x\n\n/// qa | y\nz\n///\n///\n", "第 12 行"),
        ("/// figure\nb\n///\n", "第 10 行"),
        ("/// no | x\nb\n///\n", "第 10 行"),
        ("/// picture | media/x.svg\n///\n", "第 10 行"),
        ("/// panel | x\n    tone: pink\n\nb\n///\n", "第 11 行"),
        ("/// panel | x\n    shade: soft\n\nb\n///\n", "第 11 行"),
        ("/// figure | 1\n    source: a: b\n\nc\n///\n", "第 11 行"),
        ("# 大标题\n", "第 10 行"),
        ('<img src="media/x.svg">\n', "第 10 行"),
    ],
)
def test_a_wrong_block_is_named_with_its_line(body: str, line: str) -> None:
    assert line in [place for place, _rule in rules(body)], rules(body)


def test_an_unknown_picture_and_a_picture_without_words_are_refused() -> None:
    assert rules("![图](media/none.svg)\n")
    assert rules("![](media/x.svg)\n")
    assert rules("![图](https://foreign.example/x.png)\n")
    assert rules("/// steps\n没有列表\n///\n")


QUIZ = "/// quiz | 先做什么？\n\n- [ ] 照着[做](/p/x)\n- [x] **挂断**再问\n\n对方*看得见*。\n\n- 一\n///\n"


def test_a_quiz_opens_what_is_to_be_said_of_each_answer_without_a_script() -> None:
    made = html(QUIZ + "\n" + QUIZ)
    assert re.findall(r'<details name="(quiz-\d)">', made) == ["quiz-1", "quiz-1", "quiz-2", "quiz-2"]
    wrong, right = re.findall(r'<li class="(?:wrong|right)">(.*?)</details>', made, re.DOTALL)[:2]
    assert "<summary>照着<span>做</span></summary>" in wrong
    assert "看得见" not in wrong
    assert "<summary><strong>挂断</strong>再问</summary>" in right
    assert "<em>看得见</em>" in right
    answer = made.split('<div class="answer">', 1)[1].split("</div>", 1)[0]
    assert "答案：挂断再问" in answer
    assert "看得见" in answer


@pytest.mark.parametrize(
    ("answers", "line"),
    [
        ("- 甲\n- [x] 乙\n\n因为。\n", "第 12 行"),
        ("- [ ] 甲\n- [ ] 乙\n\n因为。\n", "第 10 行"),
        ("- [x] 甲\n- [x] 乙\n\n因为。\n", "第 10 行"),
        ("- [x] 甲\n\n因为。\n", "第 10 行"),
        ("- [ ] 甲\n- [x] 乙\n", "第 10 行"),
        ("没有选项\n", "第 10 行"),
    ],
)
def test_a_quiz_with_no_one_right_answer_or_no_reason_is_refused(answers: str, line: str) -> None:
    assert line in [place for place, _rule in rules(f"/// quiz | 问\n\n{answers}///\n")]


@pytest.mark.parametrize(
    ("options", "href", "words"),
    [
        ("    province: 浙江省\n    city: 杭州市\n", "/o?province=%E6%B5%99%E6%B1%9F%E7%9C%81&amp;city=%E6%9D%AD%E5%B7%9E%E5%B8%82", "找杭州市的网点"),
        ("    city: a&b=\"c\n    label: 去看\n", "/o?text=a%26b%3D%22c", "去看"),
        ("", "/o", "找附近的网点"),
    ],
)  # fmt: skip
def test_a_finder_leads_to_the_outlets_of_a_place(options: str, href: str, words: str) -> None:
    assert f'<a href="{href}" rel="noopener">{words}</a>' in html(f"/// finder | 当面问\n{options}///\n")
