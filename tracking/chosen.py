"""What was chosen on the pages of growth, funnel, outlets and targets, read from their address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlencode

from sqlmodel import Session

from tracking import dimensions, periods, spans
from tracking.dimensions import Tree
from tracking.groupings import CAMPAIGN as BY_CAMPAIGN
from tracking.groupings import CHANNEL, PIECE
from tracking.periods import Compared, Period
from tracking.placement import place
from tracking.question import Where
from tracking.spans import CAMPAIGN, DATES, SO_FAR, YEAR, Run
from tracking.store import ReachStore

FILTERS = (CHANNEL, BY_CAMPAIGN, PIECE)
KEPT = ("span", "at", "from", "to", "compare", "by", "within", "least", *FILTERS)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A time with its base, a part of the tree, and what else the pages offer to choose from."""

    span: str
    value: str
    compared: Compared
    within: str
    options: list[tuple[str, str]]
    where: Where = ()

    @property
    def modes(self) -> list[str]:
        """The ways to compare; growth without a base is no question."""
        return [mode for mode in periods.MODES if mode != periods.NONE]


def choose(
    store: ReachStore, session: Session, given: Mapping[str, str], today: date, *, whole: bool = True
) -> Chosen:
    """Read the address; unknown words count as not said. Invalid for dates that do not exist."""
    known = spans.years(store)
    span = _span(given, known, today)
    within = given.get("within", "").strip()
    if span == CAMPAIGN:
        inside = "1" if whole and not within else _inside(Tree.read(session), within, known, today)
        return _campaign(session, spans.runs(store, inside), given, known, today)
    options: list[tuple[str, str]] = []
    if span == DATES:
        period, value = _dates(given, known, today), ""
    elif span == SO_FAR:
        last = periods.day(given.get("at") or str(today - timedelta(days=1)), "at")
        period, value = spans.so_far(last), str(last)
    else:
        period, value, options = _listed(span, given, known, today)
    return Chosen(span, value, _compared(given, period), within, options, filters(given))


def filters(given: Mapping[str, str]) -> Where:
    """The one channel, campaign or piece that the address narrows to."""
    return tuple((name, (given[name].strip(),)) for name in FILTERS if given.get(name, "").strip())


def _span(given: Mapping[str, str], known: list[int], today: date) -> str:
    if given.get("span") in spans.SPANS:
        return given["span"]
    if given.get("from") and given.get("to"):
        return DATES
    return SO_FAR if (today - timedelta(days=1)).year in known else YEAR


def _dates(given: Mapping[str, str], known: list[int], today: date) -> Period:
    usual = periods.named(str(spans.newest(known, today)))
    return Period(
        periods.day(given.get("from") or str(usual.first), "from"),
        periods.day(given.get("to") or str(usual.last), "to"),
    )


def _listed(
    span: str, given: Mapping[str, str], known: list[int], today: date
) -> tuple[Period, str, list[tuple[str, str]]]:
    offered = spans.values(span, known or [today.year], today)
    year = str(spans.newest(known, today))
    value = next((one for one in offered if one == given.get("at")), "")
    value = value or next((one for one in offered if one.startswith(year)), offered[0])
    return spans.period_of(span, value, today), value, [(one, spans.label(span, one)) for one in offered]


def _campaign(
    session: Session, found: list[Run], given: Mapping[str, str], known: list[int], today: date
) -> Chosen:
    options, within = run_options(session, found, today), given.get("within", "").strip()
    run = next((one for one in found if one.value == given.get("at")), found[0] if found else None)
    if run is None:
        period = periods.named(str(spans.newest(known, today)))
        return Chosen(CAMPAIGN, "", _compared(given, period), within, options, filters(given))
    narrowed = (one for one in filters(given) if one[0] != BY_CAMPAIGN)
    where = ((BY_CAMPAIGN, (run.key,)), *narrowed)
    if run.base and given.get("compare") not in (periods.WEEKDAYS, periods.PREVIOUS):
        compared = periods.compare(run.period, periods.CAMPAIGN, run.base)
    else:
        compared = _compared(given, run.period)
    return Chosen(CAMPAIGN, run.value, compared, within, options, where)


def run_options(session: Session, found: list[Run], today: date) -> list[tuple[str, str]]:
    """Campaigns to choose from: value and label."""
    called = dimensions.names(session, "campaign", today)
    return [(run.value, f"{called.get(run.key, run.key)} · {run.year}") for run in found]


def runs(store: ReachStore, tree: Tree, within: str, today: date, *, whole: bool) -> list[Run]:
    """The campaigns that somebody may see: those of their part of the tree."""
    if whole and not within:
        return spans.runs(store)
    return spans.runs(store, _inside(tree, within, spans.years(store), today))


def _inside(tree: Tree, within: str, known: list[int], today: date) -> str:
    years = [*known, today.year]
    return place(tree, within, Period(date(min(years), 1, 1), date(max(years), 12, 31))).inside


def _compared(given: Mapping[str, str], period: Period) -> Compared:
    mode = given.get("compare", "")
    fine = mode in periods.MODES and mode != periods.NONE
    return periods.compare(period, mode if fine else periods.YEAR)


def href(given: Mapping[str, str], **changed: str) -> str:
    """The same address with something changed; "" takes it away."""
    values = {**{key: given[key] for key in KEPT if given.get(key)}, **changed}
    return "?" + urlencode({key: value for key, value in values.items() if value})
