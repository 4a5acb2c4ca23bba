"""content.comparison: what changed, with its line numbers and its pictures."""

from content.comparison import compare, words

A, B = {"sha256": "a"}, {"sha256": "b"}


def test_changed_lines_keep_their_numbers() -> None:
    made = compare("1\n2\n3\n4\n5\n", "1\n2\nthree\n4\n5\n6\n", {}, {})
    lines = [
        (line.kind, line.text, line.before, line.after) for stretch in made.stretches for line in stretch
    ]
    assert ("gone", "3", 3, None) in lines
    assert ("new", "three", None, 3) in lines
    assert ("new", "6", None, 6) in lines
    assert ("same", "4", 4, 4) in lines


def test_far_apart_changes_are_stretches_of_their_own() -> None:
    old = [str(number) for number in range(40)]
    new = ["first", *old[1:39], "last"]
    made = compare("\n".join(old), "\n".join(new), {}, {})
    assert len(made.stretches) == 2
    assert all(len(stretch) <= 5 for stretch in made.stretches)


def test_pictures_come_go_and_change() -> None:
    made = compare("x", "x", {"media/a.svg": A, "media/b.svg": A}, {"media/b.svg": B, "media/c.svg": A})
    assert made.pictures == (("gone", "media/a.svg"), ("changed", "media/b.svg"), ("new", "media/c.svg"))
    assert not made.is_empty
    assert compare("x", "x", {}, {}).is_empty


def test_within_a_line_the_words_that_changed_are_known() -> None:
    before, after = words("读 300 字，保证收益", "读 3,500 字，不保证收益")
    assert [text for changed, text in before if changed] == ["300"]
    assert [text for changed, text in after if changed] == ["3,500", "不"]
    assert "".join(text for _changed, text in after) == "读 3,500 字，不保证收益"


def test_a_line_is_set_against_the_one_it_became_and_not_against_any_other() -> None:
    made = compare("先停一停再转账\n", "完全是另外的话\n先停一停，再转账\n", {}, {})
    parts = {line.text: line.parts for line in made.stretches[0]}
    assert parts["完全是另外的话"] == ()
    assert (True, "，") in parts["先停一停，再转账"]
