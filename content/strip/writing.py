"""A strip as the front matter writes it, and put into a text in place of the strip that stands there."""

import json
import re
from collections.abc import Sequence
from typing import Any

import yaml
from pydantic import TypeAdapter, ValidationError

from content import frontmatter
from content.strip.schema import Cast, Panel, Thing
from core.errors import Invalid
from core.i18n import mark

_PANELS: TypeAdapter[list[Panel]] = TypeAdapter(list[Panel])
_FIELD = re.compile(r"^strip:.*\n(?:[ \t-].*\n|[ \t]*\n)*", re.MULTILINE)
_PLAIN = re.compile(r"[a-z_]+")


def as_yaml(panels: Sequence[Panel]) -> str:
    """The field with its name; empty for no panel."""
    if not panels:
        return ""
    return "strip:\n" + "".join(_panel(panel) for panel in panels)


def from_yaml(text: str) -> list[Panel]:
    """The panels of such a text (with or without the field's name); Invalid for anything else."""
    try:
        given: Any = yaml.safe_load(text) if len(text) < 20_000 else None
        if isinstance(given, dict):
            given = given.get("strip")
        return _PANELS.validate_python(given or [])
    except (yaml.YAMLError, ValidationError, ValueError) as error:
        raise Invalid(mark("这不是一组画格，请从文件头的 strip 原样复制。"), field="strip") from error


def of_text(text: str) -> list[Panel]:
    """The panels of a piece; none when its strip cannot be read."""
    parts = frontmatter.split(text)
    found = _FIELD.search(parts[0]) if parts else None
    try:
        return from_yaml(found[0]) if found else []
    except Invalid:
        return []


def put(text: str, panels: Sequence[Panel]) -> str:
    """The text with these panels in its front matter, in place of those that stood there."""
    parts = frontmatter.split(text)
    if parts is None:
        raise Invalid(mark("这篇内容没有文件头。"), field="strip")
    header, body, _line = parts
    written = as_yaml(panels)
    if _FIELD.search(header):
        header = _FIELD.sub(lambda _found: written, header, count=1)
    else:
        header += written
    return f"---\n{header}---\n{body}"


def _panel(panel: Panel) -> str:
    lines = [f"  - place: {panel.place}"]
    if panel.cast:
        lines += ["    cast:", *(f"      - {_person(one)}" for one in panel.cast)]
    if panel.props:
        lines.append(f"    props: [{', '.join(_thing(one) for one in panel.props)}]")
    if panel.caption:
        lines.append(f"    caption: {_text(panel.caption)}")
    return "\n".join(lines) + "\n"


def _person(one: Cast) -> str:
    said = one.model_dump(exclude_none=True)
    order = ("who", "pose", "face", "holds", "at", "says")
    return "{" + ", ".join(f"{name}: {_text(said[name])}" for name in order if name in said) + "}"


def _thing(one: Thing) -> str:
    return f"{{what: {one.what}, at: {one.at}}}" if one.at else one.what


def _text(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)
