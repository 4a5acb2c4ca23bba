"""A report by two groupings as a matrix, where it is small enough to be looked at as a whole."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracking.groupings import HOUR, TIMES
from tracking.periods import growth
from tracking.reports import Report

_MOST_ROWS, _MOST_COLUMNS, _HOURS = 40, 14, 24
_LEVELS = 5


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of the matrix: person-times, those of the base, how much of the largest (0 … 5)."""

    gross: int
    before: int | None
    level: int = 0

    @property
    def growth(self) -> float | None:
        """The change against the base."""
        return growth(self.gross, self.before)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Keys with names down and across, their cells, and the sums at both edges."""

    down: tuple[tuple[str, str], ...]
    across: tuple[tuple[str, str], ...]
    cells: tuple[tuple[Cell, ...], ...]
    sums_down: tuple[Cell, ...]
    sums_across: tuple[Cell, ...]


def matrix(report: Report) -> Matrix | None:
    """The rows of a report by two groupings as a matrix; None where it would be too large, or there is one."""
    if len(report.ask.by) != 2:
        return None
    down = dict.fromkeys((line.key, line.name) for line in report.rows)
    across = dict.fromkeys((line.key2, line.name2) for line in report.rows)
    columns = _HOURS if report.ask.by[1] == HOUR else _MOST_COLUMNS
    if not down or len(down) > _MOST_ROWS or len(across) > columns:
        return None
    found = {(line.key, line.key2): (line.gross, line.gross_before) for line in report.rows}
    compared = report.ask.compared.base is not None
    heads = sorted(across) if report.ask.by[1] in TIMES else _largest_first(report, list(across))
    largest = max((gross for gross, _before in found.values()), default=0)
    cells = tuple(
        tuple(_cell(found.get((key, other)), largest, compared=compared) for other, _name in heads)
        for key, _name in down
    )
    return Matrix(
        down=tuple(down),
        across=tuple(heads),
        cells=cells,
        sums_down=tuple(_sum(row) for row in cells),
        sums_across=tuple(_sum(column) for column in zip(*cells, strict=True)),
    )


def _largest_first(report: Report, heads: list[tuple[str, str]]) -> list[tuple[str, str]]:
    whole: dict[str, int] = {}
    for line in report.rows:
        whole[line.key2] = whole.get(line.key2, 0) + line.gross
    return sorted(heads, key=lambda one: (-whole[one[0]], one[0]))


def _cell(found: tuple[int, int | None] | None, largest: int, *, compared: bool) -> Cell:
    gross, before = found or (0, 0 if compared else None)
    level = -(-gross * _LEVELS // largest) if gross > 0 and largest else 0
    return Cell(gross, before, level)


def _sum(cells: Sequence[Cell]) -> Cell:
    before = [cell.before for cell in cells if cell.before is not None]
    return Cell(sum(cell.gross for cell in cells), sum(before) if before else None)
