"""Which branch each outlet belonged to over a period, as conditions and keys of the store's SQL.

Nearly all outlets stay where they are: they are named once. The few that moved within the period are named with
the days of each place, so that every event counts for the branch its outlet belonged to on its day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from itertools import groupby

from tracking.dimensions import Tree
from tracking.periods import Period
from tracking.rollups import listed, literal

_UNIT = "\x1f"


@dataclass(frozen=True, slots=True)
class Stay:
    """An outlet at one place from `first` to `last`; `branch` None: not within the part asked for."""

    outlet: str
    first: date
    last: date
    branch: str | None


@dataclass(frozen=True, slots=True)
class Placement:
    """The branch of each outlet that stayed, and the stays of those that moved."""

    stable: Mapping[str, str]
    stays: tuple[Stay, ...]
    everything: bool

    @property
    def moving(self) -> tuple[str, ...]:
        """The outlets that moved."""
        return tuple(dict.fromkeys(stay.outlet for stay in self.stays))

    @property
    def inside(self) -> str:
        """The condition for events of the part; "1" when that is everything."""
        if self.everything:
            return "1"
        parts = [f"outlet IN {listed(self.stable)}"]
        parts += [f"({_days(stay)})" for stay in self.stays if stay.branch is not None]
        return f"({' OR '.join(parts)})"

    @property
    def day_key(self) -> str:
        """A key by outlet, with the day for those that moved; `branch_of` makes branches of it."""
        if not self.stays:
            return "toString(outlet)"
        return (
            f"if(outlet IN {listed(self.moving)}, concat(outlet, char(31), toString(day)), toString(outlet))"
        )

    @property
    def branch_key(self) -> str:
        """A key by branch, for what cannot be added up afterwards (people)."""
        codes, rows = listed(self.stable), listed(self.stable.values())
        stayed = (
            f"transform(toString(outlet), [{codes[1:-1]}], [{rows[1:-1]}], toString(outlet))"
            if self.stable
            else "toString(outlet)"
        )
        moved = [f"{_days(stay)}, {literal(stay.branch or stay.outlet)}" for stay in self.stays]
        return f"multiIf({', '.join(moved)}, {stayed})" if moved else stayed

    def branch_of(self, key: str) -> str:
        """The branch of a `day_key`."""
        outlet, moved, day = key.partition(_UNIT)
        return self._on(outlet, date.fromisoformat(day)) if moved else self.stable.get(outlet, outlet)

    def _on(self, outlet: str, day: date) -> str:
        for stay in self.stays:
            if stay.outlet == outlet and stay.first <= day <= stay.last:
                return stay.branch or outlet
        return outlet


@lru_cache(64)
def place(tree: Tree, within: str, period: Period, level: str = "") -> Placement:
    """The placement of all outlets over a period, below `within` ("": below the top).

    Their branch is the child of `within` that they hang under, or with `level` the node of that level.
    """
    top = tree.root(period.last)
    starts = [period.first, *tree.moves(period.first, period.last)]
    ends = [*(start - timedelta(days=1) for start in starts[1:]), period.last]
    slices = [tree.branches(within or top, start, level) for start in starts]
    everything = not within or within == top
    stable, stays = {}, []
    for outlet in dict.fromkeys(code for one in slices for code in one):
        places = [one.get(outlet) for one in slices]
        if len(set(places)) == 1:
            stable[outlet] = str(places[0])
            continue
        for branch, run in groupby(zip(places, starts, ends, strict=True), lambda each: each[0]):
            spans = list(run)
            stays.append(Stay(outlet, spans[0][1], spans[-1][2], branch))
    return Placement(stable, tuple(stays), everything)


def _days(stay: Stay) -> str:
    return f"outlet = {literal(stay.outlet)} AND day BETWEEN '{stay.first}' AND '{stay.last}'"
