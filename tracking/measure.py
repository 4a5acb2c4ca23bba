"""The figures of one period, grouped: closed days from their roll-ups, open days from the raw rows."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from tracking import rollups, sketches
from tracking.definition import Definition
from tracking.dimensions import Tree
from tracking.periods import Period
from tracking.rollups import listed, literal, on_days
from tracking.store import ReachStore

OUTLET, BRANCH, CHANNEL, PIECE, CAMPAIGN, MONTH, DAY = (
    "outlet", "branch", "channel", "piece", "campaign", "month", "day",
)  # fmt: skip
BYS = (OUTLET, BRANCH, CHANNEL, PIECE, CAMPAIGN, MONTH, DAY)
_TRIES = 4


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
    shifted: str = "day",
) -> Measured:
    """The figures of `period`; `shifted` is the expression that days are shown as (for a base: a year on).

    Each event counts for the branch that its outlet belonged to on its day.
    """
    key, where = _key(tree, question, period, shifted), _filter(tree, question, period)
    gross, unique = _placed_sums(store, tree, question, period, definition) or _sums(
        store, key, where, period, definition
    )
    asked = sketches.Ask(key, where, period, _kept_as(tree, question, period, shifted))
    if question.by == MONTH:
        asked = replace(asked, largest=1)
    everywhere = replace(question, by="")
    whole = sketches.Ask("''", where, period, _kept_as(tree, everywhere, period, shifted))
    people, total = sketches.people(store, (asked, whole), definition)
    rows = {
        name: Figures(gross.get(name, 0), unique.get(name, 0), people.get(name, 0))
        for name in gross.keys() | unique.keys() | people.keys()
    }
    return Measured(rows, Figures(sum(gross.values()), sum(unique.values()), total.get("", 0)))


def _placed_sums(
    store: ReachStore, tree: Tree, question: Question, period: Period, definition: Definition
) -> tuple[dict[str, int], dict[str, int]] | None:
    """Sums by branch from sums by outlet, where nothing moved: asking the store by outlet is much faster."""
    if question.by != BRANCH or tree.moves(period.first, period.last):
        return None
    places = tree.branches(question.within or tree.root(period.last), period.first)
    found = _sums(store, "outlet", _filter(tree, question, period), period, definition)
    folded: tuple[dict[str, int], dict[str, int]] = ({}, {})
    for sums, target in zip(found, folded, strict=True):
        for outlet, number in sums.items():
            place = places.get(outlet, outlet)
            target[place] = target.get(place, 0) + number
    return folded


def _sums(
    store: ReachStore, key: str, where: str, period: Period, definition: Definition
) -> tuple[dict[str, int], dict[str, int]]:
    for attempt in range(_TRIES):
        before = rollups.fingerprint(store, period)
        # A rebuild that goes on all the while cannot make a report wrong: the last try reads only raw rows.
        last = attempt == _TRIES - 1
        raw = None if last else rollups.open_days(store, period.first, period.last, definition)
        gross = store.query(_gross(key, where, period, raw, definition))
        unique = store.query(_unique(key, where, period, raw, definition))
        if last or rollups.fingerprint(store, period) == before:
            break
    return {str(k): int(n) for k, n in gross}, {str(k): int(n) for k, n in unique}


def dropped(store: ReachStore, period: Period) -> dict[str, int]:
    """How many events of a period were dropped, by reason, most first."""
    sql = """
        SELECT toString(reason) AS why, sum(quantity) AS n FROM reach_drop
        WHERE day BETWEEN {first:Date} AND {last:Date} GROUP BY why HAVING n != 0 ORDER BY n DESC, why
    """
    return {str(why): int(n) for why, n in store.query(sql, {"first": period.first, "last": period.last})}


def _gross(key: str, where: str, period: Period, raw: list[date] | None, definition: Definition) -> str:
    kinds = f"kind IN {listed(definition.kinds)} AND {where}"
    parts = [
        f"SELECT {key} AS k, sum(quantity) AS n FROM {table} WHERE {days} AND {kinds} GROUP BY k"
        for table, days in (("reach_gross", _rolled(period, raw)), ("reach_event", _raw(period, raw)))
    ]
    return f"SELECT k, toInt64(sum(n)) FROM ({' UNION ALL '.join(parts)}) GROUP BY k"


def _unique(key: str, where: str, period: Period, raw: list[date] | None, definition: Definition) -> str:
    # The campaign of a visitor is that of the first event, so a campaign is chosen only after de-duplication.
    inner = rollups.unique_rows(definition, _raw(period, raw))
    fresh = f"(SELECT day, outlet, channel, first_campaign AS campaign, piece, n AS quantity FROM ({inner}))"
    parts = [
        f"SELECT {key} AS k, sum(quantity) AS m FROM {source} WHERE {days} AND {where} GROUP BY k"
        for source, days in (("reach_unique", _rolled(period, raw)), (fresh, "1"))
    ]
    return f"SELECT k, toInt64(sum(m)) FROM ({' UNION ALL '.join(parts)}) GROUP BY k"


def _kept_as(tree: Tree, question: Question, period: Period, shifted: str) -> str | None:
    """The dimension whose sketches can answer, "" for that of everybody; None: only the raw rows can."""
    if question.campaign or question.by == DAY:
        return None
    placed = question.by in (OUTLET, BRANCH)
    if question.within or question.by == BRANCH:
        # What moved within the period belonged to one branch on some days and to another on others.
        if not (placed or not question.by) or tree.moves(period.first, period.last):
            return None
        return OUTLET
    if question.by == MONTH:
        return "" if "addDays" not in shifted else None
    return question.by


def _all(period: Period) -> str:
    return f"day BETWEEN '{period.first}' AND '{period.last}'"


def _rolled(period: Period, raw: list[date] | None) -> str:
    if raw is None:
        return "0"
    return f"{_all(period)} AND NOT ({on_days(raw)})" if raw else _all(period)


def _raw(period: Period, raw: list[date] | None) -> str:
    return _all(period) if raw is None else on_days(raw)


def _key(tree: Tree, question: Question, period: Period, shifted: str) -> str:
    if question.by in (MONTH, DAY):
        return f"formatDateTime({shifted}, '{'%Y-%m' if question.by == MONTH else '%Y-%m-%d'}')"
    if question.by != BRANCH:
        return question.by
    within = question.within or tree.root(period.last)
    return _by_slice(tree, period, lambda day: _transform(tree.branches(within, day)))


def _transform(branches: Mapping[str, str]) -> str:
    if not branches:
        return "toString(outlet)"
    codes, rows = listed(branches), listed(branches.values())
    return f"transform(toString(outlet), [{codes[1:-1]}], [{rows[1:-1]}], toString(outlet))"


def _filter(tree: Tree, question: Question, period: Period) -> str:
    conditions = []
    if question.within and question.within != tree.root(period.last):
        below = _by_slice(
            tree, period, lambda day: f"outlet IN {listed(tree.branches(question.within, day))}"
        )
        conditions.append(f"({below})")
    if question.campaign:
        conditions.append(f"campaign = {literal(question.campaign)}")
    return " AND ".join(conditions) or "1"


def _by_slice(tree: Tree, period: Period, expression: Callable[[date], str]) -> str:
    """One expression per stretch of days between which nothing moved in the tree."""
    starts = [period.first, *tree.moves(period.first, period.last)]
    pairs = zip(starts[1:], starts, strict=False)
    parts = [f"day < '{end}', {expression(start)}" for end, start in pairs]
    last = expression(starts[-1])
    return f"multiIf({', '.join(parts)}, {last})" if parts else last
