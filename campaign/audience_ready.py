"""Rows of a contact file made ready to be written, as far as that asks no database: hashes of addresses, ciphertext.

A process beside this one can do it; the rest is `audience_writing`. What is ready stands in columns: a column of strings
goes from one process to another, and into a statement, at a tenth of the cost of as many rows.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from campaign.addresses import IN_CONTACT, known_by
from campaign.audience_rows import ContactRow
from core.privacy import Vault

Family = tuple[str, ...]
# What a contact keeps of a row, in this order.
KEPT = (
    "name_sealed",
    *(f"{name}_{what}" for name in IN_CONTACT.values() for what in ("sealed", "index")),
    "outlet_code", "province", "language",
)  # fmt: skip


class Addresses(NamedTuple):
    """The addresses of one kind, one for each row: the text, and the hash that it is known by; "" and None for a row
    without. `others` are further hashes under which it may stand, where keys were changed, by the place of the row."""

    given: list[str]
    indexes: list[str | None]
    others: dict[int, Family]

    def family(self, at: int) -> Family:
        """Every hash under which the address of a row may stand, the newest first; none where it has none."""
        index = self.indexes[at]
        return (index, *self.others.get(at, ())) if index else ()

    @property
    def all_indexes(self) -> list[str]:
        """Every hash of all of them."""
        return [*filter(None, self.indexes), *(one for family in self.others.values() for one in family)]


class Consents(NamedTuple):
    """What was agreed to; `at` is the place of the row."""

    at: list[int]
    channel: list[str]
    purpose: list[str]
    given_at: list[datetime]
    source: list[str]
    text_version: list[str]


class Ready(NamedTuple):
    """Rows of a file in columns, and what hangs on them with the places of its rows. `identity` is the hash that a
    person is known by, `kept` the columns KEPT of those who are new: empty where nobody sealed them yet."""

    line: list[int]
    name: list[str]
    outlet_code: list[str]
    province: list[str]
    language: list[str]
    identity: list[str]
    addresses: dict[str, Addresses]
    consents: Consents
    groups: list[tuple[int, str]]
    kept: list[list[Any]]

    def known_as(self) -> dict[str, int]:
        """The places of the rows by every hash that their people may be known by."""
        of = {index: at for at, index in enumerate(self.identity)}
        for each in self.addresses.values():
            of |= {
                one: at
                for at in each.others
                if each.indexes[at] == self.identity[at]
                for one in each.others[at]
            }
        return of


def ready(rows: Sequence[ContactRow], vault: Vault, *, many_keys: bool, in_order: bool = False) -> Ready:
    """Rows with their hashes, of one key alone where no index stands under another (`audience_writing.many_keys`), in
    the order of the rows or of the identities."""

    @cache
    def family(kind: str, given: str) -> Family:
        known = known_by(kind, given)
        return vault.indexes(kind, known) if many_keys else (vault.index(kind, known),)

    if in_order:
        rows = sorted(rows, key=lambda row: family(*row.address)[0])
    addresses: dict[str, Addresses] = {}
    for at, row in enumerate(rows):
        for kind, given in row.addresses:
            if kind not in addresses:
                addresses[kind] = Addresses([""] * len(rows), [None] * len(rows), {})
            mine = addresses[kind]
            mine.given[at] = given
            mine.indexes[at], *others = family(kind, given)
            if others:
                mine.others[at] = tuple(others)
    return Ready(
        [row.line for row in rows],
        [row.name for row in rows],
        [row.outlet_code for row in rows],
        [row.province for row in rows],
        [row.language for row in rows],
        [family(*row.address)[0] for row in rows],
        addresses,
        _consents(rows),
        [(at, name) for at, row in enumerate(rows) for name in row.groups],
        [],
    )


def _consents(rows: Iterable[ContactRow]) -> Consents:
    agreed = [
        (at, channel, purpose, row.given_at, row.source, row.text_version)
        for at, row in enumerate(rows)
        for channel in row.channels
        for purpose in row.purposes
    ]
    return Consents(*map(list, zip(*agreed, strict=True))) if agreed else Consents([], [], [], [], [], [])


def kept(page: Ready, vault: Vault, holder: str, places: Sequence[int]) -> list[list[Any]]:
    """The columns KEPT of contacts made of these rows; whoever has no outlet is served by the node that imports."""

    def sealed(column: list[str]) -> list[str]:
        return [vault.encrypt(column[at]) if column[at] else "" for at in places]

    found: list[list[Any]] = [sealed(page.name)]
    for kind in IN_CONTACT:
        mine = page.addresses.get(kind)
        found += (
            [sealed(mine.given), picked(mine.indexes, places)]
            if mine
            else [[""] * len(places), [None] * len(places)]
        )
    outlets = [page.outlet_code[at] or holder for at in places]
    return [*found, outlets, picked(page.province, places), picked(page.language, places)]


def picked(column: list[Any], places: Sequence[int]) -> list[Any]:
    """The values of a column at some places, in order; the column itself when that is all of it."""
    return column if len(places) == len(column) else [column[at] for at in places]
