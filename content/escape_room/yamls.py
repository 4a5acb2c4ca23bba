"""Reads YAML with the line of every field: no names twice, no references, nothing deep, nothing that is not text.

Numbers and true/false are what JSON calls so; everything else (`0123`, `no`, `12:30`, dates) stays the text it is.
"""

import re
from typing import Any

import yaml

from content.escape_room.faults import RoomFault, at
from content.escape_room.outline import Place

_LONGEST, _DEEPEST = 400_000, 40
_INT, _FLOAT = re.compile(r"-?(0|[1-9]\d{0,15})"), re.compile(r"-?(0|[1-9]\d{0,8})\.\d{1,9}")
_PLAIN = {"true": True, "false": False, "null": None, "~": None, "": None}
Lines = dict[Place, int]


def load(text: str) -> tuple[Any, Lines, list[RoomFault]]:
    """The data, the line on which each place of it stands, and what is wrong with the text."""
    if len(text) > _LONGEST:
        return None, {}, [RoomFault("size", words={"most": _LONGEST})]
    try:
        wrong = _scanned(text)
        node = None if wrong else yaml.compose(text, Loader=_LOADER)
    except yaml.YAMLError as error:
        at = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        return None, {}, [RoomFault("yaml", line=_line(at))]
    except (ValueError, RecursionError):
        return None, {}, [RoomFault("yaml")]
    lines: Lines = {}
    data = _built(node, (), lines, wrong) if node is not None else None
    return data, lines, wrong


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _scanned(text: str) -> list[RoomFault]:
    """Looks through the events before anything is built, so that nothing can grow out of a few lines."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        kind = "deep" if depth > _DEEPEST else _refused(event)
        if kind:
            return [RoomFault(kind, line=_line(event.start_mark))]
    return []


def _line(mark: Any) -> int:
    return int(mark.line) + 1 if mark is not None else 0


def _refused(event: yaml.Event) -> str:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
        return "alias"
    return "tag" if getattr(event, "tag", None) not in (None, "!") else ""


def _built(node: yaml.Node, place: Place, lines: Lines, wrong: list[RoomFault]) -> Any:
    lines[place] = _line(node.start_mark)
    if isinstance(node, yaml.SequenceNode):
        return [_built(inner, (*place, number), lines, wrong) for number, inner in enumerate(node.value)]
    if not isinstance(node, yaml.MappingNode):
        return _scalar(node)
    made: dict[str, Any] = {}
    for key, inner in node.value:
        name = str(key.value)
        if name in made:
            wrong.append(
                at(RoomFault("twice", line=_line(key.start_mark), words={"name": name}), (*place, name))
            )
        made[name] = _built(inner, (*place, name), lines, wrong)
        lines[*place, name] = _line(key.start_mark)
    return made


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None):
        return text
    if text in _PLAIN:
        return _PLAIN[text]
    if _INT.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text
