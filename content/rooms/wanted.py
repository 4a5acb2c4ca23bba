"""What a form of the page asks for: `do` names it, the fields beside it are the answer."""

from collections.abc import Sequence

from werkzeug.datastructures import MultiDict

from content.escape_room.game import Bolt
from content.escape_room.judging import Code, Numbers, Value
from content.escape_room.rules import Action
from content.rooms.games import Ready

Form = MultiDict[str, str]
_LONGEST, _MOST = 200, 40  # of a name or a code; of numbers


def action(ready: Ready, form: Form) -> Action:
    """`look:lamp`, `go:door`, `say:2:1`, `leave`, `hint:safe:1`, `answer:safe` with `pick`, `row` or `code`.

    What is none of these becomes an action that the rules refuse.
    """
    verb, _, rest = form.get("do", "").partition(":")
    name, _, number = rest[:_LONGEST].partition(":")
    if verb == "answer":
        return Action("answer", name, _answer(ready.names.get(name), form))
    if verb == "say":
        return Action("say", value=_numbers((name, number)))
    if verb == "hint":
        return Action("hint", name, _numbers((number,)))
    return Action(verb if verb in ("look", "go", "leave") else "", name)


def _answer(bolt: Bolt | None, form: Form) -> Value:
    judge = bolt.judge if bolt else None
    if isinstance(judge, Code):
        return form.get("code", "")[:_LONGEST]
    if isinstance(judge, Numbers):
        return _numbers(form.getlist("row" if judge.row else "pick"))
    return ()


def _numbers(texts: Sequence[str]) -> tuple[int, ...]:
    """Numbers as they came; () when one is none, which no lock takes for an answer."""
    good = len(texts) <= _MOST and all(
        text.isdecimal() and text.isascii() and len(text) < 4 for text in texts
    )
    return tuple(map(int, texts)) if good else ()
