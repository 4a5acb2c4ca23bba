"""Who holds personal data: every package plugs in how its rows about a person are found, shown and erased."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlmodel import Session

from core.privacy import Vault


@dataclass(frozen=True, slots=True)
class Sought:
    """A person by the blind indexes of their address, and those of further addresses found beside it."""

    indexes: frozenset[str]
    related: frozenset[str] = frozenset()

    @property
    def every(self) -> list[str]:
        """All indexes, for a condition."""
        return sorted(self.indexes | self.related)


Section = Sequence[Mapping[str, str]]


def _nothing_related(_session: Session, _indexes: Iterable[str]) -> Iterable[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Holder:
    """A kind of data about people.

    name: stable key; label: msgid. find: how many rows. export: the rows as label → text, in clear. erase: take
    the person out of them; returns how many. related: indexes of further addresses that these rows tell.
    """

    name: str
    label: str
    find: Callable[[Session, Sought], int]
    export: Callable[[Session, Vault, Sought], Section]
    erase: Callable[[Session, Sought], int]
    related: Callable[[Session, Iterable[str]], Iterable[str]] = _nothing_related


HOLDERS: dict[str, Holder] = {}


def declare(holder: Holder) -> None:
    """Plug in a holder; a package does so when imported."""
    HOLDERS[holder.name] = holder


def sought(session: Session, indexes: Iterable[str]) -> Sought:
    """The person behind an address, with the addresses known beside it: one step, never from hand to hand."""
    own = frozenset(indexes)
    related = {one for holder in HOLDERS.values() for one in holder.related(session, own)}
    return Sought(own, frozenset(related) - own)


def find(session: Session, person: Sought) -> dict[str, int]:
    """How many rows each holder has, by name; those with none are left out."""
    counts = {holder.name: holder.find(session, person) for holder in HOLDERS.values()}
    return {name: count for name, count in counts.items() if count}


def export(session: Session, vault: Vault, person: Sought) -> dict[str, Section]:
    """Everything that is held, in clear, by label of the holder (msgid)."""
    found = {holder.label: holder.export(session, vault, person) for holder in HOLDERS.values()}
    return {label: rows for label, rows in found.items() if rows}


def erase(session: Session, person: Sought) -> dict[str, int]:
    """Take the person out everywhere, the outermost package first: it still finds its way by the inner rows."""
    order = reversed(list(HOLDERS.values()))
    counts = {holder.name: holder.erase(session, person) for holder in order}
    return {name: count for name, count in counts.items() if count}
