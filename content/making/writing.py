"""Writes data as the YAML of a room, in one hand: what is short stands in a line, long texts stand as they are."""

import json
from typing import Any

import yaml

_SHORT = 92


class _Outer(dict[str, Any]):
    """What stands outermost: always in lines."""


class _OuterList(list[Any]):
    """The same for a list."""


class _Writer(yaml.SafeDumper):
    """Without references, which a room's file may not have."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never `&` and `*`."""
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists stand further in than what they belong to."""
        super().increase_indent(flow, False)


def _text(writer: yaml.SafeDumper, text: str) -> yaml.Node:
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


def _mapping(writer: yaml.SafeDumper, data: dict[str, Any]) -> yaml.Node:
    return writer.represent_mapping("tag:yaml.org,2002:map", data.items(), flow_style=_inline(data))


def _list(writer: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    return writer.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=_inline(data))


def _inline(data: Any) -> bool:
    if isinstance(data, _Outer | _OuterList):
        return False
    if isinstance(data, list) and not any(isinstance(one, dict | list) for one in data):
        return True
    text = json.dumps(data, ensure_ascii=False)
    width = sum(2 if ord(sign) > 0x2E7F else 1 for sign in text)
    return width <= _SHORT and "\\n" not in text


_Writer.add_representer(str, _text)
_Writer.add_representer(dict, _mapping)
_Writer.add_representer(list, _list)
_Writer.add_representer(_Outer, _mapping)
_Writer.add_representer(_OuterList, _list)


def block(data: Any) -> str:
    """Data as lines, the last one ended."""
    data = _Outer(data) if isinstance(data, dict) else _OuterList(data) if isinstance(data, list) else data
    return yaml.dump(data, Dumper=_Writer, allow_unicode=True, sort_keys=False, width=1_000_000)


def inline(data: Any) -> str:
    """Data in one line, as it may stand within braces."""
    text = yaml.dump(
        data, Dumper=yaml.SafeDumper, allow_unicode=True, sort_keys=False, width=1_000_000, default_flow_style=True
    )  # fmt: skip
    return text.removesuffix("...\n").strip()
