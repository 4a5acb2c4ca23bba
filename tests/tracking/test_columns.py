"""Many lines looked at by column: a yes never differs from what the line-by-line check says."""

import random
from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.writing import WritePath
from tracking.columns import fitting
from tracking.events import KINDS, ReachEvent, is_line, to_line

AT = datetime(2026, 9, 15, 16, 30, 1, 234_567, tzinfo=UTC)
LINES = [
    to_line(ReachEvent(f"i-{number:x}", AT, date(2026, 9, 16), kind, quantity, visitor, "金", "p", "11", "w"))
    for number, (kind, quantity, visitor) in enumerate(
        [(kind, 1, 2**64 - 1 - 10**13) for kind in KINDS]
        + [("attended", -120, 0), ("visited", 999_999_999, 7), ("visited", 1, 10**19), ("shared", 1, 10**18)]
    )
]


def test_what_our_writers_write_fits(path: WritePath) -> None:
    for number in range(20):
        path.now += number * 3_601.5
        path.get()
        path.post(path.beacon("completed"))
    path.spool.close()
    (segment,) = path.spool.sealed()
    assert fitting(segment.read_bytes()) == 40
    assert fitting(b"".join(LINES)) == len(LINES)


@pytest.fixture
def path(settings: object) -> WritePath:
    return WritePath(settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (0, b""), (1, b"2026-09-31 16:30:01.234"), (1, b"2026-13-01 16:30:01.234"), (1, b"2026-09-15 24:00:00.000"),
        (1, b"2026-09-15 16:60:01.234"), (1, b"2026-09-15 16:30:61.234"), (1, b"1926-09-15 16:30:01.234"),
        (1, b"2026-09-15T16:30:01.234"), (1, b"2026-09-15 16:30:01.23x"), (2, b"2026-02-30"), (2, b"2026-00-10"),
        (2, b"2026-9-15"), (2, b"2026-09-00"), (3, b"glanced"), (3, b""), (3, b"visite"), (3, b"visitedx"),
        (4, b""), (4, b"-"), (4, b"1234567890"), (4, b"1.5"), (4, b"--1"), (5, b""), (5, b"-1"), (5, b"x"),
        (5, b"18446744073709551616"), (5, b"123456789012345678901"), (6, b"\xff\xfe"), (6, b"a\x00b"), (6, b"a\rb"),
        (13, b"one\ttoo many"), (12, b"line\nbreak"),
    ],
)  # fmt: skip
def test_no_chunk_with_a_bad_line_fits(column: int, value: bytes) -> None:
    fields = LINES[0][:-1].split(b"\t")
    fields[column] = value
    bad = b"\t".join(fields) + b"\n"
    assert not is_line(bad)
    for place in (0, 5, len(LINES)):
        assert fitting(b"".join([*LINES[:place], bad, *LINES[place:]])) == 0


def test_a_chunk_must_end_with_its_line() -> None:
    assert fitting(b"") == 0
    assert fitting(b"\n") == 0
    assert fitting(LINES[0][:-1]) == 0
    assert fitting(LINES[0] + LINES[1][:30]) == 0
    assert fitting(LINES[0] + b"\n") == 0


@settings(max_examples=300)
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_whatever_is_changed_a_yes_means_that_every_line_is_an_event(seed: int, changes: int) -> None:
    chance = random.Random(seed)
    content = bytearray(b"".join(chance.choices(LINES, k=3)))
    for _ in range(changes):
        place = chance.randrange(len(content))
        byte = chance.choice(b"0123456789\t\n\\-: .abz\xe9\x00\r")
        if chance.random() < 0.5:
            content[place] = byte
        elif chance.random() < 0.5:
            content.insert(place, byte)
        else:
            del content[place]
    lines = bytes(content).splitlines(keepends=True) if b"\r" not in content else []
    if fitting(bytes(content)):
        assert lines
        assert all(map(is_line, lines))
