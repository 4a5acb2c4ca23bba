"""A telephone number under another area code."""

import pytest

from core.errors import Invalid
from institution.outlet_bulk import PHONE, value_of, with_area


@pytest.mark.parametrize(
    ("phone", "expected"),
    [
        ("0571-88001234", "0572-88001234"),
        ("057188001234", "0572-88001234"),
        ("(0571)88001234", "0572-88001234"),
        ("（010）6600 1234", "0572-6600 1234"),
        ("01066001234", "0572-66001234"),
        ("88001234", "0572-88001234"),
        ("8800123", "0572-8800123"),
        ("0571-88001234-801", "0572-88001234-801"),
    ],
)
def test_the_number_stays_and_the_area_changes(phone: str, expected: str) -> None:
    assert with_area(phone, "0572") == expected


@pytest.mark.parametrize("phone", ["", "95519", "13812345678", "400-811-9999", "请到柜面"])
def test_what_is_no_fixed_number_stays_as_it_is(phone: str) -> None:
    with pytest.raises(Invalid):
        with_area(phone, "0572")


@pytest.mark.parametrize("area", ["", "571", "05712", "０５７１", "abc"])
def test_an_area_code_is_one(area: str) -> None:
    with pytest.raises(Invalid):
        value_of(PHONE, area)
