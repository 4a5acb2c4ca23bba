"""The slow-down itself: counted before looking, in the database, for all processes."""

import threading
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, select

from core.database import Database
from core.signing import Keys
from institution import throttle
from institution.devices import Devices
from institution.sign_in_models import SignInTry
from institution.throttle import RULES, Attempt

KEYS = Keys(b"of-no-value")


def one(address: str = "192.0.2.1", device: str | None = None, login: str = "lin") -> Attempt:
    return throttle.attempt(KEYS, login, address, device)


def tries(session: Session, tried: Attempt, count: int, now: datetime) -> list[float]:
    return [throttle.begin(session, tried, now) for _ in range(count)]


def test_the_wait_doubles_and_ends_at_fifteen_minutes(database: Database, now: datetime) -> None:
    waits, at = [], now
    with database.transaction() as session:
        assert tries(session, one(), 5, at) == [0.0] * 5
        for _ in range(14):
            wait = throttle.begin(session, one(), at)
            waits.append(round(wait))
            at += timedelta(seconds=wait)
            assert throttle.begin(session, one(), at) == 0.0
    assert waits[:4] == [1, 2, 4, 8] and waits[-1] == 900


def test_a_right_one_clears_its_own_counters_and_one_of_the_shared(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        tries(session, one(), 4, now)
        assert throttle.begin(session, one(), now) == 0.0
        throttle.right(session, one(), now)
        counts = {row.key: row.count for row in session.exec(select(SignInTry))}
        by_rule = {rule: counts[key] for rule, key in one().counters}
    assert by_rule == {"pair": 0.0, "account": 4.0, "address": 4.0}


def test_time_forgives(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        tries(session, one(), 5, now)
        assert throttle.begin(session, one(), now) > 0
        assert tries(session, one(), 5, now + timedelta(hours=6)) == [0.0] * 5


def test_an_ipv6_network_is_one_place() -> None:
    assert throttle.network("2001:db8::1") == throttle.network("2001:db8::ffff")
    assert throttle.network("2001:db8:0:1::1") != throttle.network("2001:db8::1")
    assert (
        throttle.network("::ffff:192.0.2.1") == throttle.network("192.0.2.1") != throttle.network("192.0.2.2")
    )
    assert throttle.network("") == ""


def test_the_table_names_nobody(database: Database, now: datetime) -> None:
    with database.transaction() as session:
        tries(session, one(login="wang.admin"), 1, now)
        text = " ".join(row.key for row in session.exec(select(SignInTry)))
    assert "wang" not in text and "192" not in text


@pytest.mark.parametrize("guarded", [True, False])
def test_tries_at_once_are_all_counted(
    database: Database, now: datetime, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control looks at the counters before taking them: then more get through than are free."""
    let_through, together = [], threading.Barrier(12)
    limit = RULES["pair"].free

    def guess() -> None:
        if guarded:
            together.wait()
            with database.transaction() as session:
                if throttle.begin(session, one(), now) == 0.0:
                    let_through.append(1)
            return
        with database.reading() as session:
            rows = {row.key: row for row in session.exec(select(SignInTry))}
        together.wait()
        if all(key not in rows or rows[key].count < limit for _rule, key in one().counters):
            let_through.append(1)
            with database.transaction() as session:
                throttle.begin(session, one(), now)

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(let_through) == limit if guarded else len(let_through) > limit


def test_a_device_is_known_for_its_accounts_only_and_a_forged_cookie_for_none() -> None:
    devices = Devices(KEYS)
    cookie = devices.remember("", "Lin ")
    assert devices.known(cookie, "lin") and devices.known(cookie, "zhou") is None
    both = devices.remember(cookie, "zhou")
    assert devices.known(both, "lin") == devices.known(cookie, "lin") and devices.known(both, "zhou")
    assert devices.known(cookie[:-3] + "abc", "lin") is None and devices.known("nonsense", "lin") is None
    assert Devices(Keys(b"another")).known(cookie, "lin") is None
    assert devices.known(devices.remember(both, "lin"), "lin") != devices.known(both, "lin")
    for number in range(9):
        both = devices.remember(both, f"colleague{number}")
    assert devices.known(both, "lin") is None and len(both) < 400
