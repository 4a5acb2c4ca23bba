"""The address of a report page: everything that was chosen, in one order, without what says nothing.

The same choice has the same address whoever clicked it together and in whatever order, so that it can be shared,
saved and remembered. Filters may be given several times (`channel=wechat&channel=sms`); an empty one is the key
of what nobody named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlencode

from tracking.groupings import KEYS

CHOSEN = ("span", "at", "from", "to", "compare", "by", "by2", "within", "sort", "only")
# More values than anybody ticks, and longer than any key: an address is not a way to fill the memory.
_MOST, _LONGEST = 60, 120


@dataclass(frozen=True, slots=True)
class Address:
    """What was chosen: single values by name, and filters by dimension."""

    chosen: Mapping[str, str] = field(default_factory=dict)
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> "Address":
        """From the pairs of a query; what no report knows is left out."""
        chosen: dict[str, str] = {}
        filters: dict[str, tuple[str, ...]] = {}
        for name, value in pairs:
            kept = value.strip()[:_LONGEST]
            if name in CHOSEN and kept:
                chosen.setdefault(name, kept)
            elif name in KEYS and kept not in filters.get(name, ()):
                filters[name] = (*filters.get(name, ()), kept)[:_MOST]
        first, comma, second = chosen.get("by", "").partition(",")
        if comma:
            chosen |= {"by": first.strip(), "by2": second.strip()}
        return cls(chosen, filters)

    @classmethod
    def read(cls, query: str) -> "Address":
        """From the text behind the question mark."""
        return cls.of(parse_qsl(query.lstrip("?"), keep_blank_values=True))

    def get(self, name: str, default: str = "") -> str:
        """A single value."""
        return self.chosen.get(name, default)

    @property
    def empty(self) -> bool:
        """Whether nothing was chosen."""
        return not self.pairs

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The pairs in their one order; values of a filter by the alphabet."""
        found = [(name, self.chosen[name]) for name in CHOSEN if self.chosen.get(name)]
        return found + [(name, value) for name in KEYS for value in sorted(self.filters.get(name, ()))]

    @property
    def query(self) -> str:
        """The text behind the question mark."""
        return urlencode(self.pairs)

    def but(self, **changed: str) -> "Address":
        """The same with some single values changed; `from_` stands for `from`, an empty one goes."""
        named = {name.rstrip("_"): value for name, value in changed.items()}
        return Address({**self.chosen, **named}, self.filters)

    def filtered(self, name: str, values: Iterable[str]) -> "Address":
        """The same with one dimension kept to these values; to none: not kept."""
        kept = tuple(values)
        others = {key: found for key, found in self.filters.items() if key != name}
        return Address(self.chosen, {**others, name: kept} if kept else others)

    def href(self, path: str = "", *pairs: tuple[str, str], **more: str) -> str:
        """A link; `pairs` and `more` are values of the page's own, such as keys (also empty) and its number."""
        query = urlencode([*self.pairs, *pairs, *((name, value) for name, value in more.items() if value)])
        return f"{path}?{query}" if query or not path else path
