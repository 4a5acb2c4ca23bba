"""Brings a reach store that an older version made to the present shape, step by step; raw rows are never lost.

Roll-ups are only ever made of raw rows, so a step may throw them away: they are computed again.
"""

from typing import Protocol

from tracking import schema

_STEPS: dict[int, tuple[str, ...]] = {
    2: (
        "ALTER TABLE reach_event ADD COLUMN IF NOT EXISTS audience LowCardinality(String), "
        "ADD COLUMN IF NOT EXISTS place LowCardinality(String)",
        *(f"DROP TABLE IF EXISTS {table} SYNC" for table in schema.ROLLUPS),
    ),
}


class Writer(Protocol):
    """What runs a statement and what asks: the client of the store."""

    def command(self, cmd: str) -> object:
        """Run a statement; the first value of its answer, if it gives one."""


def bring_up(client: Writer) -> None:
    """Make the tables of a new store, or bring an old one to `schema.VERSION`; again: changes nothing.

    RuntimeError for a store that a newer version made: it is left as it is.
    """
    version = _version(client)
    if version > schema.VERSION:
        raise RuntimeError(f"the reach store has version {version}, this program knows {schema.VERSION}")
    for step in range(version + 1, schema.VERSION + 1) if version else ():
        for statement in _STEPS[step]:
            client.command(statement)
    for statement in schema.STATEMENTS:
        client.command(statement)
    if version < schema.VERSION:
        client.command(f"INSERT INTO reach_schema SELECT {schema.VERSION}, now()")


def _version(client: Writer) -> int:
    """0: there is nothing yet. The first shape had no table that says which it is."""
    if int(str(client.command("EXISTS TABLE reach_schema"))):
        return int(str(client.command("SELECT max(version) FROM reach_schema")))
    return int(str(client.command("EXISTS TABLE reach_event")))
