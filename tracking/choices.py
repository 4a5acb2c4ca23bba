"""What was chosen on the report page, read from its address; what the address leaves open is chosen for the reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session

from tracking import dimensions, groupings, periods, spans
from tracking.branches import is_leaf
from tracking.dimensions import Tree
from tracking.groupings import BRANCH, BYS, CHANNEL, KEYS, TREE
from tracking.periods import Compared, Period
from tracking.placement import place
from tracking.question import Where
from tracking.report_address import Address
from tracking.reports import Ask
from tracking.spans import CAMPAIGN, DATES, SO_FAR, YEAR, Run
from tracking.store import ReachStore

ALL = "all"
ENDS = (ALL, "top10", "top20", "top50", "bottom10", "bottom20", "bottom50")


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen; `options` are value and label of what the chosen kind of span offers.

    `address` says it all again and pins the days: opened tomorrow it shows the same.
    """

    span: str
    value: str
    compare: str
    ask: Ask
    options: list[tuple[str, str]]
    compares: tuple[str, ...]
    only: str
    address: Address

    @property
    def pinned(self) -> Address:
        """The address that shows the same days whenever it is opened."""
        return self.address.but(at=self.value) if self.span == SO_FAR else self.address


@dataclass(frozen=True, slots=True)
class _Spanned:
    value: str
    compared: Compared
    options: list[tuple[str, str]]
    run: Run | None = None


def choose(store: ReachStore, session: Session, given: Address, today: date, *, whole: bool = True) -> Choice:
    """Read the address; `whole` says that the reader may see all, so that campaigns need not be looked up.

    Unknown words are read as if nothing had been said; Invalid for dates that do not exist.
    """
    known = spans.years(store)
    tree = Tree.read(session)
    span = _span(given, known, today)
    within = given.get("within")
    if span == CAMPAIGN:
        inside = "1" if whole and not within else _inside(tree, within, known, today)
        found = _campaign(session, spans.runs(store, inside), given, known, today)
    elif span == DATES:
        found = _Spanned("", _compared(given, _dates(given, known, today)), [])
    elif span == SO_FAR:
        last = periods.day(given.get("at") or str(today - timedelta(days=1)), "at")
        found = _Spanned(str(last), _compared(given, spans.so_far(last)), [])
    else:
        found = _from_list(span, given, known, today)
    where = given.filters
    if found.run:
        where = {**where, groupings.CAMPAIGN: (found.run.key,)}
    ask = Ask(found.compared, _by(given, tree), within, _where(where))
    return Choice(
        span=span,
        value=found.value,
        compare=found.compared.mode,
        ask=ask,
        options=found.options,
        compares=(periods.CAMPAIGN, *periods.MODES) if found.run and found.run.base else periods.MODES,
        only=given.get("only") if given.get("only") in ENDS else ALL,
        address=_said(given, span, ask),
    )


def _span(given: Address, known: Sequence[int], today: date) -> str:
    if given.get("span") in spans.SPANS:
        return given.get("span")
    if given.get("from") and given.get("to"):
        return DATES
    return SO_FAR if (today - timedelta(days=1)).year in known else YEAR


def _said(given: Address, span: str, ask: Ask) -> Address:
    """The address in its shortest form: what was not understood is left out."""
    kept = {name: given.get(name) for name in ("span", "compare", "sort", "only", "within")}
    kept |= {"by": given.get("by"), "by2": ask.by[1] if len(ask.by) == 2 else ""}
    kept |= {name: given.get(name) for name in (("from", "to") if span == DATES else ("at",))}
    known = {
        "span": spans.SPANS,
        "compare": periods.MODE_NAMES,
        "by": BYS,
        "only": ENDS[1:],
    }
    fine = {name: value for name, value in kept.items() if value and value in known.get(name, (value,))}
    if given.get("span") != span:
        fine["span"] = span if span == DATES else ""
    return Address(fine, {name: found for name, found in given.filters.items() if found})


def _by(given: Address, tree: Tree) -> tuple[str, ...]:
    """The groupings: branches where there are some below, at an outlet its channels."""
    first = given.get("by")
    if first not in BYS:
        first = CHANNEL if is_leaf(tree, given.get("within")) else BRANCH
    second = given.get("by2")
    fits = second in BYS and second != first and not (first in TREE and second in TREE)
    return (first, second) if fits else (first,)


def _where(filters: Mapping[str, tuple[str, ...]]) -> Where:
    return tuple((name, tuple(sorted(filters[name]))) for name in KEYS if filters.get(name))


def _inside(tree: Tree, within: str, known: Sequence[int], today: date) -> str:
    first = date(min(known, default=today.year), 1, 1)
    return place(tree, within, Period(first, max(today, date(max(known, default=today.year), 12, 31)))).inside


def _campaign(
    session: Session, found: list[Run], given: Address, known: Sequence[int], today: date
) -> _Spanned:
    called = dimensions.names(session, "campaign", today)
    options = [(run.value, f"{called.get(run.key, run.key)} · {run.year}") for run in found]
    run = next((one for one in found if one.value == given.get("at")), found[0] if found else None)
    if run is None:
        return _Spanned("", _compared(given, periods.named(str(spans.newest(known, today)))), options)
    mode = given.get("compare")
    if mode not in periods.MODES:
        return _Spanned(run.value, periods.compare(run.period, periods.CAMPAIGN, run.base), options, run)
    return _Spanned(run.value, _compared(given, run.period), options, run)


def _dates(given: Address, known: Sequence[int], today: date) -> Period:
    default = periods.named(str(spans.newest(known, today)))
    return Period(
        periods.day(given.get("from") or str(default.first), "from"),
        periods.day(given.get("to") or str(default.last), "to"),
    )


def _from_list(span: str, given: Address, known: Sequence[int], today: date) -> _Spanned:
    year = spans.newest(known, today)
    offered = spans.values(span, known or [year], today)
    default = next((one for one in offered if one.startswith(str(year))), offered[0])
    value = given.get("at") if given.get("at") in offered else default
    options = [(one, spans.label(span, one)) for one in offered]
    return _Spanned(value, _compared(given, spans.period_of(span, value, today)), options)


def _compared(given: Address, period: Period) -> Compared:
    mode = given.get("compare")
    return periods.compare(period, mode if mode in periods.MODES else periods.YEAR)
