"""What a form must know of a part of a room, read off the models of the format: no form is written by hand."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

from content.escape_room.conditions import Clause, Condition
from content.escape_room.format import Box, Dialogue
from content.escape_room.locks import ConversationLock
from content.escape_room.texts import Text
from content.making.labels import HINTS, label
from content.making.parts import TABLES

# Names of other parts, by the field they stand in: the list they are from ("lines": of the part itself).
_REFERS = {
    "to": "scenes",
    "start": "scenes",
    "lock": "locks",
    "by": "characters",
    "advises": "characters",
    "next": "lines",
    "teaches": "facts",
    "has": "items",
    "knows": "clues",
}
_PICTURES = ("picture", "cover")
_LONG = (
    "text",
    "ask",
    "says",
    "because",
    "summary",
    "shut",
    "well",
    "otherwise",
    "fall",
    "out",
    "right_text",
)


@dataclass(frozen=True)
class Spec:
    """A field: `kind` says how it is typed, `model` what its rows or its group are made of."""

    key: str
    kind: str
    label: str
    required: bool
    hint: str = ""
    model: type[BaseModel] | None = None
    options: tuple[str, ...] = ()
    table: str = ""
    default: str = ""
    long: bool = False


@lru_cache(None)
def specs(model: type[BaseModel]) -> tuple[Spec, ...]:
    """The fields of a part in the order of the format, without the lists that have forms of their own."""
    return tuple(_specs(model))


def _specs(model: type[BaseModel]) -> Iterator[Spec]:
    for name, field in model.model_fields.items():
        key = field.alias or name
        if key in TABLES or (key == "kind" and model.__name__ == "Room") or key == "key":
            continue
        kind, inner, options = _kind(key, field.annotation)
        table = _table(model, key) if kind in ("ref", "refs") else ""
        default = field.default if isinstance(field.default, str | int) else ""
        yield Spec(
            key,
            kind,
            label(model.__name__, key),
            field.is_required(),
            HINTS.get(key, ""),
            inner,
            options,
            table,
            "" if default is False else str(default),
            key in _LONG,
        )


def _table(model: type[BaseModel], key: str) -> str:
    return "lines" if key == "start" and model in (Dialogue, ConversationLock) else _REFERS[key]


def _kind(key: str, annotation: Any) -> tuple[str, type[BaseModel] | None, tuple[str, ...]]:
    """How a field is typed: its kind, the model of its rows, what there is to choose from."""
    plain = _bare(annotation)
    origin, inside = get_origin(plain), tuple(map(_bare, get_args(plain)))
    if plain in (Condition,) or (origin is tuple and inside[0] is Clause):
        return "yaml", None, ()
    if origin is dict:
        return "named", inside[1], ()
    if origin is tuple:
        return _many(key, inside[0])
    if origin is Literal:
        values = tuple(map(str, get_args(plain)))
        return ("fixed" if len(values) == 1 else "one_of"), None, values
    return _single(key, plain)


def _many(key: str, item: Any) -> tuple[str, type[BaseModel] | None, tuple[str, ...]]:
    if isinstance(item, type) and issubclass(item, BaseModel):
        return "rows", item, ()
    if get_origin(item) is Literal:
        return "some_of", None, tuple(map(str, get_args(item)))
    return ("refs" if key in _REFERS else "words"), None, ()


def _single(key: str, plain: Any) -> tuple[str, type[BaseModel] | None, tuple[str, ...]]:
    kinds: dict[Any, str] = {
        Text: "text",
        Box: "box",
        bool: "flag",
        int: "number",
        float: "number",
        date: "date",
    }
    if plain not in kinds and isinstance(plain, type) and issubclass(plain, BaseModel):
        return "group", plain, ()
    named = "picture" if key in _PICTURES else "ref" if key in _REFERS else "line"
    return kinds.get(plain, named), Box if plain is Box else None, ()


def _bare(annotation: Any) -> Any:
    """A type without what is said about it, and without None."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            rest = [one for one in get_args(annotation) if one is not NoneType]
            if len(rest) > 1:
                return annotation
            annotation = rest[0]
        else:
            return annotation
