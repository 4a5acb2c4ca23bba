"""Where the parts of a room stand when it is drawn: columns from the start, what is not reached beneath.

Columns are steps from the start, so that a line onward always leads to the next column and crosses no other; what
leads back or stays in its column is drawn as a bow. Rows are put in order by where their neighbours stand.
"""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

WIDTH, HEIGHT = 156, 56
_ACROSS, _DOWN, _EDGE = 232, 84, 24
_ROUNDS = 6


class Spot(NamedTuple):
    """A box of WIDTH by HEIGHT: its left top corner, and whether a way leads there from the start."""

    x: float
    y: float
    reached: bool


class Layout(NamedTuple):
    """The size of the drawing, its boxes by name, the paths of its lines in the order they were given."""

    width: float
    height: float
    spots: dict[str, Spot]
    paths: list[str]


Edge = tuple[str, str]


def layout(names: Sequence[str], edges: Sequence[Edge], start: str) -> Layout:
    """A place for every name; edges whose ends are unknown get an empty path."""
    known = frozenset(names)
    good = [edge for edge in dict.fromkeys(edges) if known.issuperset(edge)]
    upper = _columns(good, [start] if start in known else [])
    rest = [name for name in names if name not in upper]
    lower = _columns([edge for edge in good if set(edge) <= set(rest)], _roots(rest, good))
    spots, height = _placed(upper, good, _EDGE, reached=True)
    if lower:
        more, height = _placed(lower, good, height + (_DOWN - HEIGHT if spots else 0), reached=False)
        spots |= more
    width = max((spot.x for spot in spots.values()), default=0) + WIDTH + _EDGE
    paths = [_path(spots[a], spots[b]) if a in spots and b in spots else "" for a, b in edges]
    lowest = max((_bow(spots[a], spots[b]) for a, b in good), default=0)
    return Layout(width, max(height, lowest + _EDGE), spots, paths)


def _columns(edges: Sequence[Edge], roots: Iterable[str]) -> dict[str, int]:
    """The least number of steps to each name from the roots."""
    after = defaultdict(list)
    for source, target in edges:
        after[source].append(target)
    found = dict.fromkeys(roots, 0)
    todo = deque(found)
    while todo:
        name = todo.popleft()
        for target in after[name]:
            if target not in found:
                found[target] = found[name] + 1
                todo.append(target)
    return found


def _roots(names: Sequence[str], edges: Sequence[Edge]) -> list[str]:
    """From where the names that no way reaches are laid out: those nothing leads to, then one of each circle."""
    inside = frozenset(names)
    led = {target for source, target in edges if source in inside and source != target}
    roots = [name for name in names if name not in led]
    for name in names:
        if name not in _columns([edge for edge in edges if inside.issuperset(edge)], roots):
            roots.append(name)
    return roots


def _placed(
    columns: Mapping[str, int], edges: Sequence[Edge], top: float, *, reached: bool
) -> tuple[dict[str, Spot], float]:
    """Boxes below `top`, and where they end."""
    rows = _rows(columns, edges)
    tallest = max(map(len, rows.values()), default=0)
    spots = {}
    for column, names in rows.items():
        offset = (tallest - len(names)) / 2
        for row, name in enumerate(names):
            spots[name] = Spot(_EDGE + column * _ACROSS, top + (row + offset) * _DOWN, reached)
    return spots, top + tallest * _DOWN - (_DOWN - HEIGHT) + _EDGE


def _rows(columns: Mapping[str, int], edges: Sequence[Edge]) -> dict[int, list[str]]:
    """The names of each column from top to bottom, moved towards their neighbours a few times."""
    rows: dict[int, list[str]] = defaultdict(list)
    beside = defaultdict(set)
    for name, column in columns.items():
        rows[column].append(name)
    for source, target in edges:
        if source in columns and target in columns and columns[source] != columns[target]:
            beside[source].add(target)
            beside[target].add(source)
    at = {name: row - len(names) / 2 for names in rows.values() for row, name in enumerate(names)}
    for turn in range(_ROUNDS):
        for column in sorted(rows, reverse=bool(turn % 2)):
            middle = {
                name: sum(at[one] for one in beside[name]) / len(beside[name]) if beside[name] else at[name]
                for name in rows[column]
            }
            rows[column].sort(key=lambda name, middle=middle: middle[name])  # type: ignore[misc]
            at |= {name: row - len(rows[column]) / 2 for row, name in enumerate(rows[column])}
    return dict(rows)


def _path(source: Spot, target: Spot) -> str:
    """Onward: from the right side to the left; otherwise a bow from bottom to bottom."""
    if target.x > source.x:
        x1, y1, x2, y2 = source.x + WIDTH, source.y + HEIGHT / 2, target.x - 6, target.y + HEIGHT / 2
        half = (x2 - x1) / 2
        return f"M{x1:g} {y1:g}C{x1 + half:g} {y1:g} {x2 - half:g} {y2:g} {x2:g} {y2:g}"
    low, shift = _bow(source, target), 22 if source.x == target.x else 0
    x1, x2 = source.x + WIDTH / 2 - 14 + shift, target.x + WIDTH / 2 + 14 + shift
    y1, y2 = source.y + HEIGHT, target.y + HEIGHT + 6
    return f"M{x1:g} {y1:g}C{x1:g} {low:g} {x2:g} {low:g} {x2:g} {y2:g}"


def _bow(source: Spot, target: Spot) -> float:
    """How low the handles of a line back reach."""
    return max(source.y, target.y) + HEIGHT + 34 if target.x <= source.x else 0
