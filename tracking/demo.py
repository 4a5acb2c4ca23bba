"""Two invented years of reach, made inside the engine month by month; totals are exact at every scale.

Online reach is a numbered list of visits per year; visit `g` is `(g+1)·T div B − g·T div B` person-times of
one visitor on one day in one outlet, so all B visits add up to exactly T. Activities are head counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlmodel import Session

from tracking import demo_plan, rollups, sketches
from tracking.demo_plan import CAMPAIGNS, DemoCampaign, DemoOutlet, Month, Year
from tracking.dimensions import AUDIENCES, PLACES, describe
from tracking.events import COLUMNS, ReachEvent
from tracking.rollups import literal
from tracking.store import ReachStore

BATCH = "demo-"
# What the closing of the demo's days is told to be "today": they are all in the past.
_AFTER = date(2024, 1, 1)
_AUDIENCES, _PLACES = ("", *AUDIENCES), tuple(PLACES)
_PIECES = ("full-surrender", "elder-care", "one-key-help")

_VISITS = """
INSERT INTO reach_event (id, at, day, kind, quantity, visitor, campaign, piece, outlet, channel, source, batch)
WITH {slots} AS slots, {codes} AS codes, {pools} AS pools, {channels} AS channels, {pieces} AS pieces,
    {days} AS days, {campaigns} AS campaigns
SELECT concat('d{year}-', toString(g), '-', toString(e)),
    toDateTime64(day, 3, 'UTC') + toIntervalMillisecond((h5 + e * 97 * 1000) % 50400000), day, kind, 1,
    if(h4 % 100 < 2, 0, cityHash64(outlet, h3 % pools[o])),
    if(h4 % 10 < 8, campaigns[d], ''), pieces[toUInt16(1 + floor(pow((h6 % 10000) / 10000, 1.7) * length(pieces)))],
    outlet, channel, if(kind = 'delivered', 'push', 'web'), {batch}
FROM (
    SELECT g, slots[1 + h1 % {slot_count}] AS o, codes[o] AS outlet, channels[1 + h2 % 100] AS channel,
        h3, h4, h5, h6, {days_slots}[1 + h7 % {day_slot_count}] AS d, days[d] AS day,
        intDiv((g + 1) * {online}, {visits}) - intDiv(g * {online}, {visits}) AS times,
        channel IN {pushed} AS pushed, arrayJoin(range(times + (h4 % 8 = 3))) AS e,
        multiIf(e >= times, if(h5 % 3 = 0, 'completed', 'engaged'), pushed AND (e > 0 OR h5 % 10 > 6), 'visited',
            pushed, 'delivered', 'visited') AS kind
    FROM (
        SELECT number AS g, cityHash64({year}, g, 1) AS h1, cityHash64({year}, g, 2) AS h2,
            cityHash64({year}, g, 3) AS h3, cityHash64({year}, g, 4) AS h4, cityHash64({year}, g, 5) AS h5,
            cityHash64({year}, g, 6) AS h6, cityHash64({year}, g, 7) AS h7
        FROM numbers({first}, {count})
    )
)
"""


@dataclass(frozen=True, slots=True)
class _Cast:
    """Who and what the two years are made of; the last of `everywhere` is the head office's own online reach."""

    outlets: Sequence[DemoOutlet]
    pieces: Sequence[str]
    campaigns: Sequence[DemoCampaign]
    batch: str

    @property
    def everywhere(self) -> list[DemoOutlet]:
        """The outlets, and 3 % that belong to none."""
        return [*self.outlets, DemoOutlet("", 0.03 * sum(outlet.weight for outlet in self.outlets) or 1.0)]

    def campaign(self, day: date) -> str:
        """The key of the campaign of a day, "" when none runs."""
        return next((one.key for one in self.campaigns if one.covers(day)), "")


def describe_keys(session: Session, campaigns: Sequence[DemoCampaign] = CAMPAIGNS) -> None:
    """Say what the demo's own campaigns are called."""
    for campaign in campaigns:
        describe(session, "campaign", campaign.key, campaign.name)


def load(
    store: ReachStore,
    outlets: Sequence[DemoOutlet],
    pieces: Sequence[str] = _PIECES,
    campaigns: Sequence[DemoCampaign] = CAMPAIGNS,
    *,
    scale: int = 100,
) -> dict[int, int]:
    """Make 2022 and 2023 at one `scale`-th and close their days; returns the person-times of each year.

    What an earlier load made is replaced.
    """
    clear(store)
    cast = _Cast(outlets, pieces or _PIECES, campaigns, f"{BATCH}{scale}")
    totals = {}
    for number in demo_plan.TOTALS:
        year = Year.at(number, scale)
        for month in year.months(campaigns):
            _make_visits(store, cast, year, month)
            _make_activities(store, cast, month)
        totals[number] = year.total
    rollups.close_days(store, _AFTER)
    sketches.close(store, _AFTER)
    return totals


def clear(store: ReachStore) -> None:
    """Take all demo rows away, with the roll-ups that knew them, and nothing else."""
    months = store.query(f"""
        SELECT toYYYYMM(day) AS month, countIf(NOT startsWith(batch, {literal(BATCH)})), min(day), max(day)
        FROM reach_event GROUP BY month HAVING countIf(startsWith(batch, {literal(BATCH)})) > 0
    """)
    if not months:
        return
    with store.closing:
        touched = " OR ".join(
            f"day BETWEEN '{first}' AND '{last}'" for _month, _others, first, last in months
        )
        store.forget("reach_closed", touched)
        store.forget("reach_daily", touched)
        sketches.forget(store, min(row[2] for row in months), max(row[3] for row in months))
        for month, others, _first, _last in months:
            for table in ("reach_gross", "reach_unique", *(() if others else ("reach_event",))):
                store.drop_month(table, int(month))
        if any(others for _month, others, _first, _last in months):
            store.forget("reach_event", f"startsWith(batch, {literal(BATCH)}) AND ({touched})")
        rollups.recount(store)


def _make_visits(store: ReachStore, cast: _Cast, year: Year, month: Month) -> None:
    if not month.visits:
        return
    weights = demo_plan.sizes(cast.everywhere, month.year, month.month)
    pool = year.visits * demo_plan.POOL[year.year] / sum(weights)
    channels = demo_plan.CHANNELS[year.year]
    seasons = [demo_plan.season(day, cast.campaigns) for day in month.days]
    sql = _VISITS.format(
        year=year.year,
        first=month.first,
        count=month.visits,
        online=year.online,
        visits=year.visits,
        slots=demo_plan.slots(weights, demo_plan.SLOTS),
        slot_count=demo_plan.SLOTS,
        codes=_strings([outlet.code for outlet in cast.everywhere]),
        pools=[max(1, round(weight * pool)) for weight in weights],
        channels=_strings([name for name, share in channels.items() for _ in range(share)]),
        pushed=tuple(demo_plan.PUSHED),
        pieces=_strings(cast.pieces),
        days=f"[{', '.join(f'toDate({literal(str(day))})' for day in month.days)}]",
        days_slots=demo_plan.slots(seasons, demo_plan.DAY_SLOTS),
        day_slot_count=demo_plan.DAY_SLOTS,
        campaigns=_strings([cast.campaign(day) for day in month.days]),
        batch=literal(cast.batch),
    )
    # Equal rows after a `clear` are not repetitions: the engine must not take them for such.
    store.command(sql, insert_deduplicate=0)


def _make_activities(store: ReachStore, cast: _Cast, month: Month) -> None:
    year, number = month.year, month.month
    days = demo_plan.slots([demo_plan.season(day, cast.campaigns) for day in month.days], 1_000)
    held = [
        (
            month.days[days[int(1_000 * demo_plan.chance("when", outlet.code, year, number))] - 1],
            outlet.code,
            size,
        )
        for outlet, size in zip(cast.outlets, demo_plan.sizes(cast.outlets, year, number), strict=True)
        if size and demo_plan.chance("held", outlet.code, year, number) < demo_plan.ACTIVITIES[year]
    ] or [(month.days[0], cast.outlets[0].code if cast.outlets else "", 1.0)]
    heads = demo_plan.shared(month.offline, [size for _day, _code, size in held])
    rows = [
        _activity(cast, day, code, quantity)
        for (day, code, _size), quantity in zip(held, heads, strict=True)
        if quantity
    ]
    store.insert("reach_event", COLUMNS, rows, insert_deduplicate=0)


def _activity(cast: _Cast, day: date, code: str, quantity: int) -> tuple[Any, ...]:
    luck = demo_plan.chance("activity", code, day)
    event = ReachEvent(
        id=f"d{day:%Y%m%d}-{code}",
        at=datetime.combine(day, time(7, 30), UTC),
        day=day,
        kind="attended",
        quantity=quantity,
        visitor=0,
        campaign=cast.campaign(day),
        piece=cast.pieces[int(luck * len(cast.pieces))],
        outlet=code,
        channel="outlet" if luck < 0.7 else "community",
        source="offline",
        batch=cast.batch,
        audience=_AUDIENCES[int(luck * 97) % len(_AUDIENCES)],
        place="" if luck < 0.7 else _PLACES[int(luck * 89) % len(_PLACES)],
    )
    return tuple(getattr(event, column) for column in COLUMNS)


def _strings(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(literal, texts))}]"
