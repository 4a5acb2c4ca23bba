"""What no person does is dropped, a hall full of people behind one address is not, and memory stays bounded."""

import random
import sys
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.writing import AFTERNOON, WritePath
from tracking import ranges, recorder, reports
from tracking.rates import ADDRESS, VISITOR, Limits, Rates

LIMITS = Limits(visitor_minute=3, visitor_hour=5, address_minute=10, address_hour=20)
HERE = b"\xcb\x00\x71\x07"
MINUTE = 60.0


def test_a_visitor_is_stopped_within_the_minute_and_within_the_hour() -> None:
    rates = Rates(LIMITS)
    start = AFTERNOON - AFTERNOON % 3600
    assert [rates.beyond(7, b"", start + one) for one in range(4)] == ["", "", "", VISITOR]
    assert rates.beyond(8, b"", start + 4) == "", "another visitor is another person"
    # what was dropped was asked too: four of the hour's five are gone
    assert [rates.beyond(7, b"", start + MINUTE * one) for one in (1, 2)] == ["", VISITOR]
    assert rates.beyond(7, b"", start + 60 * MINUTE) == ""


def test_an_address_is_stopped_later_whoever_asks() -> None:
    rates = Rates(LIMITS)
    said = [rates.beyond(0, HERE, AFTERNOON) for _ in range(11)]
    assert said == [""] * 10 + [ADDRESS]
    assert rates.beyond(1, HERE, AFTERNOON) == ADDRESS
    assert rates.beyond(1, b"\xcb\x00\x71\x08", AFTERNOON) == ""


def test_nobody_in_particular_is_not_counted_and_zero_is_no_limit() -> None:
    rates = Rates(LIMITS)
    assert {rates.beyond(0, b"", AFTERNOON) for _ in range(50)} == {""}
    open_to_all = Rates(Limits(0, 0, 0, 0))
    assert {open_to_all.beyond(7, HERE, AFTERNOON) for _ in range(5000)} == {""}


def test_memory_is_bounded_also_within_one_minute() -> None:
    rates = Rates(LIMITS, most=1000)
    for number in range(1, 20_000):
        rates.beyond(number, number.to_bytes(4, "big"), AFTERNOON)
        assert rates.held() <= 4 * 1001


def test_no_address_is_in_memory_or_comes_back_the_next_day() -> None:
    rates = Rates(LIMITS)
    keys = []
    for day in range(2):
        rates.beyond(0, HERE, AFTERNOON + day * 86_400)
        keys += list(rates._addresses._in_minute)
    assert len(set(keys)) == 2, "the day's key is another"
    assert all(isinstance(key, int) and abs(key) < 1 << 64 for key in keys)
    assert HERE not in {key.to_bytes(8, sys.byteorder, signed=True)[:4] for key in keys}


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


def test_a_hall_of_people_behind_one_address_is_counted(path: WritePath) -> None:
    """300 people at an event open the page within a minute and read it: 900 views and beacons, one address."""
    for number in range(1, 301):
        path.now = AFTERNOON + number / 5
        cookie = f"sp_v={number:016x}"
        path.get(cookies=cookie)
        for kind in ("engaged", "completed"):
            assert path.post(path.beacon(kind), HTTP_COOKIE=cookie).startswith("204")
    assert path.drops() == {}
    assert len(path.events()) == 900


def test_a_reader_in_a_hurry_is_counted(path: WritePath) -> None:
    chance = random.Random(4)
    for _ in range(100):  # a page every 5 to 15 seconds, with a beacon each
        path.now += chance.uniform(5, 15)
        path.get(cookies="sp_v=00000000000000aa")
        path.post(path.beacon(), HTTP_COOKIE="sp_v=00000000000000aa")
    assert path.drops() == {}


def test_a_program_with_a_cookie_is_dropped_and_counted(path: WritePath) -> None:
    for _ in range(100):
        assert path.get(cookies="sp_v=00000000000000aa") == {}
    assert path.drops() == {"visitor_rate": 40}
    assert len(path.events()) == 60


def test_a_flood_without_cookies_from_one_address_is_dropped(settings: Settings) -> None:
    path = WritePath(settings.model_copy(update={"reach_address_minute": 50}))
    for _ in range(80):
        path.get()
    assert path.drops() == {"address_rate": 30}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_behind_a_proxy_that_nobody_declared_everybody_is_counted(settings: Settings, address: str) -> None:
    path = WritePath(settings.model_copy(update={"reach_address_minute": 5, "reach_visitor_minute": 5}))
    for _ in range(30):
        path.get(cookies="sp_v=00000000000000aa", REMOTE_ADDR=address)
    assert path.drops() == {}


@pytest.mark.parametrize("address", ["10.1.2.3", "192.168.0.9", "172.20.1.1", "fd00::5"])
def test_within_the_house_only_visitors_have_a_limit(settings: Settings, address: str) -> None:
    path = WritePath(settings.model_copy(update={"reach_address_minute": 5, "reach_visitor_minute": 9}))
    for _ in range(12):
        path.get(cookies="sp_v=00000000000000aa", REMOTE_ADDR=address)
        path.get(REMOTE_ADDR=address)
    assert path.drops() == {"visitor_rate": 3}


def test_a_data_centre_is_dropped_behind_a_trusted_proxy_too(settings: Settings) -> None:
    path = WritePath(settings.model_copy(update={"trusted_proxies": 1}))
    path.get(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.9")
    ranges.load(settings.home, b"198.51.100.0/24\n")
    path.recorder.tick()
    path.get(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.9")
    path.get(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.101.9")
    assert path.post(path.beacon(), REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR="198.51.100.9")[:3] == "204"
    assert len(path.events()) == 2
    assert path.drops() == {"data_centre": 2}


def test_every_reason_has_a_name_under_the_report() -> None:
    assert set(recorder.REASONS) <= set(reports.DROP_NAMES)


def test_no_address_is_written_where_rates_are_counted(path: WritePath) -> None:
    for _ in range(70):
        path.get(cookies="sp_v=00000000000000aa")
    path.recorder.tick()
    path.spool.close()
    files: list[Path] = [file for file in path.settings.home.rglob("*") if file.is_file()]
    assert not [file for file in files if b"203.0.113.7" in file.read_bytes()]
