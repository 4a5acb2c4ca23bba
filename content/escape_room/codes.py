"""One form for codes that mean the same: full width, capitals, spaces, Chinese numerals."""

import re
import unicodedata

_DIGITS = {
    **{sign: value for value, sign in enumerate("零一二三四五六七八九")},
    **{sign: value for value, sign in enumerate("零壹贰叁肆伍陆柒捌玖")},
    **{"〇": 0, "○": 0, "两": 2, "幺": 1},
    **{str(value): value for value in range(10)},
}
_UNITS = {"十": 10, "拾": 10, "百": 100, "佰": 100, "千": 1000, "仟": 1000}
_BIG = {"万": 10**4, "亿": 10**8}
_BETWEEN = re.compile(r"[\s\-_·,，、.。．/()（）“”\"'‘’:：;；]+")


def normal(text: str) -> str:
    """`１９ 55`, `一九五五` → `1955`; `三千零二十` → `3020`; `Open Sesame` → `opensesame`; a word stays a word."""
    plain = _BETWEEN.sub("", unicodedata.normalize("NFKC", text).casefold())
    if not plain or any(sign not in _DIGITS and sign not in _UNITS and sign not in _BIG for sign in plain):
        return plain
    if all(sign in _DIGITS for sign in plain):
        return "".join(str(_DIGITS[sign]) for sign in plain)
    return str(_value(plain))


def _value(numeral: str) -> int:
    """The number that a Chinese numeral with units says; digits before a unit may be Arabic (3千2百)."""
    total = section = number = 0
    for sign in numeral:
        if sign in _DIGITS:
            number = number * 10 + _DIGITS[sign]
        elif sign in _UNITS:
            section, number = section + (number or 1) * _UNITS[sign], 0
        elif sign == "亿":
            total, section, number = (total + section + number or 1) * _BIG[sign], 0, 0
        else:
            total, section, number = total + (section + number or 1) * _BIG[sign], 0, 0
    return total + section + number
