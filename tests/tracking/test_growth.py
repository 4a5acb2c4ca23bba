"""Growth taken apart: whatever the rows, parts add up to the whole exactly; movers and waterfall say the same."""

from datetime import date
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from tracking import growth
from tracking.definition import FIRST
from tracking.growth import LEAST_BASE, Growth, contributions, movers, waterfall
from tracking.periods import Period, compare
from tracking.reports import Ask, Line, Report
from tracking.shares import apportioned, fractions

COUNTS = st.integers(0, 400_000)
ROWS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.tuples(COUNTS, COUNTS), max_size=30)
COMPARED = compare(Period(date(2023, 1, 1), date(2023, 12, 31)), "year")


def line(key: str, now: int, before: int, key2: str = "") -> Line:
    return Line(key, key.upper(), now, 0, 0, before, 0, 0, key2, key2.upper())


def report(*lines: Line) -> Report:
    total = line("", sum(one.gross for one in lines), sum(one.gross_before or 0 for one in lines))
    return Report(Ask(COMPARED, ("channel",)), FIRST, "", total._replace(name="合计"), tuple(lines), {})


def taken_apart(rows: dict[str, tuple[int, int]]) -> Growth:
    return contributions(report(*(line(key, now, before) for key, (now, before) in rows.items())))


def millionths(values: list[float | None]) -> int:
    return sum(round((value or 0) * 1_000_000) for value in values)


@given(ROWS)
def test_parts_add_up_to_the_whole(rows: dict[str, tuple[int, int]]) -> None:
    found = taken_apart(rows)
    change = sum(now - before for now, before in rows.values())
    base = sum(before for _now, before in rows.values())
    assert sum(part.change for part in found.parts) == found.total.change == change
    assert found.gains + found.losses == change
    if change:
        assert millionths([part.share for part in found.parts]) == 1_000_000
    if base:
        assert millionths([part.points for part in found.parts]) == millionths([found.total.points])
        assert abs(Fraction(change, base) - Fraction(str(found.total.points))) <= Fraction(1, 2_000_000)
    else:
        assert {part.points for part in found.parts} <= {None}


@given(ROWS)
def test_each_part_is_what_somebody_with_a_pencil_gets(rows: dict[str, tuple[int, int]]) -> None:
    base = sum(before for _now, before in rows.values())
    found = taken_apart(rows)
    assert {part.key for part in found.parts} == {key for key, counts in rows.items() if any(counts)}
    for part in found.parts:
        now, before = rows[part.key]
        assert part.state == ("new" if now and not before else "gone" if before and not now else "")
        if base:
            assert part.points is not None
            assert abs(Fraction(str(part.points)) - Fraction(now - before, base)) <= Fraction(1, 1_000_000)
    assert [part.change for part in found.parts] == sorted(
        (part.change for part in found.parts), reverse=True
    )


@given(ROWS, st.integers(0, 10))
def test_the_waterfall_arrives(rows: dict[str, tuple[int, int]], most: int) -> None:
    found = taken_apart(rows)
    steps = waterfall(found, most)
    assert (steps[0].end, steps[-1].end) == (found.total.before, found.total.now)
    at = steps[0].end
    for step in steps[1:-1]:
        assert step.start == at
        at = step.end
    assert at == found.total.now
    assert len(steps) <= most + 3


@given(ROWS, st.integers(1, 5), st.integers(1, 5_000))
def test_movers_are_the_ends_of_a_sorted_list(
    rows: dict[str, tuple[int, int]], most: int, least: int
) -> None:
    found = movers(taken_apart(rows).parts, most, least)
    changes = sorted(now - before for now, before in rows.values())
    assert [one.change for one in found.risers] == [one for one in changes[::-1] if one > 0][:most]
    assert [one.change for one in found.fallers] == [one for one in changes if one < 0][:most]
    rates = sorted(round(now / before - 1, 6) for now, before in rows.values() if before >= least)
    assert [one.growth for one in found.fastest] == [one for one in rates[::-1] if one > 0][:most]
    assert [one.growth for one in found.slowest] == [one for one in rates if one < 0][:most]


def test_a_tiny_base_does_not_win_by_its_fraction() -> None:
    rows = {"big": (3_000, 2_000), "tiny": (90, 3), "new": (5_000, 0)}
    found = movers(taken_apart(rows).parts)
    assert (found.least, found.left_out) == (LEAST_BASE, 2)
    assert [one.key for one in found.fastest] == ["big"]
    assert [one.key for one in found.risers] == ["new", "big", "tiny"]


def test_two_groupings_come_as_groups_that_add_up() -> None:
    lines = [line("p", 10, 4, "a"), line("p", 1, 3, "b"), line("q", 7, 0, "a")]
    found = contributions(report(*lines))
    assert [(one.whole.key, one.whole.change) for one in found.groups] == [("q", 7), ("p", 4)]
    assert sum(one.whole.change for one in found.groups) == found.total.change
    assert millionths([one.whole.share for one in found.groups]) == 1_000_000
    assert [step.name for step in waterfall(found)[1:-1]] == ["Q", "P"], "the first grouping is drawn"
    assert [part.key2 for part in found.groups[1].parts] == ["a", "b"]
    assert found.groups[0].whole.state == growth.NEW


def test_nothing_at_all_has_no_growth() -> None:
    found = contributions(report())
    assert (found.parts, found.total.share, found.total.points) == ((), None, None)
    assert [step.end for step in waterfall(found)] == [0, 0]


@given(st.integers(0, 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=60))
def test_a_number_is_cut_without_rest(total: int, weights: list[int]) -> None:
    parts = apportioned(total, weights)
    assert sum(parts) == total
    fair = weights if any(weights) else [1] * len(weights)
    for part, weight in zip(parts, fair, strict=True):
        assert part >= 0
        assert abs(part - Fraction(total * weight, sum(fair))) <= 1


@given(st.lists(st.integers(-(10**9), 10**9), max_size=60), st.integers(-(10**10), 10**10))
def test_fractions_add_up_to_that_of_the_sum(parts: list[int], whole: int) -> None:
    found = fractions(parts, whole)
    if not whole:
        assert set(found) <= {None}
        return
    assert millionths(found) == millionths(fractions([sum(parts)], whole))
