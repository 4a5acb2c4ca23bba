"""Who made the growth: each row's change, its share of the whole change and its points of growth. Pure.

The changes add up to the whole change, the shares to 1 and the points to the total growth, exactly: fractions
are cut at six places by cumulative rounding. A key without a base is new, one without reach now is gone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.i18n import gettext as _
from core.i18n import mark
from tracking import periods
from tracking.reports import Line, Report
from tracking.shares import fractions

NEW, GONE, STAYED = "new", "gone", ""
STATES = {NEW: mark("新增"), GONE: mark("消失"), STAYED: ""}
# Below this base a fraction says more about chance than about anybody's work.
LEAST_BASE = 1_000


@dataclass(frozen=True, slots=True)
class Part:
    """One row: reach now and before, and what its change is of the whole.

    `share` is None where nothing changed in all, `points` (a fraction of the whole base) where there is no base.
    """

    key: str
    name: str
    now: int
    before: int
    share: float | None
    points: float | None
    key2: str = ""
    name2: str = ""

    @property
    def change(self) -> int:
        """How many person-times more (or less)."""
        return self.now - self.before

    @property
    def growth(self) -> float | None:
        """The row's own growth, None without a base."""
        return periods.growth(self.now, self.before)

    @property
    def state(self) -> str:
        """NEW, GONE or STAYED."""
        if self.now and not self.before:
            return NEW
        return GONE if self.before and not self.now else STAYED

    @property
    def full_name(self) -> str:
        """Both names where there are two groupings."""
        return f"{self.name} · {self.name2}" if self.key2 or self.name2 else self.name


@dataclass(frozen=True, slots=True)
class Group:
    """A key of the first of two groupings, with the parts below it."""

    whole: Part
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Growth:
    """The whole change and its parts, largest gain first; `parts` add up to `total`."""

    total: Part
    parts: tuple[Part, ...]

    @property
    def gains(self) -> int:
        """What the rows that grew gained together."""
        return sum(part.change for part in self.parts if part.change > 0)

    @property
    def losses(self) -> int:
        """What the rows that shrank lost together, 0 or less."""
        return sum(part.change for part in self.parts if part.change < 0)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The parts under the keys of the first grouping, the group with the largest gain first."""
        below: dict[str, list[Part]] = {}
        for part in self.parts:
            below.setdefault(part.key, []).append(part)
        wholes = _parts(
            (
                (key, parts[0].name, sum(one.now for one in parts), sum(one.before for one in parts), "", "")
                for key, parts in below.items()
            ),
            self.total.change,
            self.total.before,
        )
        return tuple(Group(whole, tuple(below[whole.key])) for whole in wholes)


@dataclass(frozen=True, slots=True)
class Movers:
    """Who rose and fell most; `relative` ones among rows with at least `least` person-times before."""

    risers: tuple[Part, ...]
    fallers: tuple[Part, ...]
    fastest: tuple[Part, ...]
    slowest: tuple[Part, ...]
    least: int
    left_out: int


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the waterfall: from `start` to `end`; `total` for the two bars that stand on the ground."""

    name: str
    start: int
    end: int
    total: bool = False
    others: int = 0


def contributions(report: Report) -> Growth:
    """The parts of a report that is compared with a base; rows without any change are left in."""
    rows = (
        (line.key, line.name, line.gross, line.gross_before or 0, line.key2, line.name2)
        for line in report.rows
        if line.gross or line.gross_before
    )
    change, before = _change(report.total), report.total.gross_before or 0
    parts = tuple(_parts(rows, change, before))
    total = Part("", report.total.name, report.total.gross, before, *_whole(change, before))
    return Growth(total, parts)


def _change(line: Line) -> int:
    return line.gross - (line.gross_before or 0)


def _whole(change: int, before: int) -> tuple[float | None, float | None]:
    return (fractions([change], change)[0], fractions([change], before)[0] if before > 0 else None)


def _parts(rows: Iterable[tuple[str, str, int, int, str, str]], change: int, before: int) -> list[Part]:
    ordered = sorted(rows, key=lambda row: (row[3] - row[2], row[0], row[4]))
    changes = [now - base for _key, _name, now, base, _key2, _name2 in ordered]
    shares = fractions(changes, change)
    points = fractions(changes, before if before > 0 else 0)
    return [
        Part(key, name, now, base, share, point, key2, name2)
        for (key, name, now, base, key2, name2), share, point in zip(ordered, shares, points, strict=True)
    ]


def movers(parts: Sequence[Part], most: int = 10, least: int = LEAST_BASE) -> Movers:
    """The top and bottom `most` by absolute and by relative change; new rows have no relative one."""
    up = sorted((one for one in parts if one.change > 0), key=lambda one: (-one.change, one.key, one.key2))
    down = sorted((one for one in parts if one.change < 0), key=lambda one: (one.change, one.key, one.key2))
    based = [one for one in parts if one.before >= max(least, 1)]
    relative = sorted(based, key=lambda one: (-(one.growth or 0.0), one.key, one.key2))
    return Movers(
        risers=tuple(up[:most]),
        fallers=tuple(down[:most]),
        fastest=tuple(one for one in relative if (one.growth or 0.0) > 0)[:most],
        slowest=tuple(one for one in relative[::-1] if (one.growth or 0.0) < 0)[:most],
        least=max(least, 1),
        left_out=len(parts) - len(based),
    )


def waterfall(found: Growth, most: int = 8) -> list[Step]:
    """From the base to now: the `most` largest changes one by one, the rest in one step. It always arrives.

    Of two groupings the first is drawn.
    """
    two = any(part.key2 or part.name2 for part in found.parts)
    parts = [group.whole for group in found.groups] if two else found.parts
    ranked = sorted(parts, key=lambda one: (-abs(one.change), one.key, one.key2))
    named = [one for one in ranked[:most] if one.change]
    rest = [one for one in ranked if one.change and one not in named]
    named.sort(key=lambda one: -one.change)
    at = found.total.before
    steps = [Step(_("上期"), 0, at, total=True)]
    for one in named:
        steps.append(Step(one.full_name, at, at + one.change))
        at += one.change
    if rest:
        other = sum(one.change for one in rest)
        steps.append(Step(_("其他 %(number)s 项", number=len(rest)), at, at + other, others=len(rest)))
        at += other
    return [*steps, Step(_("本期"), 0, at, total=True)]
