"""Personal data in a text: only numbers that can be somebody's (their check digit is right)."""

import re
from collections.abc import Callable, Iterator

from content.check.found import Found
from content.check.piece import Checked
from content.check.rulesets import Rule, union

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
_GAP = r"[ -]?"
_IDENTITY = re.compile(r"(?<![\dA-Za-z])[1-9](?:[ -]?\d){16}[ -]?[\dXx](?![\dA-Za-z])")
_PHONE = re.compile(rf"(?<![\d.])(?:\+?86{_GAP})?(1[3-9]\d{_GAP}\d{{4}}{_GAP}\d{{4}})(?!\d| ?元)")
_CARD = re.compile(rf"(?<![\dA-Za-z])[3-6]\d{{3}}(?:{_GAP}\d){{11,15}}(?![\dA-Za-z])")
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼]"
    r"[A-HJ-NP-Z][·.\s]?(?=[A-HJ-NP-Z]{0,2}\d)[A-HJ-NP-Z0-9]{5,6}(?![A-Za-z0-9])"
)
_MAIL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def is_identity(text: str) -> bool:
    """Whether 18 characters are a citizen's number (GB 11643—1999: date, check digit by ISO 7064 MOD 11-2)."""
    if not re.fullmatch(r"\d{17}[\dX]", text):
        return False
    year, month, day = int(text[6:10]), int(text[10:12]), int(text[12:14])
    total = sum(int(digit) * weight for digit, weight in zip(text[:17], _WEIGHTS, strict=True))
    return 1900 <= year < 2100 and 1 <= month <= 12 and 1 <= day <= 31 and _CHECKS[total % 11] == text[17]


def is_card(text: str) -> bool:
    """Whether 15 to 19 digits pass Luhn's check (GB/T 15694, ISO/IEC 7812-1)."""
    if not re.fullmatch(r"\d{15,19}", text):
        return False
    total = 0
    for place, char in enumerate(reversed(text)):
        digit = int(char) * (1 + place % 2)
        total += digit - 9 if digit > 9 else digit
    return total % 10 == 0


def _bare(text: str) -> str:
    return re.sub(r"[ -]", "", text).upper()


def personal(rule: Rule, piece: Checked) -> Iterator[Found]:
    """Every number or address that can be a person's, also in quotations and in the fraudster's mouth."""
    roles = union(tuple(rule.words.get("public_mailboxes", ())))
    kinds: tuple[tuple[re.Pattern[str], Callable[[str], bool]], ...] = (
        (_IDENTITY, lambda text: is_identity(_bare(text))),
        (_CARD, lambda text: is_card(_bare(text)) and not is_identity(_bare(text))),
        (_PHONE, lambda _text: True),
        (_PLATE, lambda _text: True),
        (_MAIL, lambda text: roles.match(text.split("@")[0].lower()) is None),
    )
    for passage in piece.source.passages:
        for pattern, is_one in kinds:
            for found in pattern.finditer(passage.text):
                if is_one(found[0]):
                    yield Found.in_passage(passage, *found.span())


_LONG_NUMBER = re.compile(rf"(?<![A-Za-z0-9])(?:\+?\d{_GAP}){{7,24}}[\dXx]?(?![A-Za-z0-9])")


def masked(text: str) -> str:
    """A text of somebody else's without what may be a person's: numbers of seven digits and more, plates, mail."""
    for pattern in (_MAIL, _IDENTITY, _CARD, _PHONE, _PLATE, _LONG_NUMBER):
        text = pattern.sub("***", text)
    return text
