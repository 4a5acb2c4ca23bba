"""What an SMS is charged as, and the words by which its receiver refuses more."""

import pytest

from scheduler.sms_text import missing_opt_out, parts


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("字" * 70, 1),
        ("字" * 71, 2),
        ("字" * 134, 2),
        ("字" * 135, 3),
        ("a" * 70, 1),
        ("a" * 71, 2),
        ("字" * 68 + "😀", 1),
        ("字" * 69 + "😀", 2),
        ("字" * 68 + "𠮷", 1),
    ],
)
def test_a_text_is_counted_in_parts(text: str, count: int) -> None:
    assert parts(text) == count


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("退保前，先问一问。拒收请回复R", False),
        ("【路标保险】先问一问，拒收请回复 R", False),
        ("先问一问，退订回T", False),
        ("先问一问，回复TD退订", True),
        ("先问一问", True),
        ("拒收垃圾短信有办法", True),
        ("拒收请回复RMB", True),
    ],
)
def test_a_promotion_says_how_to_refuse(text: str, missing: bool) -> None:
    assert missing_opt_out(text) is missing
