"""The rows of a report as a league: rank, change of rank against the base, share; sorted, cut to its ends, paged."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.i18n import mark
from institution.desk_table import Column, View, view
from tracking.choices import ALL
from tracking.groupings import TIMES
from tracking.reports import Line, Report


@dataclass(frozen=True, slots=True)
class Standing:
    """A line with its place by gross (1: most), by how many places it rose since the base, its part of the whole.

    `moved` is None where there is no base, and for what is new; `place` where lines are times, which have no rank.
    """

    line: Line
    place: int | None
    moved: int | None
    share: float | None


def _of(name: str) -> Callable[[Standing], int | float | None]:
    def value(one: Standing) -> int | float | None:
        found: int | float | None = getattr(one.line, name)
        return found

    return value


NAME: Column[Standing] = Column(
    "name", mark("名称"), lambda one: one.line.name, sort=lambda one: one.line.name
)
GROSS: Column[Standing] = Column(
    "gross", mark("触达人次"), _of("gross"), sort=lambda one: one.line.gross, numeric=True
)
BEFORE: Column[Standing] = Column(
    "before", mark("上期"), _of("gross_before"), sort=_of("gross_before"), numeric=True
)
GROWTH: Column[Standing] = Column("growth", mark("增幅"), _of("growth"), sort=_of("growth"), numeric=True)
SHARE: Column[Standing] = Column(
    "share", mark("占比"), lambda one: one.share, sort=lambda one: one.share, numeric=True
)
UNIQUE: Column[Standing] = Column(
    "unique", mark("去重人次"), _of("deduplicated"), sort=_of("deduplicated"), numeric=True
)
PEOPLE: Column[Standing] = Column("people", mark("触达人数"), _of("people"), sort=_of("people"), numeric=True)
PLACE: Column[Standing] = Column(
    "place", mark("名次"), lambda one: one.place, sort=lambda one: one.place, numeric=True
)
MOVED: Column[Standing] = Column(
    "moved", mark("名次变化"), lambda one: one.moved, sort=lambda one: one.moved, numeric=True
)


def columns(report: Report) -> tuple[Column[Standing], ...]:
    """The columns that this report can fill."""
    comparing, ranked = report.ask.compared.base is not None, not _timed(report)
    told = report.total.deduplicated is not None
    chosen = (
        (PLACE, ranked),
        (MOVED, ranked and comparing),
        (NAME, True),
        (GROSS, True),
        (SHARE, True),
        (BEFORE, comparing),
        (GROWTH, comparing),
        (UNIQUE, told),
        (PEOPLE, report.ask.people),
    )
    return tuple(column for column, fits in chosen if fits)


def seen(report: Report, sort: str) -> View[Standing]:
    """The league as the address asks for it."""
    return view(columns(report), {"sort": sort})


def standings(report: Report) -> list[Standing]:
    """Every line with its place, in the order of the report."""
    whole, timed = report.total.gross, _timed(report)
    now = _places([line.gross for line in report.rows])
    before = _places([line.gross_before or 0 for line in report.rows])
    return [
        Standing(
            line,
            None if timed else place,
            former - place if line.gross_before and not timed else None,
            line.gross / whole if whole > 0 else None,
        )
        for line, place, former in zip(report.rows, now, before, strict=True)
    ]


def ends(rows: Sequence[Standing], only: str) -> list[Standing]:
    """The `top20` or the `bottom20` by gross, the last of the bottom first; ALL: every row."""
    if only == ALL:
        return list(rows)
    down, number = only.startswith("top"), int(only.removeprefix("top").removeprefix("bottom"))
    return sorted(rows, key=lambda one: one.line.gross, reverse=down)[:number]


def _timed(report: Report) -> bool:
    return report.ask.by[0] in TIMES


def _places(figures: Sequence[int]) -> list[int]:
    """The place of each figure, 1 for the largest; equals share one, as in a race."""
    places: dict[int, int] = {}
    for number, figure in enumerate(sorted(figures, reverse=True), 1):
        places.setdefault(figure, number)
    return [places[figure] for figure in figures]
