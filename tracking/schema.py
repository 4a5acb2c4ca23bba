"""The tables of the reach store: raw rows, what was dropped, and the roll-ups of closed days.

`VERSION` counts the shapes that these tables had; `tracking.upgrades` brings an older store to this one.
"""

VERSION = 2
# Every insert carries its segment's name as deduplication token; the window is how many are remembered.
_WINDOW = "non_replicated_deduplication_window = 10000"
_TEXT = "LowCardinality(String)"

_EVENT = f"""
CREATE TABLE IF NOT EXISTS reach_event (
    id String, at DateTime64(3, 'UTC'), day Date, kind {_TEXT}, quantity Int32, visitor UInt64,
    campaign {_TEXT}, piece {_TEXT}, outlet {_TEXT}, channel {_TEXT}, source {_TEXT}, batch {_TEXT},
    audience {_TEXT}, place {_TEXT}
) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, outlet, channel, piece, kind, visitor)
SETTINGS {_WINDOW}
"""
_DROP = f"""
CREATE TABLE IF NOT EXISTS reach_drop (
    day Date, reason {_TEXT}, quantity Int64, batch {_TEXT}
) ENGINE = MergeTree PARTITION BY toYear(day) ORDER BY (day, reason) SETTINGS {_WINDOW}
"""
# How many raw rows a day has, counted as they arrive: a closed day whose number changed is open again.
_COUNTED = f"""
CREATE TABLE IF NOT EXISTS reach_counted (day Date, rows Int64)
ENGINE = SummingMergeTree ORDER BY day SETTINGS {_WINDOW}
"""
_COUNTING = """
CREATE MATERIALIZED VIEW IF NOT EXISTS reach_counting TO reach_counted
AS SELECT day, toInt64(count()) AS rows FROM reach_event GROUP BY day
"""
# Deposits (a delivery batch, an activity return) may be shipped again long after the window forgot them.
_DEPOSIT = (
    "CREATE TABLE IF NOT EXISTS reach_deposit (name String, at DateTime) ENGINE = MergeTree ORDER BY name"
)
# The engine answers from the smallest projection that knows all that a question names: by outlet its size depends
# on outlets and days or months, without outlet on channels, pieces and days or months; none depends on visits.
_GROSS = f"""
CREATE TABLE IF NOT EXISTS reach_gross (
    day Date, outlet {_TEXT}, channel {_TEXT}, campaign {_TEXT}, piece {_TEXT}, kind {_TEXT},
    audience {_TEXT}, place {_TEXT}, quantity Int64, rows Int64,
    PROJECTION outlet_day (SELECT outlet, day, kind, sum(quantity) GROUP BY outlet, day, kind),
    PROJECTION outlet_month (
        SELECT outlet, toStartOfMonth(day), kind, sum(quantity) GROUP BY outlet, toStartOfMonth(day), kind
    ),
    PROJECTION rest_day (
        SELECT day, channel, campaign, piece, kind, audience, place, sum(quantity)
        GROUP BY day, channel, campaign, piece, kind, audience, place
    ),
    PROJECTION rest_month (
        SELECT toStartOfMonth(day), channel, campaign, piece, kind, audience, place, sum(quantity)
        GROUP BY toStartOfMonth(day), channel, campaign, piece, kind, audience, place
    )
) ENGINE = MergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, outlet, channel, campaign, piece, kind, audience, place)
"""
_UNIQUE = f"""
CREATE TABLE IF NOT EXISTS reach_unique (
    day Date, outlet {_TEXT}, channel {_TEXT}, campaign {_TEXT}, piece {_TEXT}, audience {_TEXT}, place {_TEXT},
    quantity Int64,
    PROJECTION outlet_day (SELECT outlet, day, sum(quantity) GROUP BY outlet, day),
    PROJECTION outlet_month (
        SELECT outlet, toStartOfMonth(day), sum(quantity) GROUP BY outlet, toStartOfMonth(day)
    ),
    PROJECTION rest_day (
        SELECT day, channel, campaign, piece, audience, place, sum(quantity)
        GROUP BY day, channel, campaign, piece, audience, place
    ),
    PROJECTION rest_month (
        SELECT toStartOfMonth(day), channel, campaign, piece, audience, place, sum(quantity)
        GROUP BY toStartOfMonth(day), channel, campaign, piece, audience, place
    )
) ENGINE = MergeTree PARTITION BY toYYYYMM(day)
ORDER BY (day, outlet, channel, campaign, piece, audience, place)
"""
# A day is closed by the newest line here, if its `rows` is still the number of the day's raw rows (-1: open).
_CLOSED = """
CREATE TABLE IF NOT EXISTS reach_closed (day Date, version UInt64, rows Int64, definition String)
ENGINE = ReplacingMergeTree(version) ORDER BY day
"""
# The people of single months (`months` 1) and of a year up to its nth month (`months` n), per key of a
# dimension ('' for everybody): the number, and the sketch that can be united with others.
_PEOPLE = f"""
CREATE TABLE IF NOT EXISTS reach_people (
    first Date, months UInt8, dimension {_TEXT}, key {_TEXT}, number UInt64,
    people AggregateFunction(uniqCombined64(17), UInt64)
) ENGINE = MergeTree ORDER BY (first, months, dimension, key)
"""
_KEPT = """
CREATE TABLE IF NOT EXISTS reach_kept (first Date, months UInt8, version UInt64, rows Int64, definition String)
ENGINE = ReplacingMergeTree(version) ORDER BY (months, first)
"""
_SCHEMA = "CREATE TABLE IF NOT EXISTS reach_schema (version UInt16, at DateTime) ENGINE = MergeTree ORDER BY version"

STATEMENTS = (_SCHEMA, _EVENT, _DROP, _COUNTED, _COUNTING, _DEPOSIT, _GROSS, _UNIQUE, _CLOSED, _PEOPLE, _KEPT)
ROLLUPS = ("reach_closed", "reach_gross", "reach_unique", "reach_kept", "reach_people")
