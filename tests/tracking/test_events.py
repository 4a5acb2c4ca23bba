"""The line of an event: what is written is what was meant, and nothing else passes for it."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.events import (
    KINDS,
    ReachEvent,
    Stamps,
    are_drop_lines,
    are_lines,
    drop_line,
    escape,
    grown,
    is_line,
    new_event,
    new_id,
    to_line,
    unescape,
)

BEIJING = ZoneInfo("Asia/Shanghai")
AT = datetime(2026, 9, 15, 16, 30, 1, 234_567, tzinfo=UTC)  # 00:30 of the 16th in Beijing


def test_a_line_is_fourteen_columns_in_order() -> None:
    event = new_event(
        "visited", at=AT, zone=BEIJING, visitor=7, campaign="gold", piece="p", outlet="33010601", id="x-1"
    )
    assert to_line(event) == (
        b"x-1\t2026-09-15 16:30:01.234\t2026-09-16\tvisited\t1\t7\tgold\tp\t33010601\t\t\t\t\t\n"
    )


def test_the_day_is_the_institutions() -> None:
    assert new_event("visited", at=AT, zone=BEIJING).day == date(2026, 9, 16)
    assert new_event("visited", at=AT, zone=ZoneInfo("UTC")).day == date(2026, 9, 15)


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="glanced"):
        new_event("glanced", at=AT, zone=BEIJING)


def test_ids_are_unique() -> None:
    assert len({new_id() for _ in range(10_000)}) == 10_000


texts = st.text(st.characters(codec="utf-8"), max_size=20)


@given(st.lists(texts, min_size=8, max_size=8), st.sampled_from(KINDS), st.integers(-999, 999_999))
def test_any_text_travels_and_any_event_is_a_line(words: list[str], kind: str, quantity: int) -> None:
    line = to_line(ReachEvent("i", AT, date(2026, 9, 16), kind, quantity, 2**64 - 1, *words))
    assert line.count(b"\n") == 1
    assert is_line(line)
    assert [unescape(column) for column in line[:-1].decode().split("\t")[6:]] == words


GOOD = to_line(new_event("visited", at=AT, zone=BEIJING, visitor=7, campaign="金融教育宣传月", id="x"))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        GOOD[:-1],  # torn
        GOOD[5:],  # torn in front
        GOOD.replace(b"\t\t\t\n", b"\t\t\n"),  # thirteen columns
        GOOD.replace(b"\n", b"\tmore\n"),  # fifteen
        GOOD.replace(b"visited", b"glanced"),
        GOOD.replace(b"\t1\t7", b"\tone\t7"),
        GOOD.replace(b"\t1\t7", b"\t1\t-7"),
        GOOD.replace(b"\t1\t7", b"\t1\t18446744073709551616"),  # 2^64
        GOOD.replace(b"2026-09-16", b"2026-09-31"),
        GOOD.replace(b"2026-09-16", b"2026-13-01"),
        GOOD.replace(b"16:30", b"25:30"),
        GOOD.replace("金".encode(), b"\xff"),
        GOOD.replace("金".encode(), b"\0"),
        GOOD.replace("金".encode(), b"\\q"),
        GOOD + GOOD,
    ],
)
def test_what_is_not_one_whole_line_is_refused(line: bytes) -> None:
    assert not is_line(line)


def test_a_line_from_before_audience_and_place_grows_and_no_other_does() -> None:
    old = GOOD.replace(b"\t\t\t\n", b"\t\n")
    assert not is_line(old)
    assert grown(old) == GOOD
    for other in (
        GOOD,
        GOOD.replace(b"\t\t\t\n", b"\t\t\n"),
        b"rubbish\n",
        old.replace(b"visited", b"glanced"),
    ):
        assert grown(other) == other


def test_many_lines_are_judged_together() -> None:
    assert are_lines(GOOD * 3)
    assert not are_lines(GOOD + GOOD[:-1])
    assert not are_lines(GOOD + b"rubbish\n" + GOOD)


def test_the_highest_visitors_pass_one_by_one() -> None:
    line = GOOD.replace(b"\t1\t7", f"\t1\t{2**64 - 1}".encode())
    assert is_line(line)
    assert not are_lines(line)  # the quick look may say no; the drain then looks at each line


def test_lines_of_drops() -> None:
    line = drop_line(date(2026, 9, 16), "bot", 12, "run-1")
    assert line == b"2026-09-16\tbot\t12\trun-1\n"
    assert are_drop_lines(line + line)
    assert not are_drop_lines(line[:-1])
    assert not are_drop_lines(line.replace(b"12", b"many"))


def test_escapes_are_those_of_the_engine() -> None:
    assert escape("a\tb\nc\\d\re\0") == "a\\tb\\nc\\\\d\\re\\0"
    assert unescape(escape("a\tb\nc\\d\re\0'")) == "a\tb\nc\\d\re\0'"


def test_stamps_follow_the_day_over_midnight() -> None:
    stamps = Stamps(BEIJING)
    midnight = datetime(2026, 9, 15, 16, 0, tzinfo=UTC).timestamp()
    assert stamps.columns(midnight - 0.001) == "2026-09-15 15:59:59.999\t2026-09-15"
    assert stamps.columns(midnight) == "2026-09-15 16:00:00.000\t2026-09-16"
    assert stamps.columns(midnight - 0.001) == "2026-09-15 15:59:59.999\t2026-09-15"


@given(
    st.integers(1_577_836_800, 2_051_222_400),  # 2020 to 2034
    st.sampled_from(["Asia/Shanghai", "Europe/Paris"]),
)
def test_stamps_agree_with_the_calendar(at: int, zone: str) -> None:
    # Paris changes its clock: a day there has 23, 24 or 25 hours
    expected = datetime.fromtimestamp(at, ZoneInfo(zone)).date().isoformat()
    assert Stamps(ZoneInfo(zone)).day(at) == expected
