"""What the report page offers to choose from, and what was chosen, read from the address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from core.i18n import mark
from tracking import dimensions, periods
from tracking.groupings import BRANCH, CHANNEL, OUTLET, PIECE
from tracking.groupings import CAMPAIGN as BY_CAMPAIGN
from tracking.groupings import MONTH as BY_MONTH
from tracking.periods import Compared, Period
from tracking.reports import Ask
from tracking.store import ReachStore

YEAR, QUARTER, MONTH, CAMPAIGN, DATES = "year", "quarter", "month", "campaign", "dates"
SPANS = {
    YEAR: mark("年"),
    QUARTER: mark("季"),
    MONTH: mark("月"),
    CAMPAIGN: mark("活动期"),
    DATES: mark("自选日期"),
}
TABLES = (BRANCH, OUTLET, CHANNEL, PIECE, BY_CAMPAIGN, BY_MONTH)


@dataclass(frozen=True, slots=True)
class Run:
    """A campaign in one year: its days with reach, and those of a year before."""

    key: str
    year: int
    period: Period
    base: Period | None

    @property
    def value(self) -> str:
        """How the address names it."""
        return f"{self.key}@{self.year}"


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `options` are value and label of what the chosen kind of span offers."""

    span: str
    value: str
    compare: str
    ask: Ask
    options: list[tuple[str, str]]


def years(store: ReachStore) -> list[int]:
    """The years that have reach, newest first."""
    rows = store.query(
        "SELECT toYear(day) AS y FROM reach_counted GROUP BY y HAVING sum(rows) > 0 ORDER BY y DESC"
    )
    return [int(row[0]) for row in rows]


def choose(store: ReachStore, session: Session, given: Mapping[str, str], today: date) -> Choice:
    """Read the address; whatever it does not say is the newest year that has one before it."""
    known = years(store)
    year = next((y for y in known if y - 1 in known), known[0] if known else today.year)
    span = given.get("span", YEAR) if given.get("span") in SPANS else YEAR
    compare = given.get("compare", periods.YEAR) if given.get("compare") in periods.MODES else periods.YEAR
    by = given.get("by", BRANCH) if given.get("by") in TABLES else BRANCH
    campaign, options = "", []
    if span == CAMPAIGN:
        found = runs(store)
        called = dimensions.names(session, "campaign", today)
        options = [(run.value, f"{called.get(run.key, run.key)} · {run.year}") for run in found]
        run = next((one for one in found if one.value == given.get("at")), found[0] if found else None)
        period = run.period if run else periods.named(str(year))
        campaign, value = (run.key, run.value) if run else ("", "")
        compared = _against(period, compare, run)
    elif span == DATES:
        default = periods.named(str(year))
        period = Period(
            periods.day(given.get("from") or str(default.first), "from"),
            periods.day(given.get("to") or str(default.last), "to"),
        )
        value, compared = "", periods.compare(period, compare)
    else:
        options = _options(span, known or [year])
        value = next((v for v, _label in options if v == given.get("at")), _default(span, year))
        compared = periods.compare(periods.named(value), compare)
    where = ((BY_CAMPAIGN, (campaign,)),) if campaign else ()
    ask = Ask(compared, (by,), given.get("within", "").strip(), where)
    return Choice(span, value, compare, ask, options)


def _against(period: Period, compare: str, run: Run | None) -> Compared:
    if run is None or compare != periods.YEAR:
        return periods.compare(period, compare)
    return periods.compare(period, periods.CAMPAIGN, run.base)


def _default(span: str, year: int) -> str:
    return {YEAR: f"{year}", QUARTER: f"{year}-Q4", MONTH: f"{year}-12"}[span]


def _options(span: str, known: list[int]) -> list[tuple[str, str]]:
    if span == YEAR:
        values = [f"{year}" for year in known]
    elif span == QUARTER:
        values = [f"{year}-Q{quarter}" for year in known for quarter in (4, 3, 2, 1)]
    else:
        values = [f"{year}-{month:02d}" for year in known for month in range(12, 0, -1)]
    return [(value, periods.title(periods.named(value))) for value in values]


def runs(store: ReachStore) -> list[Run]:
    """Every campaign that had reach, once per year, newest first. Closed days come from their roll-ups."""
    sql = """
        SELECT key, toYear(d) AS y, min(d), max(d) FROM (
            SELECT toString(campaign) AS key, day AS d FROM reach_gross WHERE campaign != '' GROUP BY key, d
            UNION ALL SELECT toString(campaign) AS key, day AS d FROM reach_event
            WHERE campaign != '' AND day > (SELECT max(day) FROM reach_closed) GROUP BY key, d
        ) GROUP BY key, y ORDER BY max(d) DESC, key
    """
    found = {(str(key), int(year)): Period(first, last) for key, year, first, last in store.query(sql)}
    return [Run(key, year, period, found.get((key, year - 1))) for (key, year), period in found.items()]


def longer(period: Period) -> bool:
    """Whether the chart shows months; a shorter period is shown by day."""
    return period.last - period.first > timedelta(days=62)
