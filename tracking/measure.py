"""The figures of one period, grouped: closed days from their roll-ups, open days from the raw rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from tracking import rollups, sketches
from tracking.definition import Definition
from tracking.dimensions import Tree
from tracking.periods import Period
from tracking.placement import Placement, place
from tracking.rollups import listed, literal, on_days
from tracking.snapshot import Snapshot
from tracking.store import ReachStore

OUTLET, BRANCH, CHANNEL, PIECE, CAMPAIGN, MONTH, DAY = (
    "outlet", "branch", "channel", "piece", "campaign", "month", "day",
)  # fmt: skip
BYS = (OUTLET, BRANCH, CHANNEL, PIECE, CAMPAIGN, MONTH, DAY)


@dataclass(frozen=True, slots=True)
class Figures:
    """Person-times gross and deduplicated (exact), people (a sketch)."""

    gross: int = 0
    deduplicated: int = 0
    people: int = 0


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of a period by key. Gross and deduplicated of `total` are the sums over `rows`."""

    rows: Mapping[str, Figures]
    total: Figures


@dataclass(frozen=True, slots=True)
class Question:
    """What to group by, and the part of the tree (`within` a code, "" for all of it)."""

    by: str
    within: str = ""
    campaign: str = ""


def measure(
    store: ReachStore,
    tree: Tree,
    question: Question,
    period: Period,
    definition: Definition,
    *,
    snapshot: Snapshot,
    shifted: str = "day",
) -> Measured:
    """The figures of `period`; `shifted` is the expression that days are shown as (for a base: a year on).

    Each event counts for the branch that its outlet belonged to on its day.
    """
    placed = place(tree, question.within, period)
    where = _filter(question, placed)
    gross, unique = _sums(
        store, snapshot, definition, period, key=_sum_key(question, placed, shifted), where=where
    )
    if question.by == BRANCH:
        gross, unique = placed.fold(gross), placed.fold(unique)
    people, total = (
        _numbers(snapshot.ask(store, sketches.people_sql(one, snapshot.kept, definition), period))
        for one in (
            _people_ask(question, placed, where, period, shifted),
            _people_ask(replace(question, by=""), placed, where, period, shifted),
        )
    )
    rows = {
        name: Figures(gross.get(name, 0), unique.get(name, 0), people.get(name, 0))
        for name in gross.keys() | unique.keys() | people.keys()
    }
    return Measured(rows, Figures(sum(gross.values()), sum(unique.values()), total.get("", 0)))


def _sums(
    store: ReachStore, snapshot: Snapshot, definition: Definition, period: Period, *, key: str, where: str
) -> tuple[dict[str, int], dict[str, int]]:
    """Gross and deduplicated by key: closed days from their roll-ups, remembered; open days from raw."""
    raw = snapshot.open_days(period)
    gross: dict[str, int] = {}
    unique: dict[str, int] = {}
    if raw is not None:
        closed = f"{_all(period)} AND NOT ({on_days(raw)})" if raw else _all(period)
        _add(gross, snapshot.ask(store, _gross("reach_gross", key, f"{closed} AND {where}", definition)))
        _add(unique, snapshot.ask(store, _unique("reach_unique", key, f"{closed} AND {where}")))
    if raw is None or raw:
        days = _all(period) if raw is None else on_days(raw)
        _add(
            gross, snapshot.ask(store, _gross("reach_event", key, f"{days} AND {where}", definition), period)
        )
        _add(unique, snapshot.ask(store, _unique(_fresh(days, definition), key, where), period))
    return gross, unique


def _add(sums: dict[str, int], rows: Sequence[tuple[Any, ...]]) -> None:
    for key, number in _numbers(rows).items():
        sums[key] = sums.get(key, 0) + number


def _numbers(rows: Sequence[tuple[Any, ...]]) -> dict[str, int]:
    return {str(key): int(number) for key, number in rows}


def dropped(store: ReachStore, period: Period) -> dict[str, int]:
    """How many events of a period were dropped, by reason, most first."""
    sql = """
        SELECT toString(reason) AS why, sum(quantity) AS n FROM reach_drop
        WHERE day BETWEEN {first:Date} AND {last:Date} GROUP BY why HAVING n != 0 ORDER BY n DESC, why
    """
    return {str(why): int(n) for why, n in store.query(sql, {"first": period.first, "last": period.last})}


def _gross(table: str, key: str, where: str, definition: Definition) -> str:
    kinds = f"kind IN {listed(definition.kinds)}"
    return f"SELECT {key} AS k, sum(quantity) FROM {table} WHERE {where} AND {kinds} GROUP BY k"


def _unique(source: str, key: str, where: str) -> str:
    return f"SELECT {key} AS k, toInt64(sum(quantity)) FROM {source} WHERE {where} GROUP BY k"


def _fresh(days: str, definition: Definition) -> str:
    """Raw days de-duplicated. The campaign of a visitor is that of the first event, so one is chosen after."""
    inner = rollups.unique_rows(definition, days)
    return f"""(SELECT day, outlet, channel, led.1 AS campaign, piece, led.2 AS audience, led.3 AS place,
        n AS quantity FROM ({inner}))"""


def _sum_key(question: Question, placed: Placement, shifted: str) -> str:
    if question.by == BRANCH:
        return placed.day_key
    return _moment(question, shifted) or question.by


def _people_ask(
    question: Question, placed: Placement, where: str, period: Period, shifted: str
) -> sketches.Ask:
    """By branch, by outlet and so on; by "" everybody."""
    key = placed.branch_key if question.by == BRANCH else _moment(question, shifted) or question.by or "''"
    kept = _kept_as(question, placed, shifted)
    by_place = kept == OUTLET and (question.by == BRANCH or not placed.everything)
    moving = placed.moving if by_place else ()
    return sketches.Ask(key, where, period, kept, 1 if question.by == MONTH else 12, moving)


def _kept_as(question: Question, placed: Placement, shifted: str) -> str | None:
    """The dimension whose sketches can answer, "" for that of everybody; None: only the raw rows can."""
    if question.campaign or question.by == DAY:
        return None
    if question.by == BRANCH or not placed.everything:
        # Sketches by outlet know no channel, piece or month beside it.
        return OUTLET if question.by in (OUTLET, BRANCH, "") else None
    if question.by == MONTH:
        return "" if "addDays" not in shifted else None
    return question.by


def _moment(question: Question, shifted: str) -> str:
    if question.by not in (MONTH, DAY):
        return ""
    return f"formatDateTime({shifted}, '{'%Y-%m' if question.by == MONTH else '%Y-%m-%d'}')"


def _filter(question: Question, placed: Placement) -> str:
    conditions = [] if placed.everything else [placed.inside]
    if question.campaign:
        conditions.append(f"campaign = {literal(question.campaign)}")
    return " AND ".join(conditions) or "1"


def _all(period: Period) -> str:
    return f"day BETWEEN '{period.first}' AND '{period.last}'"
