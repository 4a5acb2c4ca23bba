"""Brings a reach store that an older version made to the present shape, step by step; raw rows are never lost.

Roll-ups are only ever made of raw rows, so a step may throw them away: they are computed again. Every statement
may be run twice, and a step is entered when all of it was done, so a crash anywhere is followed by the same step.
Of several processes that start at once, one claims the step; the others wait until it is entered.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from tracking import schema
from tracking.layout import WAITING, Layout

_TEXT = "LowCardinality(String)"
# A claim whose step is not entered after so many seconds was made by a process that died.
LEASE = 30.0

_STEPS: dict[int, Callable[[Layout], Sequence[str]]] = {
    2: lambda layout: [
        *layout.add_columns("reach_event", (("audience", _TEXT), ("place", _TEXT))),
        *(statement for table in schema.ROLLUPS for statement in layout.drop(table)),
    ],
}


class Writer(Protocol):
    """What runs a statement and what asks: the client of the store."""

    def command(self, cmd: str, *, settings: dict[str, Any] | None = None) -> object:
        """Run a statement; the first value of its answer, if it gives one."""


def steps(layout: Layout, version: int) -> list[str]:
    """The statements that bring a store of this version up, without those that make new tables."""
    return [
        statement for step in range(version + 1, schema.VERSION + 1) for statement in _STEPS[step](layout)
    ]


def bring_up(client: Writer, layout: Layout, lease: float = LEASE) -> None:
    """Make the tables of a new store, or bring an old one to `schema.VERSION`; again: changes nothing.

    RuntimeError for a store that a newer version made: it is left as it is.
    """
    version = found(client)
    if version > schema.VERSION:
        raise RuntimeError(f"the reach store has version {version}, this program knows {schema.VERSION}")
    if version in (0, schema.VERSION):
        _run(client, layout.statements())
        if not version:
            _enter(client, schema.VERSION)
        return
    for table in (schema.SCHEMA, schema.CLAIM):
        _run(client, list(layout.create(table)))
    if version == 1:
        _enter(client, version)  # before anything changes by which the first shape is known
    for step in range(version + 1, schema.VERSION + 1):
        _take(client, layout, step, lease)


def found(client: Writer) -> int:
    """The version of a store, 0: there is nothing yet. The first shape had no table that says which it is."""
    if int(str(client.command("EXISTS TABLE reach_schema"))):
        entered = int(str(client.command("SELECT max(version) FROM reach_schema")))
        if entered:
            return entered
    # Tables without an entry: of the first shape, or made by a start that was killed before it could enter.
    return _unentered(client)


def _unentered(client: Writer) -> int:
    if not int(str(client.command("EXISTS TABLE reach_event"))):
        return 0
    columns = str(client.command("SELECT count() FROM system.columns WHERE database = currentDatabase() "
                                 "AND table = 'reach_event' AND name = 'audience'"))  # fmt: skip
    return 0 if int(columns) else 1


def _take(client: Writer, layout: Layout, step: int, lease: float) -> None:
    """Do a step, or wait until the process that claimed it did; its claim ends after `lease` seconds."""
    while found(client) < step:
        if _claim(client, step, lease):
            _run(client, _STEPS[step](layout))
            _run(client, layout.statements())
            _enter(client, step)
            return
        time.sleep(0.1)


def _claim(client: Writer, step: int, lease: float) -> bool:
    """Whether this process is the one that may do the step: the store takes the first insert of a token."""
    kind = f"step-{step}-"
    turn = client.command(
        f"SELECT if(toUnixTimestamp(max(at)) + {lease} > toUnixTimestamp(now()), -1, toInt64(count())) "
        f"FROM reach_claim WHERE startsWith(step, '{kind}')"
    )
    if int(str(turn)) < 0:
        return False
    name, owner = f"{kind}{turn}", secrets.token_hex(8)
    once = {"insert_deduplication_token": name, "async_insert": 0}
    client.command(f"INSERT INTO reach_claim VALUES ('{name}', '{owner}', now())", settings=once)
    return str(client.command(f"SELECT any(owner) FROM reach_claim WHERE step = '{name}'")) == owner


def _enter(client: Writer, version: int) -> None:
    client.command(f"INSERT INTO reach_schema SELECT {version}, now()")


def _run(client: Writer, statements: Sequence[str]) -> None:
    for statement in statements:
        client.command(statement, settings=WAITING if statement.startswith("ALTER") else None)
