"""Changes the text of a room's file only where its data changes: comments and the hand of whoever wrote it stay.

What cannot be changed in place is written anew as a whole; what comes out is read again, and must say what was meant.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from content.escape_room import yamls
from content.escape_room.outline import Place
from content.making.writing import block, inline


class _Edit(NamedTuple):
    """A stretch of the text, and what stands there instead."""

    begin: int
    end: int
    text: str


class _Anew(Exception):
    """The text cannot be changed in place."""


def spliced(text: str, data: Any) -> str:
    """The text with the least changes that make it say `data`; Anew as a whole where that cannot be done."""
    before, _lines, wrong = yamls.load(text)
    if not wrong and same(before, data):
        return text
    try:
        made = text
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        edits = list(_edits(text, node, before, data, False))
        for edit in sorted(edits, key=lambda one: (one.begin, one.end), reverse=True):
            made = made[: edit.begin] + edit.text + made[edit.end :]
    except (_Anew, yaml.YAMLError):
        made = block(data)
    again, _lines, wrong = yamls.load(made)
    return made if not wrong and same(again, data) else block(data)


def same(one: Any, other: Any) -> bool:
    """Whether two data are alike: names in the same order, 1 is not true."""
    if isinstance(one, dict) and isinstance(other, dict):
        return list(one) == list(other) and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and bool(one == other)


def _edits(text: str, node: Any, old: Any, new: Any, flow: bool) -> Iterator[_Edit]:
    """What to change below a node; Anew when the node itself is another."""
    flow = flow or bool(getattr(node, "flow_style", False))
    if isinstance(old, dict) and isinstance(new, dict) and old:
        yield from _in_mapping(text, node, old, new, flow)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for item, before, after in zip(node.value, old, new, strict=True):
            if not same(before, after):
                yield from _or_whole(text, (None, item), before, after, flow)
    else:
        raise _Anew


def _in_mapping(
    text: str, node: Any, old: dict[str, Any], new: dict[str, Any], flow: bool
) -> Iterator[_Edit]:
    kept = [name for name in old if name in new]
    added = [name for name in new if name not in old]
    if list(new) != kept + added or not kept or (flow and (added or len(kept) < len(old))):
        raise _Anew
    for key, value in node.value:
        name = str(key.value)
        if name not in new:
            yield _dropped(text, key, value)
        elif not same(old[name], new[name]):
            yield from _or_whole(text, (key, value), old[name], new[name], flow)
    if added:
        last = node.value[-1][1]
        at = _line_end(text, _end(last))
        indent = " " * node.value[0][0].start_mark.column
        lines = "".join(_indented(block({name: new[name]}), indent, first=True) for name in added)
        yield _Edit(at, at, "\n" + lines.rstrip("\n"))


def _or_whole(text: str, pair: tuple[Any, Any], old: Any, new: Any, flow: bool) -> Iterator[_Edit]:
    """Changes below a value; where there is no other way, the value as a whole."""
    key, value = pair
    try:
        yield from list(_edits(text, value, old, new, flow))
        return
    except _Anew:
        pass
    if flow:
        yield _Edit(value.start_mark.index, _end(value), inline(new))
    elif key is not None:
        indent = " " * key.start_mark.column
        lines = _indented(block({str(key.value): new}), indent, first=False)
        yield _Edit(key.start_mark.index, _end(value), lines.rstrip("\n"))
    else:
        dash = text.rindex("-", 0, value.start_mark.index)
        indent = " " * (dash - _line_begin(text, dash))
        yield _Edit(dash, _end(value), _indented(block([new]), indent, first=False).rstrip("\n"))


def _dropped(text: str, key: Any, value: Any) -> _Edit:
    begin = _line_begin(text, key.start_mark.index)
    if text[begin : key.start_mark.index].strip():
        raise _Anew  # something stands before it in its line
    end = _line_end(text, _end(value))
    return _Edit(begin, min(end + 1, len(text)), "")


def _end(node: Any) -> int:
    """Where a value ends, without the comments and the empty lines behind it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    end, begin = int(node.end_mark.index), int(node.start_mark.index)
    whole: str = node.start_mark.buffer[begin:end] if node.start_mark.buffer else ""
    return end - (len(whole) - len(whole.rstrip())) if whole else end


def _line_begin(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    found = text.find("\n", at)
    return found if found >= 0 else len(text)


def _indented(lines: str, indent: str, *, first: bool) -> str:
    made = [indent + line if line.strip() else line for line in lines.splitlines(keepends=True)]
    return "".join(made) if first else "".join(made).removeprefix(indent)


def at(data: Any, place: Place) -> Any:
    """What stands at a place of the data; None where nothing does."""
    for step in place:
        known = isinstance(data, dict) and step in data
        listed = isinstance(data, list) and isinstance(step, int) and step < len(data)
        if not (known or listed):
            return None
        data = data[step]
    return data
