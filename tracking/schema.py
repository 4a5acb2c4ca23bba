"""The tables of the reach store: raw rows, what was dropped, and the roll-ups of closed days."""

# Every insert carries its segment's name as deduplication token; the window is how many are remembered.
_WINDOW = "non_replicated_deduplication_window = 10000"

_EVENT = f"""
CREATE TABLE IF NOT EXISTS reach_event (
    id String, at DateTime64(3, 'UTC'), day Date, kind LowCardinality(String), quantity Int32, visitor UInt64,
    campaign LowCardinality(String), piece LowCardinality(String), outlet LowCardinality(String),
    channel LowCardinality(String), source LowCardinality(String), batch LowCardinality(String)
) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, outlet, channel, piece, kind, visitor)
SETTINGS {_WINDOW}
"""
_DROP = f"""
CREATE TABLE IF NOT EXISTS reach_drop (
    day Date, reason LowCardinality(String), quantity Int64, batch LowCardinality(String)
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
# The engine answers by outlet from the projections, whose size depends on outlets and days, not on visits.
_GROSS = """
CREATE TABLE IF NOT EXISTS reach_gross (
    day Date, outlet LowCardinality(String), channel LowCardinality(String), campaign LowCardinality(String),
    piece LowCardinality(String), kind LowCardinality(String), quantity Int64, rows Int64,
    PROJECTION by_outlet (SELECT day, outlet, kind, sum(quantity) GROUP BY day, outlet, kind)
) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, outlet, channel, campaign, piece, kind)
"""
_UNIQUE = """
CREATE TABLE IF NOT EXISTS reach_unique (
    day Date, outlet LowCardinality(String), channel LowCardinality(String), campaign LowCardinality(String),
    piece LowCardinality(String), quantity Int64,
    PROJECTION by_outlet (SELECT day, outlet, sum(quantity) GROUP BY day, outlet)
) ENGINE = MergeTree PARTITION BY toYYYYMM(day) ORDER BY (day, outlet, channel, campaign, piece)
"""
# A day is closed by the newest line here, if its `rows` is still the number of the day's raw rows (-1: open).
_CLOSED = """
CREATE TABLE IF NOT EXISTS reach_closed (day Date, version UInt64, rows Int64, definition String)
ENGINE = ReplacingMergeTree(version) ORDER BY day
"""
# Sketches of the people of whole months and years, per key of a dimension ('' for everybody).
_PEOPLE = """
CREATE TABLE IF NOT EXISTS reach_people (
    first Date, months UInt8, dimension LowCardinality(String), key LowCardinality(String),
    people AggregateFunction(uniqCombined64(14), UInt64)
) ENGINE = MergeTree ORDER BY (months, first, dimension, key)
"""
_KEPT = """
CREATE TABLE IF NOT EXISTS reach_kept (first Date, months UInt8, version UInt64, rows Int64, definition String)
ENGINE = ReplacingMergeTree(version) ORDER BY (months, first)
"""

STATEMENTS = (_EVENT, _DROP, _COUNTED, _COUNTING, _DEPOSIT, _GROSS, _UNIQUE, _CLOSED, _PEOPLE, _KEPT)
ROLLUPS = ("reach_closed", "reach_gross", "reach_unique", "reach_kept", "reach_people")
