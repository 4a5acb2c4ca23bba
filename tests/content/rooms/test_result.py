"""content.rooms.result: a result is signed, a nickname is looked at and kept nowhere else."""

from datetime import date

import pytest

from content.rooms.result import Result, Results, named
from core.errors import Invalid, NotFound
from core.signing import Keys

RESULTS = Results(Keys(b"one secret"))
DONE = Result(3, 1, 86, date(2026, 11, 26), 312, 0b101, "ab" * 10, "小林 1号")


@pytest.mark.parametrize("result", [DONE, DONE._replace(seconds=None, nickname="", facts=0)])
def test_a_result_is_verified_as_it_was_signed(result: Result) -> None:
    token = RESULTS.sign(result)
    assert RESULTS.verify(token) == result
    assert token.replace("~", "").replace("-", "").replace("_", "").isalnum()
    assert len(token) < 180


def test_a_changed_result_is_none_of_ours() -> None:
    token = RESULTS.sign(DONE)
    for at, sign in enumerate(token):
        with pytest.raises(NotFound):
            RESULTS.verify(token[:at] + ("A" if sign != "A" else "B") + token[at + 1 :])
    with pytest.raises(NotFound):
        Results(Keys(b"another")).verify(token)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("", ""), ("  ", ""), (" 小 林 ", "小 林"), ("Ｌｉｎ", "Lin"), ("奶奶·1958", "奶奶·1958")],
)
def test_a_nickname_is_brought_into_one_form(typed: str, shown: str) -> None:
    assert named(typed) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "<b>x</b>",
        "a&b",
        "一二三四五六七八九十一二三",
        "13800001111",
        "138 0000 1111",
        "路标官方客服",
        "官 方",
        "FuCk",
        "加我QQ",
        "a\u202eb",
        "x\ny<",
    ],
)
def test_a_nickname_that_may_not_be_is_refused(typed: str) -> None:
    with pytest.raises(Invalid):
        named(typed)
