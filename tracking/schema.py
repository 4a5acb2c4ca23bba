"""The tables of the reach store as data: raw rows, what was dropped, and the roll-ups of closed days.

`tracking.layout` makes the statements of them, for the embedded engine, a server and a cluster alike. `VERSION`
counts the shapes that these tables had; `tracking.upgrades` brings an older store to this one.
"""

from dataclasses import dataclass

VERSION = 2
# Every insert carries its segment's name as deduplication token; the window is how many are remembered.
WINDOW = 10_000
_TEXT = "LowCardinality(String)"


@dataclass(frozen=True, slots=True)
class Table:
    """A table: columns with their types, order, partition, engine, projections, and how rows are spread.

    `engine` is the kind without replication (`ReplacingMergeTree(version)`). `shard` is an expression of a row
    alone, so that the same row always goes to the same shard of a cluster; where the engine unites rows of equal
    order, it is made of that order. `window`: inserts whose tokens are remembered, 0 for none.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    order: str
    shard: str
    engine: str = "MergeTree"
    partition: str = ""
    projections: tuple[tuple[str, str], ...] = ()
    window: int = 0


@dataclass(frozen=True, slots=True)
class View:
    """A materialized view: what each insert into `source` adds to `target`."""

    name: str
    source: str
    target: str
    select: str


def _texts(*names: str) -> tuple[tuple[str, str], ...]:
    return tuple((name, _TEXT) for name in names)


EVENT = Table(
    "reach_event",
    (
        ("id", "String"), ("at", "DateTime64(3, 'UTC')"), ("day", "Date"), ("kind", _TEXT),
        ("quantity", "Int32"), ("visitor", "UInt64"),
        *_texts("campaign", "piece", "outlet", "channel", "source", "batch", "audience", "place"),
    ),
    order="day, outlet, channel, piece, kind, visitor",
    # A visitor's rows lie together, head counts are spread.
    shard="cityHash64(visitor, if(visitor = 0, id, ''))",
    partition="toYYYYMM(day)",
    window=WINDOW,
)  # fmt: skip
DROP = Table(
    "reach_drop",
    (("day", "Date"), ("reason", _TEXT), ("quantity", "Int64"), ("batch", _TEXT)),
    order="day, reason",
    shard="cityHash64(batch)",
    partition="toYear(day)",
    window=WINDOW,
)
# How many raw rows a day has, counted as they arrive: a closed day whose number changed is open again.
COUNTED = Table(
    "reach_counted",
    (("day", "Date"), ("rows", "Int64")),
    order="day",
    shard="cityHash64(day)",
    engine="SummingMergeTree",
    window=WINDOW,
)
COUNTING = View(
    "reach_counting",
    "reach_event",
    "reach_counted",
    "SELECT day, toInt64(count()) AS rows FROM {source} GROUP BY day",
)
# Deposits (a delivery batch, an activity return) may be shipped again long after the window forgot them.
DEPOSIT = Table(
    "reach_deposit", (("name", "String"), ("at", "DateTime")), order="name", shard="cityHash64(name)"
)
# Every key of a closed day: what questions are answered from that name an outlet and another key at once.
GROSS = Table(
    "reach_gross",
    (
        ("day", "Date"),
        *_texts("outlet", "channel", "campaign", "piece", "kind", "audience", "place"),
        ("quantity", "Int64"), ("rows", "Int64"),
    ),
    order="day, outlet, channel, campaign, piece, kind, audience, place",
    shard="cityHash64(outlet)",
    partition="toYYYYMM(day)",
)  # fmt: skip
UNIQUE = Table(
    "reach_unique",
    (
        ("day", "Date"), *_texts("outlet", "channel", "campaign", "piece", "audience", "place"),
        ("quantity", "Int64"),
    ),
    order="day, outlet, channel, campaign, piece, audience, place",
    shard="cityHash64(outlet)",
    partition="toYYYYMM(day)",
)  # fmt: skip
# The same added up, for nearly every question: by outlet alone (`outlets` 1; its size depends on outlets and days)
# and without outlet (0; on channels, pieces and days), never on visits. The kind '' holds the deduplicated ones.
DAILY = Table(
    "reach_daily",
    (
        ("outlets", "UInt8"), ("day", "Date"),
        *_texts("outlet", "channel", "campaign", "piece", "kind", "audience", "place"),
        ("quantity", "Int64"),
    ),
    order="outlets, outlet, day, channel, campaign, piece, kind, audience, place",
    shard="cityHash64(outlet)",
    partition="toYear(day)",
)  # fmt: skip
# The same of whole months, known by their first day, which hold as `reach_kept` says.
MONTHLY = Table("reach_monthly", DAILY.columns, order=DAILY.order, shard=DAILY.shard, partition="toYear(day)")
# A day is closed by the newest line here, if its `rows` is still the number of the day's raw rows (-1: open).
CLOSED = Table(
    "reach_closed",
    (("day", "Date"), ("version", "UInt64"), ("rows", "Int64"), ("definition", "String")),
    order="day",
    shard="cityHash64(day)",
    engine="ReplacingMergeTree(version)",
)
# The people of single months (`months` 1) and of a year up to its nth month (`months` n), per key of a
# dimension ('' for everybody): the number, and the sketch that can be united with others.
PEOPLE = Table(
    "reach_people",
    (
        ("first", "Date"), ("months", "UInt8"), ("dimension", _TEXT), ("key", _TEXT), ("number", "UInt64"),
        ("people", "AggregateFunction(uniqCombined64(17), UInt64)"),
    ),
    order="first, months, dimension, key",
    shard="cityHash64(key)",
)  # fmt: skip
KEPT = Table(
    "reach_kept",
    (
        ("first", "Date"), ("months", "UInt8"), ("version", "UInt64"), ("rows", "Int64"),
        ("definition", "String"),
    ),
    order="months, first",
    shard="cityHash64(months, first)",
    engine="ReplacingMergeTree(version)",
)  # fmt: skip
SCHEMA = Table("reach_schema", (("version", "UInt16"), ("at", "DateTime")), order="version", shard="0")
# Who brings an older store up: the first insert of a token is the one that counts, on any shape of store.
CLAIM = Table(
    "reach_claim",
    (("step", "String"), ("owner", "String"), ("at", "DateTime")),
    order="step",
    shard="0",
    window=WINDOW,
)

TABLES = (SCHEMA, CLAIM, EVENT, DROP, COUNTED, DEPOSIT, GROSS, UNIQUE, DAILY, MONTHLY, CLOSED, PEOPLE, KEPT)
VIEWS = (COUNTING,)
# Dropped and emptied in this order: without `reach_closed` and `reach_kept` nothing is answered from the others.
ROLLUPS = (
    "reach_closed",
    "reach_kept",
    "reach_gross",
    "reach_unique",
    "reach_daily",
    "reach_monthly",
    "reach_people",
)
