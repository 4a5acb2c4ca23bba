"""What only a server can do: be away, refuse, be killed around, and be opened by many processes at once."""

import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from core.database import Database
from core.settings import Settings
from tests import factories
from tests.tracking import fronts, test_crash
from tests.tracking.fronts import CLUSTER, KINDS, Fronts, FrontServer
from tests.tracking.rows import event, heads, ship
from tracking import report_json, reports, rollups, sketches
from tracking.address import StoreAway
from tracking.drain import Drain
from tracking.events import to_line
from tracking.spool import Spool
from tracking.store import ReachStore


@pytest.fixture(params=("server", "cluster"))
def remote(request: pytest.FixtureRequest, running: Fronts) -> str:
    """The address of a fresh database on each kind of server."""
    return running[request.param].url()


def report_of(store: ReachStore, database: Database, now: datetime) -> list[dict[str, Any]]:
    """Everything that can be asked, before and after closing."""
    a, b, outsider = factories.OUTLET_A, factories.OUTLET_B, factories.OUTSIDE_OUTLET
    ship(
        store,
        "seg-1",
        [
            *(event("2022-03-15", outlet=a, visitor=v) for v in (1, 2)),
            *(event("2023-03-15", outlet=a, visitor=v, campaign="c") for v in (1, 2, 3, 3)),
            event("2023-07-08", outlet=b, visitor=3, channel="wechat", piece="it's"),
            heads("2022-03-15", 4, outlet=outsider, channel="outlet"),
        ],
    )
    store.ship("drops-1", b"2023-03-15\tbot\t412\tr\n")
    found = []
    for closing in (False, True):
        if closing:
            rollups.close_days(store, date(2024, 2, 1))
            sketches.close(store, date(2024, 2, 1))
        with database.reading() as session:
            for by in ("branch", "outlet", "campaign", "day"):
                asked = reports.ask(by=by, compare="year", first="2023-01-01", last="2023-12-31")
                found.append(report_json.as_json(reports.report(store, session, asked)))
    return found


def test_every_kind_of_store_gives_the_same_reports(
    tmp_path: Path, database: Database, running: Fronts, now: datetime
) -> None:
    with database.transaction() as session:
        factories.tree(session, now)
    answers = {}
    for kind in KINDS:
        home = Settings(_env_file=None, home=tmp_path / kind, secret_key="test-secret-of-no-value")
        where = running[kind].url() if kind in running else ""
        store = ReachStore.open(home.model_copy(update={"reach_url": where}))
        answers[kind] = report_of(store, database, now)
        store.close()
    assert answers["embedded"][0]["total"]["gross"] == 5
    assert answers["server"] == answers["embedded"]
    assert answers["cluster"] == answers["embedded"]


@pytest.fixture
def home(tmp_path: Path, remote: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of an installation whose children ship to a server."""
    monkeypatch.setenv("SIGNPOST_REACH_URL", remote)
    return tmp_path / "kills"


@pytest.mark.parametrize(("moment", "times"), [("after", 1), ("before", 1), ("careless-after", 2)])
def test_a_kill_beside_the_shipping(home: Path, moment: str, times: int) -> None:
    """The last is the control: under another name the same lines are doubled."""
    events = test_crash.three_events(home)
    assert test_crash.run(home, moment)[0] == -signal.SIGKILL
    assert test_crash.stored(home) == dict.fromkeys(events, times)


def test_a_drain_killed_at_any_moment_ships_all_once(home: Path) -> None:
    events: set[str] = set()
    for _ in range(60):
        events |= test_crash.three_events(home)
    seed = time.time_ns()
    chance = random.Random(seed)
    for _ in range(3):
        with test_crash.child(home, "drain") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == b"draining\n"
            time.sleep(chance.uniform(0.0, 0.4))
            process.kill()
    assert test_crash.stored(home) == dict.fromkeys(events, 1), f"seed {seed}"


@contextmanager
def drained(settings: Settings, server: FrontServer) -> Iterator[tuple[Spool, ReachStore, Drain]]:
    at = settings.model_copy(update={"reach_url": server.url("reach")})
    spool, store = Spool(settings.spool_dir), ReachStore.open(at)
    yield spool, store, Drain(spool, store)
    store.close()


@pytest.mark.parametrize("cluster", ["", CLUSTER])
def test_a_server_that_goes_away_finds_the_segments_waiting(
    settings: Settings, tmp_path: Path, cluster: str
) -> None:
    with (
        fronts.front(tmp_path / "own", cluster) as server,
        drained(settings, server) as (spool, store, drain),
    ):
        for number in range(3):
            spool.append(to_line(event("2026-09-15", id=f"e{number}")))
            spool.close()
            if number == 1:
                server.kill()
            if number != 0:
                with pytest.raises(StoreAway, match="连不上"):
                    drain.run_once()
                assert len(spool.sealed()) == number
            else:
                assert drain.run_once() == 1
        with pytest.raises(StoreAway):
            store.query("SELECT 1")
        server.start()
        assert drain.run_once() == 2
        assert spool.sealed() == []
        ids = store.query("SELECT id, count() FROM reach_event GROUP BY id ORDER BY id")
        assert ids == [("e0", 1), ("e1", 1), ("e2", 1)]


@pytest.fixture
def told(capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    """Everything that was said so far, on the terminal and in the logs."""
    caplog.set_level("DEBUG")
    return lambda: "".join(capfd.readouterr()) + caplog.text


def refused(settings: Settings, url: str) -> str:
    with pytest.raises(StoreAway) as error:
        ReachStore.open(settings.model_copy(update={"reach_url": url}))
    assert error.value.__cause__ is None, "the client's own words may hold what is not for people"
    return str(error.value)


def test_a_wrong_password_is_told_and_never_shown(
    settings: Settings, running: Fronts, told: Callable[[], str]
) -> None:
    for server in running.values():
        sentence = refused(settings, server.url(password="wrong-and-secret"))
        assert "用户名或密码" in sentence
        assert "SIGNPOST_REACH_URL" in sentence
        assert "wrong-and-secret" not in sentence + told() + repr(settings)


def test_an_unknown_host_is_told(settings: Settings, told: Callable[[], str]) -> None:
    sentence = refused(settings, "clickhouse://u:very-secret@no-such-host.invalid:8123/reach")
    assert "no-such-host.invalid:8123" in sentence
    assert "very-secret" not in sentence + told()


def test_an_unknown_cluster_is_told(settings: Settings, running: Fronts) -> None:
    url = running["cluster"].url().replace(f"cluster={CLUSTER}", "cluster=no-such-cluster")
    assert "no-such-cluster" in refused(settings, url)


def test_the_settings_do_not_show_the_password(settings: Settings, running: Fronts) -> None:
    at = settings.model_copy(update={"reach_url": running["server"].url()})
    assert running["server"].password in at.reach_url
    assert running["server"].password not in repr(at) + str(at)


def test_several_processes_on_an_empty_server_make_one_store(running: Fronts, settings: Settings) -> None:
    for server in running.values():
        at = settings.model_copy(update={"reach_url": server.url()})
        faults: list[Exception] = []

        def open_and_ship(number: int, at: Settings = at, faults: list[Exception] = faults) -> None:
            try:
                store = ReachStore.open(at)
                ship(store, f"seg-{number % 2}", [event("2026-09-15", id=f"e{number % 2}")])
                store.close()
            except Exception as error:
                faults.append(error)

        threads = [threading.Thread(target=open_and_ship, args=(number,)) for number in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not faults
        store = ReachStore.open(at)
        assert store.query("SELECT count() FROM reach_event") == [(2,)]
        assert store.query("SELECT sum(rows) FROM reach_counted") == [(2,)]
        store.close()
