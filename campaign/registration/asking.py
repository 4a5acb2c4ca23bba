"""Questions of an event: a choice, each option with its own seats where wanted, or a text. Each says why it is asked."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import Invalid
from core.i18n import mark

CHOICE, TEXT = "choice", "text"
_LONGEST = 300


def checked(
    questions: Sequence[Mapping[str, Any]], chosen: Mapping[str, str], answers: Mapping[str, str]
) -> list[tuple[str, str]]:
    """The chosen [question, option] pairs; Invalid for an answer that is missing, unknown or too long."""
    pairs = []
    known = {str(one["key"]): one for one in questions}
    for key, question in known.items():
        if question["kind"] == CHOICE:
            option = chosen.get(key, "")
            _check_choice(key, question, option)
            if option:
                pairs.append((key, option))
        else:
            _check_text(key, question, answers.get(key, ""))
    strange = (set(chosen) | set(answers)) - set(known)
    if strange:
        raise Invalid(mark("报名表里有不认识的问题，请重新打开页面再填。"))
    return pairs


def _check_choice(key: str, question: Mapping[str, Any], option: str) -> None:
    if not option and question.get("required"):
        raise Invalid(mark("请选择“%(label)s”。"), field=f"q-{key}", label=question["label"])
    if option and option not in {str(one["key"]) for one in question["options"]}:
        raise Invalid(mark("“%(label)s”没有这个选项，请重新选。"), field=f"q-{key}", label=question["label"])


def _check_text(key: str, question: Mapping[str, Any], text: str) -> None:
    if not text.strip() and question.get("required"):
        raise Invalid(mark("请填写“%(label)s”。"), field=f"q-{key}", label=question["label"])
    if len(text) > _LONGEST:
        raise Invalid(
            mark("“%(label)s”请写短一点，不超过 %(most)s 字。"),
            field=f"q-{key}",
            label=question["label"],
            most=_LONGEST,
        )
