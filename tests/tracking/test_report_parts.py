"""Parts of the report page that need no store: address, spans, league, matrix, calendar, charts' labels, waiting."""

import threading
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import Invalid
from tracking import charts, heat, heat_drawing, league, matrix, periods, spans
from tracking.definition import FIRST
from tracking.groupings import KEYS
from tracking.periods import Period
from tracking.report_address import CHOSEN, Address
from tracking.reports import Ask, Line, Report
from tracking.waiting import Waiting

YEAR = Period(date(2023, 1, 1), date(2023, 12, 31))


def report(by: tuple[str, ...], lines: list[Line]) -> Report:
    total = Line(
        "", "合计", sum(line.gross for line in lines), 0, None, sum(line.gross_before or 0 for line in lines)
    )
    return Report(
        Ask(periods.compare(YEAR, periods.YEAR), by, people=False), FIRST, "", total, tuple(lines), {}
    )


@given(st.lists(st.tuples(st.sampled_from([*CHOSEN, *KEYS, "nonsense"]), st.text(max_size=130)), max_size=12))
def test_an_address_has_one_form_whatever_its_order(pairs: list[tuple[str, str]]) -> None:
    found = Address.of(pairs)
    assert Address.read(found.query).query == found.query
    filters = [one for one in pairs if one[0] in KEYS]
    others = [one for one in pairs if one[0] not in KEYS]
    assert Address.of([*filters[::-1], *others]).query == found.query


def test_an_address_keeps_empty_filters_and_leaves_out_what_says_nothing() -> None:
    found = Address.read("channel=&channel=web&by=outlet,channel&span=&x=1")
    assert found.filters == {"channel": ("", "web")}
    assert found.query == "by=outlet&by2=channel&channel=&channel=web"
    assert found.filtered("channel", ()).but(by="", by2="").empty
    assert found.href("/p", ("key", ""), page="2") == f"/p?{found.query}&key=&page=2"


def test_what_still_runs_ends_yesterday_and_what_lies_ahead_is_not_offered() -> None:
    today = date(2023, 9, 13)
    assert spans.period_of("year", "2023", today) == Period(date(2023, 1, 1), date(2023, 9, 12))
    assert spans.period_of("month", "2023-08", today) == Period(date(2023, 8, 1), date(2023, 8, 31))
    assert spans.period_of("week", "2023-W37", today) == Period(date(2023, 9, 11), date(2023, 9, 12))
    first = date(2023, 9, 1)
    assert spans.period_of("month", "2023-09", first) == Period(first, date(2023, 9, 30)), (
        "no day is over yet"
    )
    assert spans.values("quarter", [2023, 2022], today)[:2] == ["2023-Q3", "2023-Q2"]
    assert spans.values("week", [2023], today)[0] == "2023-W37"
    assert len(spans.values("week", [2020], today)) == 53
    for wrong in ("2023-W54", "2023-W00", "x-W1"):
        with pytest.raises(Invalid):
            spans.week(wrong)


def test_a_league_ranks_now_against_before() -> None:
    lines = [
        Line("a", "甲", 50, 0, None, 10), Line("b", "乙", 30, 0, None, 40), Line("c", "丙", 30, 0, None, 0),
        Line("d", "丁", 0, 0, None, 5),
    ]  # fmt: skip
    found = league.standings(report(("outlet",), lines))
    assert [one.place for one in found] == [1, 2, 2, 4]
    assert [one.moved for one in found] == [1, -1, None, -1]
    assert found[0].share == 50 / 110
    assert league.ends(found, "bottom10")[0].line.key == "d"
    assert league.ends(found, "top10")[0].line.key == "a"
    timed = league.standings(report(("month",), [Line("2023-01", "2023-01", 5, 0, None, 1)]))
    assert (timed[0].place, timed[0].moved) == (None, None)


def test_a_matrix_adds_up_at_both_edges() -> None:
    lines = [
        Line("a", "甲", 6, 0, None, 3, key2="x", name2="X"), Line("a", "甲", 1, 0, None, 0, key2="y", name2="Y"),
        Line("b", "乙", 9, 0, None, 1, key2="y", name2="Y"),
    ]  # fmt: skip
    found = matrix.matrix(report(("outlet", "channel"), lines))
    assert found is not None
    assert [key for key, _name in found.across] == ["y", "x"], "the largest first"
    assert [[cell.gross for cell in row] for row in found.cells] == [[1, 6], [9, 0]]
    assert [cell.gross for cell in found.sums_down] == [7, 9]
    assert [cell.gross for cell in found.sums_across] == [10, 6]
    assert found.cells[1][0].level == 5
    assert found.cells[1][0].growth == 8
    assert matrix.matrix(report(("outlet",), lines)) is None
    many = [Line(f"{n}", f"{n}", 1, 0, None, key2="x", name2="X") for n in range(41)]
    assert matrix.matrix(report(("outlet", "channel"), many)) is None


@given(st.dates(date(2001, 1, 1), date(2040, 1, 1)), st.integers(1, 366))
def test_a_calendar_has_every_day_once_in_its_week(first: date, days: int) -> None:
    period = Period(first, date.fromordinal(first.toordinal() + days - 1))
    band = heat.band(period, {first.isoformat(): 7}, [1, 2, 3, 4])
    assert [one.day.toordinal() for one in band.squares] == list(
        range(first.toordinal(), first.toordinal() + days)
    )
    assert len({(one.week, one.weekday) for one in band.squares}) == days
    assert all(one.day.weekday() == one.weekday for one in band.squares)
    assert sum(1 for _monday, week in band.by_week for one in week if one) == days
    assert all(monday.weekday() == 0 for monday, _week in band.by_week)
    assert [one.level for one in band.squares if one.gross] == [5]
    assert max(one.week for one in band.squares) + 1 == band.weeks <= 54


def test_a_calendar_is_drawn_with_the_pages_colours_and_words_for_who_cannot_see() -> None:
    band = heat.band(YEAR, {"2023-09-05": 1234}, [1, 2, 3, 4])
    drawn = heat_drawing.drawing(band, "zh")
    assert drawn.count("<rect") == 365
    assert 'data-d="2023-09-05" data-n="1,234"' in drawn
    assert 'role="img" aria-label="2023 年 每天的触达人次；最多的一天是 2023-09-05，1,234 人次"' in drawn
    assert "style=" not in drawn
    assert heat_drawing.weeks(band).count("<tr>") == 53


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        (["2023-09-05", "2023-09-06"], ["9-5", "9-6"]),
        (["2023-01", "2023-02"], ["1月", "2月"]),
        (["2023-Q1", "2023-Q2"], ["Q1", "Q2"]),
        (["2022-Q1", "2023-Q1"], ["2022-Q1", "2023-Q1"]),
        (["00", "23"], ["00", "23"]),
        (["2022", "2023"], ["2022", "2023"]),
    ],
)
def test_labels_of_a_chart_are_short_and_different(keys: list[str], labels: list[str]) -> None:
    shown = charts.points([Line(key, key, 1, 1, None) for key in keys])
    assert [point.label for point in shown] == labels


def test_what_takes_long_is_collected_later_and_begun_once() -> None:
    waiting, gate, begun = Waiting(), threading.Event(), list[int]()

    def slow() -> str:
        begun.append(1)
        gate.wait(10)
        return "done"

    assert waiting.ask("a", slow, 0.01) is None
    assert waiting.ask("a", slow, 0.01) is None
    assert not waiting.known("a")
    gate.set()
    assert waiting.ask("a", slow, 10) == "done"
    assert (begun, waiting.known("a")) == ([1], True)

    def wrong() -> str:
        raise Invalid("不行")

    with pytest.raises(Invalid):
        waiting.ask("b", wrong, 10)
    waiting.close()
