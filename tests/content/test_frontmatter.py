"""content.frontmatter: strict, and every fault names its field."""

import pytest

from content import frontmatter
from content.drafting import check
from tests.content.pieces import text


def faults(header: str) -> dict[str, str]:
    return {fault.field: fault.rule for fault in frontmatter.read("a.md", header)[1]}


GOOD = "key: a\nkind: article\ntitle: 题\nsummary: 话\n"


def test_a_good_header_is_read_whole() -> None:
    front, wrong = frontmatter.read(
        "a.md",
        GOOD
        + 'theme: warning\nminutes: 3\nrights: [知情权]\nreview_by: 2027-06-30\nhelp: [{label: 反诈, phone: "96110"}]\n',
    )
    assert not wrong
    assert front is not None
    assert (front.theme, front.minutes, front.help[0].phone) == ("warning", 3, "96110")


@pytest.mark.parametrize(
    ("header", "field"),
    [
        (GOOD.replace("key: a", "key: Big_Key"), "key"),
        (GOOD.replace("kind: article", "kind: poster"), "kind"),
        (GOOD.replace("summary: 话\n", ""), "summary"),
        (GOOD + "colour: red\n", "colour"),
        (GOOD + "heading: 一<b>二</b>\n", "heading"),
        (GOOD + "theme: pink\n", "theme"),
        (GOOD + 'minutes: "3"\n', "minutes"),
        (GOOD + "cover: media/x.svg\n", "cover_alt"),
        (GOOD + "cover: http://foreign.example/x.svg\ncover_alt: 图\n", "cover"),
        (GOOD + "rights: [发财权]\n", "rights.0"),
        (GOOD + "help: [{label: 反诈, phone: 96110}]\n", "help.0.phone"),
        (GOOD + 'help: [{label: 反诈, phone: "call me"}]\n', "help.0.phone"),
        (GOOD + "review_by: 明年\n", "review_by"),
        (GOOD.replace("kind: article", "kind: diary"), "number"),
        (GOOD + "title: 2026-01-01\n", "title"),
        ("key: [unclosed\n", "第 3 行"),
        ("just words\n", ""),
    ],
)
def test_a_fault_names_its_field(header: str, field: str) -> None:
    assert field in faults(header), faults(header)
    assert all(rule for rule in faults(header).values())


def test_a_heading_may_only_break() -> None:
    assert not faults(GOOD + "heading: 一<br>二<wbr>三\n")


@pytest.mark.parametrize("given", ["", "no header\n", "---\nkey: a\n", text(body=" \n")])
def test_a_file_without_header_or_body_is_refused(given: str) -> None:
    draft, wrong = check("a.md", given, {})
    assert draft is None
    assert wrong


def test_control_characters_are_refused() -> None:
    draft, wrong = check("a.md", text(body="a\x00b"), {})
    assert draft is None
    assert wrong
