"""Campaigns of unequal length, laid day on day; outlets beside their like: both against the same done plainly."""

import statistics
from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tracking import likes
from tracking.alignment import align
from tracking.likes import Outlet, beside, quartiles, tenths
from tracking.periods import Period

COUNTS = st.lists(st.integers(0, 1_000), min_size=1, max_size=40)


def run(first: date, counts: list[int]) -> tuple[Period, dict[date, int]]:
    days = [first + timedelta(number) for number in range(len(counts))]
    return Period(days[0], days[-1]), {day: count for day, count in zip(days, counts, strict=True) if count}


@given(COUNTS, COUNTS)
def test_days_lie_on_each_other(now: list[int], before: list[int]) -> None:
    (mine, my_counts), (theirs, their_counts) = run(date(2023, 9, 1), now), run(date(2022, 8, 20), before)
    found = align(mine, theirs, (my_counts, their_counts))
    assert len(found.days) == max(len(now), len(before))
    for at, day in enumerate(found.days):
        assert day.number == at + 1
        assert (day.now, day.now_sum) == ((now[at], sum(now[: at + 1])) if at < len(now) else (None, None))
        assert day.before_sum == (sum(before[: at + 1]) if at < len(before) else None)
        assert day.now_on == (mine.first + timedelta(at) if at < len(now) else None)
    assert found.per_day == (sum(now) / len(now), sum(before) / len(before))
    assert found.as_far.number == min(len(now), len(before))
    assert (found.now_total, found.before_total) == (sum(now), sum(before))


def test_a_longer_campaign_is_judged_by_its_days_not_by_its_sum() -> None:
    (week, counts), (month, more) = run(date(2023, 9, 1), [10] * 7), run(date(2022, 9, 1), [8] * 30)
    found = align(week, month, (counts, more))
    assert (found.total_growth, found.per_day_growth, found.as_far.growth) == (-0.708333, 0.25, 0.25)


OUTLETS = st.lists(
    st.tuples(st.sampled_from(["county", "city"]), st.integers(0, 60), st.integers(0, 60)), max_size=80
).map(lambda rows: [Outlet(f"{at:03d}", f"n{at}", *row) for at, row in enumerate(rows)])


@given(OUTLETS, st.integers(1, 10))
def test_peers_are_those_of_the_same_class_and_never_oneself(outlets: list[Outlet], least: int) -> None:
    size = tenths({one.key: one.before for one in outlets})
    for one, found in zip(outlets, beside(outlets, least), strict=True):
        others = [two for two in outlets if two.key != one.key and size[two.key] == size[one.key]]
        near = [two for two in others if two.under == one.under]
        peers = near if len(near) >= least else others
        assert (found.outlet, found.size, found.peers) == (one, size[one.key], len(peers))
        assert found.same_branch == (len(near) >= least)
        if len(peers) < least:
            assert (found.median, found.quarter, found.ratio) == (None, None, None)
            continue
        counts = sorted(two.now for two in peers)
        assert found.median == statistics.median(counts)
        if found.median == 0:
            assert found.ratio is None, "no multiple of nothing"


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=60))
def test_quartiles_are_those_of_the_text_books(counts: list[int]) -> None:
    ranked = sorted(counts)
    assert list(quartiles(ranked)) == statistics.quantiles(ranked, n=4, method="inclusive")


@given(st.lists(st.integers(0, 30), max_size=80))
def test_equal_outlets_are_in_one_tenth_and_larger_ones_never_below(counts: list[int]) -> None:
    found = tenths({str(at): count for at, count in enumerate(counts)})
    by_count = defaultdict(set)
    for at, count in enumerate(counts):
        by_count[count].add(found[str(at)])
    assert all(len(one) == 1 for one in by_count.values())
    ordered = [max(by_count[count]) for count in sorted(by_count)]
    assert ordered == sorted(ordered)
    assert by_count.get(0, {likes.NO_BASE}) == {likes.NO_BASE}
    assert all(1 <= one <= likes.TENTHS for count, found_in in by_count.items() if count for one in found_in)


def test_tenths_hold_a_tenth_each() -> None:
    found = tenths({str(at): at + 1 for at in range(1_000)})
    assert {list(found.values()).count(tenth) for tenth in range(1, 11)} == {100}


def test_where_an_outlet_stands() -> None:
    outlets = [
        Outlet(str(at), "", "county", now, 10) for at, now in enumerate([0, 10, 20, 30, 40, 50, 60, 70, 80])
    ]
    found = beside(outlets, 8)
    assert [one.quarter for one in found] == [0, 0, 0, 1, 2, 2, 3, 3, 3]
    assert found[0].ratio == 0
