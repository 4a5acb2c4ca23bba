"""content.reviewing.anchoring: a passage is found again by its words, wherever it went."""

from hypothesis import given
from hypothesis import strategies as st

from content.reviewing import anchoring
from content.reviewing.anchoring import Place, Standing

TEXT = "---\nkey: a\n---\n\n先停一停。\n\n问一问，\n再转账。\n\n先停一停。\n"


def test_words_that_stand_twice_are_told_apart_by_what_stands_around_them() -> None:
    first, second = anchoring.anchor(TEXT, 5, 5), anchoring.anchor(TEXT, 10, 10)
    assert first is not None and second is not None
    moved = "---\nkey: a\n---\n\n新的一段。\n\n先停一停。\n\n问一问，\n再转账。\n\n先停一停。\n"
    assert anchoring.find(moved, first) == Place(7, 7, Standing.same)
    assert anchoring.find(moved, second) == Place(12, 12, Standing.same)


def test_a_passage_that_was_reworded_is_found_by_likeness_and_one_that_left_is_gone() -> None:
    made = anchoring.anchor(TEXT, 7, 8)
    assert made is not None and made.quote == "问一问，\n再转账。"
    changed = TEXT.replace("问一问，\n再转账。", "先问一问，\n再去转账。")
    assert anchoring.find(changed, made) == Place(7, 8, Standing.changed)
    assert anchoring.find("别的话都换了\n", made).standing is Standing.gone


def test_only_words_that_stand_there_make_an_anchor() -> None:
    assert anchoring.anchor(TEXT, 7, 8, "再转账") is not None
    assert anchoring.anchor(TEXT, 7, 8, "没有这些字") is None
    assert anchoring.anchor(TEXT, 0, 2) is None
    assert anchoring.anchor(TEXT, 3, 99) is None
    assert anchoring.anchor(TEXT, 4, 4) is None, "an empty line says nothing"


def test_chunks_are_the_paragraphs_with_their_lines() -> None:
    found = [(one.first, one.last) for one in anchoring.chunks(TEXT)]
    assert found == [(1, 3), (5, 5), (7, 8), (10, 10)]


WORDS = st.lists(st.text("停问办钱家老一二三。\n", min_size=1, max_size=12), min_size=2, max_size=8)


@given(WORDS, WORDS, st.integers(0, 7))
def test_what_was_only_added_around_never_loses_a_passage(
    before: list[str], parts: list[str], at: int
) -> None:
    text = "\n\n".join(parts)
    quote = parts[at % len(parts)]
    made = anchoring.at_offset(text, text.index(quote), len(quote))
    later = "\n\n".join([*before, text])
    found = anchoring.find(later, made)
    assert found.standing is Standing.same
    assert later.splitlines() and quote.strip("\n") in later
