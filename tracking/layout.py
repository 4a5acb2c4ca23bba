"""How the tables lie: in one engine as they are, on a cluster as replicated local tables under distributed ones.

Queries name `reach_event` and the like everywhere. On a cluster that is a Distributed table over the replicated
`reach_event_local` of every shard; what changes tables or takes rows away is addressed to those, ON CLUSTER.
The path in Keeper is made of macros of each server ({shard}, {replica}), not of {uuid}: a server that joins later
and makes its tables with the same statement finds the rows of its shard, under a {uuid} of its own it would not.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tracking.schema import TABLES, VIEWS, Table, View

# What a statement to all servers of a cluster waits for: seconds; longer than the longest mutation of a portion.
DDL_SECONDS = 600
_KEEPER = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'"
_ROWS = re.compile(r"\A\s*(ALTER TABLE|TRUNCATE TABLE) (reach_\w+)")
_ALONE = re.compile(r"\A\s*(DROP|DELETE|RENAME|DETACH)\b")
# Mutations and partition drops return when every replica has them.
WAITING: dict[str, Any] = {"mutations_sync": 2, "alter_sync": 2}


@dataclass(frozen=True, slots=True)
class Layout:
    """One engine or server (`cluster` ""), or a cluster of that name whose tables are in `database`."""

    cluster: str = ""
    database: str = ""

    @property
    def everywhere(self) -> str:
        """Sends a statement to every server; nothing on a single one."""
        return f" ON CLUSTER '{self.cluster}'" if self.cluster else ""

    def local(self, name: str) -> str:
        """The table that really holds the rows."""
        return f"`{self.database}`.{name}_local" if self.cluster else name

    def shown(self, name: str) -> str:
        """The table as statements to all servers must call it: they run them without our database."""
        return f"`{self.database}`.{name}" if self.cluster else name

    def names(self, name: str) -> list[str]:
        """The tables that one of ours is made of, the one that rests on the others first."""
        return [self.shown(name), self.local(name)] if self.cluster else [name]

    def statements(self) -> list[str]:
        """What makes everything that is not there yet; run again it changes nothing."""
        made = [statement for table in TABLES for statement in self.create(table)]
        return [*self.database_statements(), *made, *(self._view(view) for view in VIEWS)]

    def database_statements(self) -> list[str]:
        """What makes the database, where it is not the server's own."""
        if self.database in ("", "default"):
            return []
        return [f"CREATE DATABASE IF NOT EXISTS `{self.database}`{self.everywhere}"]

    def create(self, table: Table) -> Iterator[str]:
        """The statements that make a table."""
        projections = [f"PROJECTION {name} ({select})" for name, select in table.projections]
        partition = f"\nPARTITION BY {table.partition}" if table.partition else ""
        yield (
            f"CREATE TABLE IF NOT EXISTS {self.local(table.name)}{self.everywhere} (\n    "
            + ",\n    ".join([*_columns(table), *projections])
            + f"\n) ENGINE = {self._engine(table.engine)}{partition}\nORDER BY ({table.order})"
            + self._window(table)
        )
        if self.cluster:
            yield (
                f"CREATE TABLE IF NOT EXISTS {self.shown(table.name)}{self.everywhere} (\n    "
                + ",\n    ".join(_columns(table))
                + f"\n) ENGINE = Distributed('{self.cluster}', '{self.database}', {table.name}_local, {table.shard})"
            )

    def drop(self, name: str) -> list[str]:
        """Take a table away with its rows, and wait until it is gone."""
        return [f"DROP TABLE IF EXISTS {one}{self.everywhere} SYNC" for one in self.names(name)]

    def add_columns(self, name: str, columns: Sequence[tuple[str, str]]) -> list[str]:
        """Give a table columns that it may have already."""
        added = ", ".join(f"ADD COLUMN IF NOT EXISTS {column} {kind}" for column, kind in columns)
        return [f"ALTER TABLE {one}{self.everywhere} {added}" for one in reversed(self.names(name))]

    def addressed(self, sql: str) -> str:
        """A statement that changes a table's rows, sent to the tables that hold them on every server.

        A Distributed table refuses ALTER … DELETE, and says yes to TRUNCATE without doing it. RuntimeError for a
        DROP or DELETE that would reach one server alone.
        """
        if not self.cluster or " ON CLUSTER " in sql:
            return sql
        if _ALONE.match(sql):
            raise RuntimeError("on a cluster this statement would reach one server only")
        return _ROWS.sub(lambda found: f"{found[1]} {self.local(found[2])}{self.everywhere}", sql, count=1)

    def _engine(self, kind: str) -> str:
        if not self.cluster:
            return kind
        name, _, arguments = kind.rstrip(")").partition("(")
        return f"Replicated{name}({', '.join(filter(None, (_KEEPER, arguments)))})"

    def _window(self, table: Table) -> str:
        if not table.window:
            return ""
        kind = "replicated" if self.cluster else "non_replicated"
        # A replicated table forgets by time too: a spool that could not be shipped for longer must not double.
        lasting = ", replicated_deduplication_window_seconds = 7776000" if self.cluster else ""
        return f"\nSETTINGS {kind}_deduplication_window = {table.window}{lasting}"

    def _view(self, view: View) -> str:
        select = view.select.format(source=self.local(view.source))
        return (
            f"CREATE MATERIALIZED VIEW IF NOT EXISTS {self.shown(view.name)}{self.everywhere} "
            f"TO {self.local(view.target)}\nAS {select}"
        )


def _columns(table: Table) -> list[str]:
    return [f"{name} {kind}" for name, kind in table.columns]
