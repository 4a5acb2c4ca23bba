"""The keys that a file may name: outlets of a part of the tree, channels, campaigns and pieces by key or name."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from sqlmodel import Session, select

from institution.models import Outlet
from institution.outlets import subtree
from institution.powers import WHOLE
from tracking.dimensions import CHANNELS
from tracking.imports.fields import (
    AUDIENCE,
    AUDIENCE_WORDS,
    CAMPAIGN,
    CHANNEL,
    KIND,
    KIND_WORDS,
    OUTLET,
    PIECE,
    PLACE,
    PLACE_WORDS,
    squeezed,
)
from tracking.models import Dimension


@dataclass(frozen=True, slots=True)
class Words:
    """What may be written in a column of keys: word → key; `double` are names that several things have."""

    keys: dict[str, str] = field(default_factory=dict)
    double: frozenset[str] = frozenset()

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Words":
        """From pairs of key and name; the key itself always counts, a name when only one thing has it."""
        keys: dict[str, str] = {}
        named: dict[str, set[str]] = {}
        for key, name in pairs:
            keys[key] = key
            named.setdefault(name, set()).add(key)
        double = frozenset(name for name, all_ in named.items() if len(all_) > 1 and name not in keys)
        return cls({name: next(iter(all_)) for name, all_ in named.items() if len(all_) == 1} | keys, double)


@dataclass(frozen=True, slots=True)
class Known:
    """All words by field; `outside` are the outlets that exist but are not of this part of the tree."""

    words: dict[str, Words]
    outside: frozenset[str]
    place: str

    @classmethod
    def read(cls, session: Session, place: str) -> "Known":
        """What is known now, for an import that belongs to the node `place`."""
        outlets = session.exec(select(Outlet.code, Outlet.name)).all()
        inside = {code for code, _name in outlets} if place == WHOLE else subtree(session, place)
        here = [(code, name) for code, name in outlets if code in inside]
        outside = frozenset(code for code, _name in outlets if code not in inside)
        words = {OUTLET: Words.of(here)}
        for name in (CHANNEL, CAMPAIGN, PIECE):
            words[name] = Words.of(_described(session, name))
        for name, fixed in ((KIND, KIND_WORDS), (AUDIENCE, AUDIENCE_WORDS), (PLACE, PLACE_WORDS)):
            words[name] = Words(dict(fixed))
        return cls(words, outside, place)

    def key(self, name: str, text: str) -> str | None:
        """The key that a cell names, None for one that nobody knows."""
        known = self.words[name].keys
        return known.get(text) or (known.get(squeezed(text)) if name in _LOOSE else None)


_LOOSE = (KIND, AUDIENCE, PLACE)


def _described(session: Session, kind: str) -> list[tuple[str, str]]:
    query = select(Dimension.key, Dimension.name, Dimension.name_en).where(Dimension.kind == kind)
    found = [(key, name) for key, *names in session.exec(query) for name in names if name]
    return found + ([(key, name) for key, name in CHANNELS.items()] if kind == CHANNEL else [])
