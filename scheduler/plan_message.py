"""The short forms of a message: a summary, the parameters of a template with placeholders, what an SMS comes to."""

import re
from collections.abc import Iterable, Sequence

from core.errors import Invalid
from core.i18n import mark

PLACEHOLDERS = ("name", "link", "institution", "title")
_MOST, _VALUE = 20, 200
_PLACE = re.compile(r"\{([^{}]*)\}")
_FIELD = re.compile(r"\$\{(\w+)\}|\{(\d+)\}")

Pairs = tuple[tuple[str, str], ...]


def parsed(text: str, places: Sequence[str] = PLACEHOLDERS) -> Pairs:
    """The parameters of a form: a line each, `name=text`; Invalid with the line for what is none.

    Their order counts: some platforms number them (1=…, 2=…).
    """
    found: list[tuple[str, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, sign, value = (part.strip() for part in line.partition("="))
        if not sign or not re.fullmatch(r"\w{1,40}", name) or len(value) > _VALUE:
            raise Invalid(
                mark("模板参数第 %(line)s 行须写成“参数名=内容”，内容不超过 200 个字。"),
                field="parameters",
                line=number,
            )
        if name in dict(found):
            raise Invalid(mark("模板参数第 %(line)s 行的名字重复了。"), field="parameters", line=number)
        unknown = [one for one in _PLACE.findall(value) if one not in places]
        if unknown:
            raise Invalid(
                mark("模板参数第 %(line)s 行：没有 {%(name)s}，可用 %(places)s。"),
                field="parameters", line=number, name=unknown[0], places=" ".join(f"{{{one}}}" for one in places),
            )  # fmt: skip
        found.append((name, value))
    if len(found) > _MOST:
        raise Invalid(mark("模板参数最多 %(most)s 个。"), field="parameters", most=_MOST)
    return tuple(found)


def as_text(parameters: Iterable[Sequence[str]]) -> str:
    """Parameters as the form shows them."""
    return "\n".join(f"{name}={value}" for name, value in parameters)


def filled(parameters: Iterable[Sequence[str]], **words: str) -> Pairs:
    """Each parameter with its placeholders filled."""
    return tuple(
        (name, _PLACE.sub(lambda found: words.get(found[1], found[0]), value)) for name, value in parameters
    )


def rendered(template: str, parameters: Pairs) -> str:
    """The text of a template (${code} by name, {1} by place) as a person will read it."""
    named, placed = dict(parameters), [value for _name, value in parameters]

    def word(found: re.Match[str]) -> str:
        if found[1]:
            return named.get(found[1], found[0])
        place = int(found[2]) - 1
        return placed[place] if 0 <= place < len(placed) else found[0]

    return _FIELD.sub(word, template)
