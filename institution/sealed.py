"""Where ciphertext stands: every package declares its encrypted columns, so that a rotation finds them all.

A column that holds ciphertext is named `…sealed` or declared here by its owner; a house test finds a forgotten
one. Blind indexes are computed anew together with the ciphertext they belong to; who keeps a copy of an index
follows its moves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, SQLModel

from core.privacy import Vault

Row = Mapping[str, Any]
Opened = Mapping[str, str]
Move = tuple[str, str]


def _no_indexes(_row: Row, _opened: Opened, _vault: Vault) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class Sealed:
    """The encrypted columns of a table with one primary key column.

    `indexes(row, opened, vault)` gives the blind indexes that follow from the opened columns, by column name.
    """

    table: type[SQLModel]
    columns: tuple[str, ...]
    label: str
    indexes: Callable[[Row, Opened, Vault], Mapping[str, str]] = _no_indexes


Follower = Callable[[Session, Sequence[Move]], None]
Kept = Callable[[Session, Vault], Mapping[str, int]]
SEALED: dict[str, Sealed] = {}
FOLLOWERS: list[Follower] = []
KEPT: dict[str, Kept] = {}


def declare(one: Sealed) -> None:
    """Name the encrypted columns of a table; a package does so when imported."""
    SEALED[str(one.table.__tablename__)] = one


def follow(follower: Follower) -> None:
    """Be told of indexes that moved (old, new), in the transaction of the move."""
    if follower not in FOLLOWERS:
        FOLLOWERS.append(follower)


def keep(label: str, kept: Kept) -> None:
    """Name indexes that no rotation can compute anew: how many stand under which key."""
    KEPT[label] = kept
