"""Check digits decide whether a number can be somebody's. All numbers are made up."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from content.check.personal import is_card, is_identity


@pytest.mark.parametrize("number", ["110101194912310024", "440305197804123316", "53010219200508011X"])
def test_a_citizens_number_is_known_by_its_check_digit(number: str) -> None:
    assert is_identity(number)


@given(some.integers(0, 16), some.integers(1, 9))
def test_one_wrong_digit_makes_it_nobodys(place: int, more: int) -> None:
    number = "110101194912310024"
    wrong = str((int(number[place]) + more) % 10)
    assert not is_identity(number[:place] + wrong + number[place + 1 :])


@given(some.integers(0, 18), some.integers(1, 9))
def test_one_wrong_digit_makes_it_no_card(place: int, more: int) -> None:
    number = "6217000010001234569"
    assert is_card(number)
    wrong = str((int(number[place]) + more) % 10)
    assert not is_card(number[:place] + wrong + number[place + 1 :])


@pytest.mark.parametrize("number", ["", "1", "12345678901234", "110101199913310024", "11010119491231002x"])
def test_what_has_not_the_form_is_none(number: str) -> None:
    assert not is_identity(number)
    assert not is_card(number)
