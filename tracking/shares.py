"""Whole numbers cut into parts that add up exactly: no float, no part that is more than one off."""

from collections.abc import Sequence

MILLION = 1_000_000


def apportioned(total: int, weights: Sequence[int]) -> list[int]:
    """`total` cut in proportion to weights ≥ 0 by cumulative rounding; equal parts where all weigh nothing.

    Every running sum is within a half of its exact share, so the parts add up to `total` exactly.
    """
    if weights and not any(weights):
        weights = [1] * len(weights)
    whole = sum(weights)
    parts, seen, given = [], 0, 0
    for weight in weights:
        seen += weight
        upto = (2 * total * seen + whole) // (2 * whole)
        parts.append(upto - given)
        given = upto
    return parts


def fractions(parts: Sequence[int], whole: int) -> list[float | None]:
    """What each part is of `whole`, to six places, so that the fractions add up to that of their sum.

    Parts may be negative. None of them has a fraction of nothing.
    """
    if not whole:
        return [None] * len(parts)
    found: list[float | None] = []
    seen = given = 0
    for part in parts:
        seen += part
        upto = _rounded(seen * MILLION, whole)
        found.append((upto - given) / MILLION)
        given = upto
    return found


def _rounded(number: int, by: int) -> int:
    """The nearest whole number of number ÷ by, halves up."""
    if by < 0:
        number, by = -number, -by
    return (2 * number + by) // (2 * by)
