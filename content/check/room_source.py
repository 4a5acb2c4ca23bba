"""The file of a room as passages: every Chinese text with its place; what is told in scenes is a tale."""

import re
from collections.abc import Iterator

import yaml

from content.check.source import Passage, Source, read_lines

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
# What the institution itself says in a room; all else is told by the people of the tale.
_OURS = frozenset({"title", "summary", "kicker", "cover_alt", "endings", "help", "helper", "facts"})
# Names, not sentences; and the other language.
_UNSAID = frozenset({"en", "sources", "source", "topics", "rights", "audience", "law"})


def read_room(file: str, text: str) -> Source:
    """Read the file of a room; one that is no YAML has no passages (what is wrong with it says its own check)."""
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except (yaml.YAMLError, ValueError, RecursionError):
        node = None
    found = tuple(_passages(text, node, ())) if node is not None else ()
    return Source(file, text, 0, found, ())


def _passages(text: str, node: yaml.Node, path: tuple[str, ...]) -> Iterator[Passage]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            name = str(key.value)
            if name not in _UNSAID and not (name == "right" and isinstance(value, yaml.ScalarNode)):
                yield from _passages(text, value, (*path, name))
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _passages(text, value, path)
    elif isinstance(node, yaml.ScalarNode) and _CHINESE.search(node.value):
        start, raw = node.start_mark.index, text[node.start_mark.index : node.end_mark.index]
        lead = len(raw) - len(raw.lstrip("\"'|> "))
        # An escaped line break is two characters of the file: both become one, so that every place stays true.
        words, at = read_lines([(start + lead, raw[lead:].rstrip("\"' ").replace("\\n", "\n\n"))])
        name = next((each for each in reversed(path) if each not in ("zh", "text")), "")
        role = "text" if path[0] in _OURS else "tale"
        yield Passage(words, at, role, name=name, titles=("案",))
