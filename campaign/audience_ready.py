"""Rows of a contact file made ready to be written, as far as that asks no database: hashes of addresses, ciphertext.

A process beside this one can do it; the rest is `audience_writing`.
"""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from campaign.addresses import IN_CONTACT, known_by
from campaign.audience_rows import ContactRow
from core.privacy import Vault

Family = tuple[str, ...]
# What a contact keeps of a row, in this order.
KEPT = (
    "name_sealed", "email_sealed", "email_index", "phone_sealed", "phone_index", "webhook_sealed", "webhook_index",
    "outlet_code", "province", "language",
)  # fmt: skip
_PLACES = {kind: KEPT.index(f"{name}_sealed") for kind, name in IN_CONTACT.items()}
_NOTHING: list[str | None] = [None if name.endswith("_index") else "" for name in KEPT]


class Ready(NamedTuple):
    """A row with every hash under which its addresses may stand, and the columns KEPT of somebody who is new: empty
    where nobody sealed them yet."""

    row: ContactRow
    families: list[tuple[str, str, Family]]
    kept: tuple[Any, ...]

    @property
    def identity(self) -> str:
        """The hash that the person is known by."""
        return self.families[0][2][0]


def ready(rows: Iterable[ContactRow], vault: Vault, *, many_keys: bool) -> list[Ready]:
    """Rows with their hashes; of one key alone where no index stands under another (`audience_writing.many_keys`)."""
    family: Callable[[str, str], Family] = (
        vault.indexes if many_keys else lambda kind, given: (vault.index(kind, given),)
    )
    return [
        Ready(row, [(kind, given, family(kind, known_by(kind, given))) for kind, given in row.addresses], ())
        for row in rows
    ]


def kept(one: Ready, vault: Vault, holder: str) -> tuple[Any, ...]:
    """The columns KEPT of a contact made of the row; whoever has no outlet is served by the node that imports."""
    row, values = one.row, _NOTHING[:]
    values[0] = vault.encrypt(row.name) if row.name else ""
    for kind, given, family in one.families:
        place = _PLACES.get(kind)
        if place is not None:
            values[place], values[place + 1] = vault.encrypt(given), family[0]
    values[-3:] = row.outlet_code or holder, row.province, row.language
    return tuple(values)
