"""A part of a room as a form: flat values (as browsers send them) from data, fields from values, data from fields."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from content.escape_room import yamls
from content.escape_room.faults import RULES, RoomFault
from content.escape_room.outline import Place
from content.making.spec import Spec, specs
from content.making.writing import inline
from core.i18n import gettext as _
from core.i18n import mark

Values = dict[str, list[str]]
ROW, NAME = "row", "@"
MOST_ROWS = 60
_WHOLE, _BROKEN = re.compile(r"-?(?:0|[1-9]\d{0,8})"), re.compile(r"-?\d{1,6}\.\d{1,6}")
_YAML = mark("不是正确的 YAML：括号要成对，冒号后要有空格。")


@dataclass
class Row:
    """One of several: `number` tells it from its neighbours while the form is open, `name` is typed for named ones."""

    number: str
    path: str
    name: str
    fields: list["Field"]
    faults: list[str] = field(default_factory=list)


@dataclass
class Field:
    """A field with what was typed in it; `place` is where it stands in the file."""

    spec: Spec
    path: str
    place: Place
    value: str = ""
    en: str = ""
    chosen: Sequence[str] = ()
    fields: list["Field"] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def all(self) -> Iterator["Field"]:
        """This field and all below it."""
        yield self
        for one in [*self.fields, *(inner for row in self.rows for inner in row.fields)]:
            yield from one.all()


def flatten(model: type[BaseModel], data: Any, prefix: str = "") -> Values:
    """The values of a form that shows this data; what is not of the field's kind is left out."""
    found: Values = {}
    for spec in specs(model):
        item = data.get(spec.key) if isinstance(data, dict) else None
        if item is not None:
            _FLAT.get(spec.kind, _flat_small)(spec, item, f"{prefix}{spec.key}", found)
    return found


def _flat_small(spec: Spec, item: Any, path: str, found: Values) -> None:
    if spec.kind == "yaml":
        found[path] = [inline(item)]
    elif spec.kind == "flag":
        found[path] = ["1"] if item is True else []
    elif not isinstance(item, dict | list):
        found[path] = [f"{item:g}" if isinstance(item, float) else str(item)]


def _flat_text(_spec: Spec, item: Any, path: str, found: Values) -> None:
    words = item if isinstance(item, dict) else {"zh": item}
    found[f"{path}.zh"], found[f"{path}.en"] = [_plain(words.get("zh"))], [_plain(words.get("en"))]


def _flat_words(spec: Spec, item: Any, path: str, found: Values) -> None:
    words = [str(one) for one in (item if isinstance(item, list) else [item])]
    found[path] = ["\n".join(words)] if spec.kind == "words" else words


def _flat_group(spec: Spec, item: Any, path: str, found: Values) -> None:
    if spec.kind == "box" and isinstance(item, list):
        item = dict(zip("xywh", item, strict=False))
    found.update(flatten(spec.model or BaseModel, item, f"{path}."))


def _flat_rows(spec: Spec, item: Any, path: str, found: Values) -> None:
    named = list(item.items()) if isinstance(item, dict) else [("", one) for one in item]
    found[f"{path}.{ROW}"] = [str(number) for number in range(len(named))]
    for number, (name, one) in enumerate(named):
        found[f"{path}.{number}.{NAME}"] = [name]
        found.update(flatten(spec.model or BaseModel, one, f"{path}.{number}."))


_FLAT = {
    "text": _flat_text,
    "words": _flat_words,
    "refs": _flat_words,
    "some_of": _flat_words,
    "group": _flat_group,
    "box": _flat_group,
    "rows": _flat_rows,
    "named": _flat_rows,
}


def _plain(item: Any) -> str:
    return "" if item is None else str(item).strip()


def build(model: type[BaseModel], values: Values, place: Place, prefix: str = "") -> list[Field]:
    """The fields of a form with these values."""
    return [_field(spec, values, f"{prefix}{spec.key}", (*place, spec.key)) for spec in specs(model)]


def _field(spec: Spec, values: Values, path: str, place: Place) -> Field:
    made = Field(spec, path, place)
    if spec.kind == "text":
        made.value, made.en = _one(values, f"{path}.zh"), _one(values, f"{path}.en")
    elif spec.kind in ("refs", "some_of"):
        made.chosen = tuple(values.get(path, ()))
    elif spec.kind in ("group", "box"):
        made.fields = build(spec.model or BaseModel, values, place, f"{path}.")
    elif spec.kind in ("rows", "named"):
        made.rows = list(_rows(spec, values, path, place))
    else:
        made.value = _one(values, path)
        if spec.kind == "fixed":
            made.value = spec.options[0]
    return made


def _rows(spec: Spec, values: Values, path: str, place: Place) -> Iterator[Row]:
    numbers = [one for one in values.get(f"{path}.{ROW}", ()) if one.isdecimal() and len(one) < 5]
    for at, number in enumerate(dict.fromkeys(numbers[:MOST_ROWS])):
        name = _one(values, f"{path}.{number}.{NAME}")
        mine = (*place, name if spec.kind == "named" else at)
        fields = build(spec.model or BaseModel, values, mine, f"{path}.{number}.")
        yield Row(number, f"{path}.{number}", name, fields)


def _one(values: Values, path: str) -> str:
    return "".join(values.get(path, ())[:1]).replace("\r\n", "\n").strip()


def read(fields: Sequence[Field]) -> dict[str, Any]:
    """The data that a form says; what cannot be said is noted at its field (see `ill`), and left out."""
    found: dict[str, Any] = {}
    for one in fields:
        data = _READ.get(one.spec.kind, _read_small)(one)
        if data is not None:
            found[one.spec.key] = data
    return found


def ill(fields: Sequence[Field]) -> bool:
    """Whether anything is noted at any field."""
    return any(one.faults or any(row.faults for row in one.rows) for each in fields for one in each.all())


def _read_small(one: Field) -> Any:
    kind, text = one.spec.kind, one.value
    if kind == "flag":
        return True if text else None
    if not text:
        return None
    if kind == "number":
        return int(text) if _WHOLE.fullmatch(text) else float(text) if _BROKEN.fullmatch(text) else text
    return text


def _read_yaml(one: Field) -> Any:
    if not one.value:
        return None
    data, _lines, wrong = yamls.load(one.value)
    if wrong:
        own = wrong[0].kind if wrong[0].kind != "yaml" else ""
        one.faults.append(RoomFault(own, words=wrong[0].words).rule if own in RULES else _(_YAML))
        return None
    return data


def _read_text(one: Field) -> Any:
    if not one.value and not one.en:
        return None
    if not one.value:
        one.faults.append(_("请先写中文。"))
    return {"zh": one.value, "en": one.en} if one.en else {"zh": one.value}


def _read_words(one: Field) -> Any:
    if one.spec.kind != "words":
        return list(one.chosen) or None
    return [line.strip() for line in one.value.splitlines() if line.strip()] or None


def _read_group(one: Field) -> Any:
    data = read(one.fields)
    if one.spec.kind == "box" and len(data) == len(one.fields):
        return list(data.values())
    return data if data or one.spec.required else None


def _read_rows(one: Field) -> Any:
    if one.spec.kind == "rows":
        return [read(row.fields) for row in one.rows] or None
    found: dict[str, Any] = {}
    for row in one.rows:
        if row.name in found:
            row.faults.append(RoomFault("twice", words={"name": row.name}).rule)
        found[row.name] = read(row.fields)
    return found or None


_READ = {
    "yaml": _read_yaml,
    "text": _read_text,
    "words": _read_words,
    "refs": _read_words,
    "some_of": _read_words,
    "group": _read_group,
    "box": _read_group,
    "rows": _read_rows,
    "named": _read_rows,
}
