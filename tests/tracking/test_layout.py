"""The statements for one engine, a server and a cluster come from one description, and the engine takes them."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tracking import http_front
from tracking import schema
from tracking.layout import Layout

ROOT = Path(__file__).resolve().parent.parent.parent
ON_CLUSTER = Layout("main", "reach")
# Runs the statements as the one server of a cluster would, in an engine with a Keeper in memory, and ends at once.
_SCRIPT = """
import json, os, sys
from chdb.state.sqlitelike import Connection
connection = Connection(sys.argv[1])
for statement in json.loads(sys.argv[2]):
    connection.query(statement)
sys.stdout.write(connection.query(
    "SELECT name, engine, engine_full, create_table_query FROM system.tables WHERE database = 'reach'", "JSON"
).bytes().decode())
sys.stdout.flush()
os._exit(0)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The tables that a server with replication made, by name; all statements given twice."""
    statements = [http_front._ON_CLUSTER.sub("", one) for one in ON_CLUSTER.statements()] * 2
    where = http_front.engine(tmp_path_factory.mktemp("keeper"), "main")
    command = [sys.executable, "-c", _SCRIPT, where, json.dumps(statements)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100, check=True)
    return {row["name"]: row for row in json.loads(done.stdout)["data"]}


def test_a_real_engine_makes_replicated_tables_under_distributed_ones(
    made: dict[str, dict[str, str]],
) -> None:
    for table in schema.TABLES:
        local, shown = made[f"{table.name}_local"], made[table.name]
        assert local["engine"] == f"Replicated{table.engine.partition('(')[0]}"
        assert (
            f"'/clickhouse/tables/{{shard}}/reach/{table.name}_local', '{{replica}}'" in local["engine_full"]
        )
        assert shown["engine"] == "Distributed"
        assert f"'{table.name}_local'" in shown["engine_full"]
        for name, _select in table.projections:
            assert f"PROJECTION {name}" in local["create_table_query"]
        for column, _kind in table.columns:
            assert f"`{column}`" in local["create_table_query"]
            assert f"`{column}`" in shown["create_table_query"]
    assert "replicated_deduplication_window = 10000" in made["reach_event_local"]["engine_full"]
    assert "reach_closed_local" in made
    assert "version)" in made["reach_closed_local"]["engine_full"], "what to replace by is kept"


def test_the_view_counts_on_each_shard(made: dict[str, dict[str, str]]) -> None:
    told = made["reach_counting"]["create_table_query"]
    assert "TO reach.reach_counted_local" in told
    assert "FROM reach.reach_event_local" in told
    assert "reach_counting_local" not in made


def test_rows_that_the_engine_unites_are_on_one_shard() -> None:
    """FINAL, and sums of summed rows, unite within a shard only: the key of a row decides where it lies."""
    for table in schema.TABLES:
        if table.engine != "MergeTree":
            named = {name for name, _kind in table.columns if name in table.shard}
            assert named <= set(table.order.split(", ")), table.name


def test_every_statement_to_a_cluster_goes_to_all_of_it() -> None:
    upgrade = [*ON_CLUSTER.add_columns("reach_event", (("x", "String"),)), *ON_CLUSTER.drop("reach_event")]
    for statement in [*ON_CLUSTER.statements(), *upgrade]:
        assert " ON CLUSTER 'main'" in statement
    for statement in Layout().statements():
        assert "CLUSTER" not in statement
        assert "Replicated" not in statement
        assert "Distributed" not in statement


def test_what_takes_rows_away_is_addressed_to_the_tables_that_hold_them() -> None:
    emptied = ON_CLUSTER.addressed("TRUNCATE TABLE reach_gross")
    assert emptied == "TRUNCATE TABLE `reach`.reach_gross_local ON CLUSTER 'main'"
    assert Layout().addressed("TRUNCATE TABLE reach_gross") == "TRUNCATE TABLE reach_gross"
    inserted = "INSERT INTO reach_gross SELECT 'ALTER TABLE reach_gross '"
    assert ON_CLUSTER.addressed(inserted) == inserted
    for statement in ("DROP TABLE reach_gross", "DELETE FROM reach_gross WHERE 1", " DROP TABLE x SYNC"):
        with pytest.raises(RuntimeError):
            ON_CLUSTER.addressed(statement)
        assert Layout().addressed(statement) == statement


def test_the_front_refuses_what_would_reach_one_server_only() -> None:
    """The control of every test on the front's cluster: a forgotten ON CLUSTER does not go unseen."""
    with pytest.raises(RuntimeError, match="one server only"):
        http_front.alone("ALTER TABLE reach_gross_local DELETE WHERE 1")
    assert http_front.alone("SELECT 1") == "SELECT 1"
