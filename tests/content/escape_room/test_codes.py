"""Codes that mean the same are the same; codes that do not are not."""

import pytest

from content.escape_room.codes import normal


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1958", "1958"),
        ("１９５８", "1958"),
        (" 19 58 ", "1958"),
        ("19-58", "1958"),
        ("一九五八", "1958"),
        ("壹玖伍捌", "1958"),
        ("〇一二", "012"),
        ("二○二五", "2025"),
        ("零零七", "007"),
        ("一千九百五十八", "1958"),
        ("十", "10"),
        ("十二", "12"),
        ("二十", "20"),
        ("两百零三", "203"),
        ("三千零二十", "3020"),
        ("一万二千", "12000"),
        ("三亿零五万", "300050000"),
        ("3万", "30000"),
        ("3千2百", "3200"),
        ("幺二三七八", "12378"),
        ("先问一问", "先问一问"),
        ("先问，一问。", "先问一问"),
        ("Open Sesame", "opensesame"),
        ("ＯＰＥＮ", "open"),
        ("三思而行", "三思而行"),
        ("", ""),
        (" - ", ""),
    ],
)
def test_one_form(written: str, meant: str) -> None:
    assert normal(written) == meant


def test_different_codes_stay_different() -> None:
    codes = ["0123", "123", "1230", "一百二十", "一千二百", "先停一停", "先问一问"]
    assert len({normal(code) for code in codes}) == len(codes)
