"""Walks over a room's file: every clause and every condition, with the place where it stands."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from content.escape_room.conditions import Clause, Condition
from content.escape_room.format import Room

Place = tuple[str | int, ...]


def parts(room: Room) -> Iterator[tuple[Place, BaseModel]]:
    """Every part of the file with its place in it, the room itself first."""
    yield from _parts((), room)


def _parts(at: Place, thing: Any) -> Iterator[tuple[Place, BaseModel]]:
    if isinstance(thing, BaseModel):
        yield at, thing
        names = type(thing).model_fields
        for name, field in names.items():
            yield from _parts((*at, field.alias or name), getattr(thing, name))
    elif isinstance(thing, dict):
        for name, inner in thing.items():
            yield from _parts((*at, name), inner)
    elif isinstance(thing, tuple):
        for number, inner in enumerate(thing):
            yield from _parts((*at, number), inner)


def clauses(room: Room) -> Iterator[Clause]:
    """Everything that may happen in a room."""
    return (part for _at, part in parts(room) if isinstance(part, Clause))


def conditions(room: Room) -> Iterator[Condition]:
    """Every condition of a room."""
    return (part for _at, part in parts(room) if isinstance(part, Condition))
