"""The questions of an event as people write them, a line each, and as the form of a registration asks them.

    组别* / Group | 按组安排座位 / Seats are by group      a question: label, * when it must be answered, reason
    - 上午组 / Morning = 10                                 an option of its choice, with seats of its own
    - 下午组 / Afternoon                                    … without
    想问什么 / Your question                                 a question without options is answered in words

A question that keeps its label keeps its key, and so does an option: what people chose stays theirs.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.errors import Invalid
from core.i18n import mark

MOST, MOST_OPTIONS, LARGEST = 5, 12, 100_000
Question = dict[str, Any]


def read(text: str, known: Sequence[Mapping[str, Any]] = ()) -> list[Question]:
    """The questions that the lines say; Invalid names the line and the rule."""
    found: list[Question] = []
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if not stripped:
            continue
        if stripped.startswith("-"):
            _add_option(found, stripped[1:].strip(), number, known)
        else:
            found.append(_question(stripped, number, known, found))
    for one in found:
        one["kind"] = "choice" if one["options"] else "text"
    if len(found) > MOST:
        raise Invalid(mark("最多问 %(most)s 个问题：问得越多，报名的人越少。"), field="questions", most=MOST)
    return found


def written(questions: Iterable[Mapping[str, Any]]) -> str:
    """The questions as lines again."""
    lines = []
    for one in questions:
        label = _both(f"{one['label']}{'*' if one.get('required') else ''}", one.get("label_en", ""))
        reason = _both(one.get("reason", ""), one.get("reason_en", ""))
        lines.append(f"{label} | {reason}" if reason else label)
        for option in one.get("options") or ():
            seats = "" if option.get("capacity") is None else f" = {option['capacity']}"
            lines.append(f"- {_both(option['label'], option.get('label_en', ''))}{seats}")
    return "\n".join(lines)


def _question(
    line: str, number: int, known: Sequence[Mapping[str, Any]], before: Sequence[Question]
) -> Question:
    head, _bar, reason = (part.strip() for part in line.replace("｜", "|").partition("|"))
    label, english = _parts(head)
    required = label.endswith(("*", "＊"))
    label = label.rstrip("*＊ ")
    why, why_en = _parts(reason)
    _check(label, number, 60)
    _check(why or label, number, 120)
    if any(one["label"] == label for one in before):
        raise Invalid(
            mark("第 %(line)s 行：“%(label)s”写了两次。"), field="questions", line=number, label=label
        )
    return {
        "key": _key(label, known, "q", len(before) + 1), "label": label, "label_en": english[:90], "reason": why,
        "reason_en": why_en[:180], "required": required, "options": [],
    }  # fmt: skip


def _add_option(
    found: Sequence[Question], line: str, number: int, known: Sequence[Mapping[str, Any]]
) -> None:
    if not found:
        raise Invalid(mark("第 %(line)s 行：选项要写在它的问题下面。"), field="questions", line=number)
    head, equals, seats = (part.strip() for part in line.replace("＝", "=").partition("="))
    if equals and not (seats.isdecimal() and int(seats) <= LARGEST):
        raise Invalid(mark("第 %(line)s 行：等号后面写名额，是一个数。"), field="questions", line=number)
    label, english = _parts(head)
    _check(label, number, 40)
    question = found[-1]
    options = question["options"]
    if any(one["label"] == label for one in options) or len(options) >= MOST_OPTIONS:
        raise Invalid(
            mark("第 %(line)s 行：选项不能重复，最多 %(most)s 个。"),
            field="questions", line=number, most=MOST_OPTIONS,
        )  # fmt: skip
    before = next((one.get("options") or () for one in known if one["key"] == question["key"]), ())
    key = _key(label, before, "o", len(options) + 1)
    options.append(
        {"key": key, "label": label, "label_en": english[:60], "capacity": int(seats) if equals else None}
    )


def _parts(text: str) -> tuple[str, str]:
    chinese, _slash, english = text.replace("／", "/").partition("/")
    return chinese.strip(), english.strip()


def _both(chinese: str, english: str) -> str:
    return f"{chinese} / {english}" if english else chinese


def _check(label: str, number: int, most: int) -> None:
    if not label or len(label) > most or not label.isprintable():
        raise Invalid(
            mark("第 %(line)s 行：要有文字，不超过 %(most)s 字。"), field="questions", line=number, most=most
        )


def _key(label: str, known: Iterable[Mapping[str, Any]], letter: str, number: int) -> str:
    """The key that this label has had, or one that no other has."""
    keys = {str(one["label"]): str(one["key"]) for one in known}
    if label in keys:
        return keys[label]
    taken = set(keys.values())
    while f"{letter}{number}" in taken:
        number += 1
    return f"{letter}{number}"
