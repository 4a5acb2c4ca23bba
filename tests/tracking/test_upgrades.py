"""A store of an older version is brought up without losing a row; a newer one is left alone."""

import os
import subprocess
import sys
from typing import Any

import clickhouse_connect
import pytest

from core.settings import Settings
from tests import forked
from tests.tracking.fronts import Fronts, FrontServer
from tests.tracking.rows import event, ship
from tracking import address, schema, upgrades
from tracking.store import ReachStore


def first_shape(store: ReachStore) -> None:
    """Make the store what the first version made: no schema table, other roll-ups, fewer columns."""
    layout = store.layout
    columns = (("day", "Date"), ("outlet", "LowCardinality(String)"), ("quantity", "Int64"))
    gross = schema.Table("reach_gross", columns, order="day", shard="cityHash64(day)")
    names = ("reach_schema", "reach_claim", "reach_gross")
    fewer = "DROP COLUMN IF EXISTS audience, DROP COLUMN IF EXISTS place"
    for statement in (
        *(one for name in names for one in layout.drop(name)),
        *layout.create(gross),
        *(f"ALTER TABLE {name}{layout.everywhere} {fewer}" for name in layout.names("reach_event")),
    ):
        store.command(statement)


def test_a_store_of_the_first_shape_keeps_its_rows_and_takes_new_ones(settings: Settings) -> None:
    store = ReachStore.open(settings)
    ship(store, "seg-1", [event("2026-09-15", id="old")])
    first_shape(store)
    store.close()
    for _again in range(2):
        store = ReachStore.open(settings)
        ship(store, "seg-2", [event("2026-09-16", id="new", audience="elders", place="village")])
        rows = store.query("SELECT id, audience, place FROM reach_event ORDER BY day")
        assert rows == [("old", "", ""), ("new", "elders", "village")]
        assert store.query("SELECT version FROM reach_schema ORDER BY version") == [(1,), (2,)]
        assert store.query("SELECT count() FROM reach_gross WHERE place = ''") == [(0,)]
        store.close()


def test_a_store_of_a_newer_version_is_refused(settings: Settings) -> None:
    store = ReachStore.open(settings)
    store.command(f"INSERT INTO reach_schema SELECT {schema.VERSION + 1}, now()")
    store.close()
    with pytest.raises(RuntimeError, match=f"version {schema.VERSION + 1}"):
        ReachStore.open(settings)


class Interrupted(Exception):
    """The process ends here."""


class Interrupting:
    """A client that ends before its nth statement."""

    def __init__(self, client: Any, left: int) -> None:
        self._client = client
        self.left = left

    def command(self, cmd: str, *, settings: dict[str, Any] | None = None) -> object:
        if not self.left:
            raise Interrupted
        self.left -= 1
        return self._client.command(cmd, settings=settings)


def old_store(settings: Settings, server: FrontServer) -> Settings:
    """A store of the first shape with one event on a server."""
    at = settings.model_copy(update={"reach_url": server.url()})
    store = ReachStore.open(at)
    ship(store, "seg-1", [event("2026-09-15", id="old")])
    first_shape(store)
    store.close()
    return at


def client_of(where: address.Address) -> Any:
    return clickhouse_connect.get_client(
        host=where.host,
        port=where.port,
        username=where.user,
        password=where.password,
        database=where.database,
        settings=where.settings,
        autogenerate_session_id=False,
    )


@pytest.mark.parametrize("kind", ["server", "cluster"])
def test_an_upgrade_ended_before_any_statement_goes_on_where_it_was(
    settings: Settings, running: Fronts, kind: str
) -> None:
    at = old_store(settings, running[kind])
    where = address.read(at.reach_url)
    client = client_of(where)
    interrupted = 0
    while True:
        try:
            upgrades.bring_up(Interrupting(client, 4 * interrupted), where.layout, lease=0.0)
            break
        except Interrupted:
            interrupted += 1
            assert client.command("SELECT count() FROM reach_event") == 1
    assert interrupted > 4, "the control: it really was ended"
    client.close()
    store = ReachStore.open(at)
    assert store.query("SELECT id, audience FROM reach_event") == [("old", "")]
    assert store.query("SELECT DISTINCT version FROM reach_schema ORDER BY version") == [(1,), (2,)]
    assert store.query("SELECT count() FROM reach_gross WHERE place = ''") == [(0,)]
    store.close()


def race(at: Settings, lease: float) -> int:
    """Several processes bring the same old store up at once; how often that was claimed."""
    script = (
        "import sys\nfrom core.settings import Settings\nfrom tracking import upgrades\n"
        "from tracking.store import ReachStore\n"
        "upgrades.LEASE = float(sys.argv[1])\nsys.stdin.readline()\n"
        "ReachStore.open(Settings(_env_file=None, secret_key='x' * 16)).close()"
    )
    environment = {**os.environ, "SIGNPOST_REACH_URL": at.reach_url}
    starting = [
        forked.Popen([sys.executable, "-c", script, str(lease)], env=environment, stdin=subprocess.PIPE)
        for _ in range(4)
    ]
    for process in starting:
        assert process.stdin is not None
        process.stdin.close()
    assert [process.wait(60) for process in starting] == [0] * 4
    store = ReachStore.open(at)
    try:
        assert (
            store.query("SELECT max(version), countIf(version = 2) FROM reach_schema")[0][0] == schema.VERSION
        )
        assert store.query("SELECT id FROM reach_event") == [("old",)]
        return int(store.query("SELECT count() FROM reach_claim")[0][0])
    finally:
        store.close()


@pytest.mark.parametrize("kind", ["server", "cluster"])
def test_of_several_processes_one_brings_the_store_up(settings: Settings, running: Fronts, kind: str) -> None:
    assert race(old_store(settings, running[kind]), upgrades.LEASE) == 1


def test_of_two_that_claim_a_step_at_once_one_may_do_it(settings: Settings, running: Fronts) -> None:
    """The control beside it: with a lease that is over at once, the next claim is granted."""
    where = address.read(old_store(settings, running["server"]).reach_url)
    client = client_of(where)
    for statement in where.layout.create(schema.CLAIM):
        client.command(statement)
    assert [upgrades._claim(client, 2, 60.0) for _ in range(3)] == [True, False, False]
    assert upgrades._claim(client, 2, -60.0)
    assert client.command("SELECT count() FROM reach_claim") == 2
    client.close()
