"""What a strip says, as passages: whoever is drawn as a swindler is the other side of a conversation."""

from collections.abc import Iterator
from typing import Any

import yaml

from content import frontmatter
from content.check.source import Passage
from content.strip.parts import parts


def passages(text: str) -> Iterator[Passage]:
    """Speech and captions of the panels, each character with its place in the file."""
    found = frontmatter.split(text)
    if found is None or "strip" not in found[0]:
        return
    try:
        root = yaml.compose(found[0], Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return
    begins = text.index("\n") + 1
    for panel in _items(_named(root, "strip")):
        for person in _items(_named(panel, "cast")):
            yield from _passage(_named(person, "says"), begins, who=_value(_named(person, "who")))
        yield from _passage(_named(panel, "caption"), begins)


def _passage(node: Any, begins: int, who: str = "") -> Iterator[Passage]:
    words = _value(node)
    if not words.strip():
        return
    first = begins + node.start_mark.index + (1 if node.style else 0)
    last = begins + node.end_mark.index - 1
    at = tuple(min(first + number, last) for number in range(len(words)))
    person = parts().people.get(who)
    if person is not None and person.bad:
        yield Passage(words, at, "item", ("talk",), speaker=person.name)
    else:
        yield Passage(words, at, "text")


def _named(node: Any, name: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for key, value in pairs if key.value == name), None)


def _items(node: Any) -> list[Any]:
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _value(node: Any) -> str:
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""
