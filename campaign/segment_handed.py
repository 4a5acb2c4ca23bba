"""Filters that a package above hands in, because it knows what this one must not: who got which push.

At most one: `scheduler.segment_pushes` hands it in when it is imported.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session


@dataclass(frozen=True, slots=True)
class Handed:
    """`outcomes` are what one can ask of a push, `choices` the pushes a node may ask about, by number; `check` raises
    Invalid for (outcome, number, node), `where` is the condition on a contact, `words` says it to people."""

    outcomes: Mapping[str, str]
    choices: Callable[[Session, str], Mapping[str, str]]
    check: Callable[[Session, str, int, str], None]
    where: Callable[[str, int, Any], ColumnElement[bool]]
    words: Callable[[Session, str, int], str]


_HANDED: list[Handed] = []


def hand_in(one: Handed) -> None:
    """Add the filter; again it takes the place of the one before."""
    _HANDED[:] = [one]


def handed() -> Handed | None:
    """The filter by pushes, where there are pushes."""
    return _HANDED[0] if _HANDED else None
