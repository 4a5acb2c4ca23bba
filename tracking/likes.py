"""Each outlet beside the median of outlets like it. Pure.

Like it: hanging under the same kind of branch, and in the same tenth of all outlets by last year's reach; those
without reach last year are among themselves. Where fewer than LEAST others are like it in both, the kind of
branch no longer matters; where there are still fewer, no median is told. An outlet is never its own peer.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.i18n import gettext as _
from core.i18n import mark

LEAST = 8
TENTHS = 10
NO_BASE = 0
QUARTILES = (mark("最低四分之一"), mark("中下"), mark("中上"), mark("最高四分之一"))


@dataclass(frozen=True, slots=True)
class Outlet:
    """An outlet: the kind of branch it hangs under, its reach now and a year before."""

    key: str
    name: str
    under: str
    now: int
    before: int


@dataclass(frozen=True, slots=True)
class Beside:
    """An outlet beside its peers; without enough of them `median`, `low` and `high` (the quartiles) are None.

    `size` is the tenth by last year's reach, 1 the smallest, NO_BASE without any; `same_branch` whether the
    peers hang under the same kind of branch.
    """

    outlet: Outlet
    size: int
    peers: int
    same_branch: bool
    low: float | None = None
    median: float | None = None
    high: float | None = None

    @property
    def ratio(self) -> float | None:
        """Reach as a multiple of the median; None where that is 0 or not told."""
        return round(self.outlet.now / self.median, 4) if self.median and self.median > 0 else None

    @property
    def quarter(self) -> int | None:
        """0 below the lower quartile … 3 above the upper one; on the line counts as inside."""
        if self.low is None or self.median is None or self.high is None:
            return None
        if self.outlet.now < self.low:
            return 0
        if self.outlet.now > self.high:
            return 3
        return 1 if self.outlet.now < self.median else 2


def beside(outlets: Sequence[Outlet], least: int = LEAST) -> list[Beside]:
    """Every outlet beside its peers, in the order given."""
    size = tenths({one.key: one.before for one in outlets})
    near: dict[tuple[str, int], list[int]] = {}
    anywhere: dict[int, list[int]] = {}
    for one in outlets:
        near.setdefault((one.under, size[one.key]), []).append(one.now)
        anywhere.setdefault(size[one.key], []).append(one.now)
    for group in (*near.values(), *anywhere.values()):
        group.sort()
    found = []
    for one in outlets:
        tenth = size[one.key]
        same = near[one.under, tenth]
        same_branch = len(same) - 1 >= least
        group = same if same_branch else anywhere[tenth]
        peers = len(group) - 1
        if peers < least:
            found.append(Beside(one, tenth, peers, same_branch=False))
            continue
        low, median, high = quartiles(_without(group, one.now))
        found.append(Beside(one, tenth, peers, same_branch, low, median, high))
    return found


def tenths(before: dict[str, int]) -> dict[str, int]:
    """Key → tenth (1 … TENTHS) by rank of what it had before; equal numbers share one, NO_BASE for none."""
    ranked = sorted(number for number in before.values() if number > 0)
    if not ranked:
        return dict.fromkeys(before, NO_BASE)
    return {
        key: NO_BASE
        if number <= 0
        # the middle of where equal numbers stand, so that all of them are in one tenth
        else min(
            TENTHS,
            (bisect_left(ranked, number) + bisect_right(ranked, number)) * TENTHS // (2 * len(ranked)) + 1,
        )
        for key, number in before.items()
    }


def quartiles(ranked: Sequence[int]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of sorted numbers, linear between two (R's type 7)."""
    return _at(ranked, 1), _at(ranked, 2), _at(ranked, 3)


def _at(ranked: Sequence[int], quarter: int) -> float:
    whole, part = divmod((len(ranked) - 1) * quarter, 4)
    if not part:
        return float(ranked[whole])
    return ranked[whole] + (ranked[whole + 1] - ranked[whole]) * part / 4


def _without(ranked: Sequence[int], number: int) -> list[int]:
    place = bisect_left(ranked, number)
    return [*ranked[:place], *ranked[place + 1 :]]


def size_name(size: int) -> str:
    """What a size class is called."""
    return (
        _("去年没有触达") if size == NO_BASE else _("第 %(size)s 档（共 %(all)s 档）", size=size, all=TENTHS)
    )


def explained(least: int = LEAST) -> str:
    """What "like" means, for under the table and on the sheet of facts."""
    return _(
        "同类网点：挂在同一级机构下，去年同期触达又在同一档的其他网点（全国网点按去年同期触达从低到高分 %(tenths)s 档）；"
        "不足 %(least)s 个时放宽到同一档的全部网点，仍不足就不给中位数。自己不算在内。",
        tenths=TENTHS,
        least=least,
    )


def within(found: Iterable[Beside], keys: set[str] | None) -> list[Beside]:
    """Those of a part of the tree (None: all), most reach first; they were measured against all outlets."""
    kept = [one for one in found if keys is None or one.outlet.key in keys]
    return sorted(kept, key=lambda one: (-one.outlet.now, one.outlet.key))
