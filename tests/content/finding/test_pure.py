"""What needs no database: folding, plain words, what to read next, the directory of guides, topics."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.finding import subjects
from content.finding.directory import directory
from content.finding.folding import fold
from content.finding.plain import plain
from content.finding.question import asked
from content.finding.related import related
from content.frontmatter import RIGHTS
from content.guiding import SUITS, TASKS, WAY_LINES, WAYS
from content.listing import PublishedPiece
from core.errors import NotFound

DAY = datetime(2026, 1, 1, tzinfo=UTC)


def piece(key: str, kind: str = "article", **more: object) -> PublishedPiece:
    """A piece on the site."""
    values = {
        "title": key, "title_en": "", "summary": "", "summary_en": "", "kicker": "", "minutes": None, "theme": "plain",
        "cover_url": "", "cover_alt": "", "cover_width": None, "cover_height": None, "published_at": DAY,
        "first_published_at": DAY, **more,
    }  # fmt: skip
    return PublishedPiece(key=key, kind=kind, **values)  # type: ignore[arg-type]


@given(st.text(max_size=60))
def test_folding_keeps_every_place_and_folding_again_changes_nothing(text: str) -> None:
    folded = fold(text)
    assert len(folded) == len(text)
    assert fold(folded) == folded


@given(st.text(max_size=80))
def test_nothing_that_is_typed_breaks_the_reading_of_it(text: str) -> None:
    question = asked(text)
    assert all(word.text for word in (*question.words, *question.core, *question.pairs))
    assert len(question.words) <= 8


def test_folding() -> None:
    assert fold("ＡＩ換臉　１２３７８，理賠怎麼辦？") == "ai换脸 12378,理赔怎么办?"


def test_the_words_of_a_body_without_its_marks() -> None:
    found = plain(
        "---\nkey: x\n---\n## 先**停**\n\n/// panel | 他们怎么说\n    tone: soft\n\n- 对方：转账<br>快\n///\n\n"
        '/// picture | media/x.svg\n    alt: "一把黄伞"\n///\n| 事 | 天 |\n|---|---|\n| 理赔 | 30 |\n\n看[这里](https://e.cn/a)。\n'
    )
    assert found.headings == "先停\n他们怎么说"
    assert found.words == "对方：转账快\n一把黄伞\n事 天\n理赔 30\n看这里。"


def test_what_shares_rare_topics_comes_first_and_another_form_before_the_same() -> None:
    here = piece("here", topics=("退保", "骗局"), rights=("知情权",))
    same = piece("same", topics=("骗局",))
    other = piece("other", "long_graphic", topics=("骗局",))
    rare = piece("rare", topics=("退保",))
    newest = piece("newest", first_published_at=DAY + timedelta(days=9))
    found = related([newest, same, other, rare, here], here, most=4)
    assert [one.key for one in found] == ["other", "rare", "same", "newest"] or found[0].key == "rare"
    assert found[-1].key == "newest"
    assert here not in found


def test_no_kind_takes_all_places() -> None:
    here = piece("here", topics=("骗局",))
    others = [piece(f"a{n}", topics=("骗局",)) for n in range(5)]
    graphic = piece("graphic", "long_graphic", rights=("知情权",))
    assert "graphic" in {one.key for one in related([*others, graphic, here], here)}


def test_the_directory_is_narrowed_by_both_and_a_choice_says_whether_anything_is_left() -> None:
    counter = piece("counter", "guide", way="counter", tasks=("claim", "ask"), suits=("face",))
    phone = piece("phone", "guide", way="phone", tasks=("ask",), suits=("home", "call"))
    steps = piece("claims", "guide", tasks=("claim",))
    guides = [counter, steps, phone]
    everything = directory(guides)
    assert [way.key for way in everything.ways] == ["phone", "counter"]
    assert everything.others == [steps]
    claim = directory(guides, "claim", "home")
    assert claim.ways == [] and claim.others == [steps]  # how to claim suits everybody
    assert {one.key: one.count for one in claim.suits}["face"] == 2
    assert {one.key: one.count for one in directory(guides, "leave").suits}["home"] == 0
    assert directory(guides, "<script>", "nobody").count == 3


def test_every_way_has_its_line() -> None:
    assert WAYS.keys() == WAY_LINES.keys()
    assert len(WAYS) == 7
    assert TASKS and SUITS


def test_topics_and_rights() -> None:
    published = [
        piece("a", topics=("退保", "骗局"), rights=("知情权",)),
        piece("b", "guide", topics=("骗局",)),
    ]
    page = subjects.topic(published, "骗局")
    assert [(kind, [one.key for one in found]) for kind, _name, found in page.groups] == [
        ("article", ["a"]), ("guide", ["b"])
    ]  # fmt: skip
    assert page.beside == ["退保"]
    assert [right.key for right in subjects.rights(published)] == list(RIGHTS)
    assert subjects.right(published, "information").count == 1
    assert subjects.right(published, "data").count == 0
    for wrong in ("没有", ""):
        with pytest.raises(NotFound):
            subjects.topic(published, wrong)
    with pytest.raises(NotFound):
        subjects.right(published, "nothing")
