"""The report page: its data put together from reports, for the template to show.

What can be answered at once stands on the page; people and the heat calendar may come later (`Later`).
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import date
from time import monotonic
from typing import TypeVar

from sqlmodel import Session

from core.database import Database
from core.errors import Invalid
from core.i18n import current_locale
from core.i18n import gettext as _
from institution.powers import WHOLE
from tracking import branches, charts, groupings, heat, narrowing, periods, provinces, reports, spans, table
from tracking.branches import Link
from tracking.charts import Chart
from tracking.choices import Choice, choose
from tracking.definition import PEOPLE_ERROR
from tracking.dimensions import Tree
from tracking.export import facts
from tracking.groupings import BRANCH, CHANNEL, DAY, HOUR, LONGEST_BY_HOUR, MONTH, OUTLET, TIMES
from tracking.heat import Band
from tracking.narrowing import Chip, Picking
from tracking.placement import place
from tracking.provinces import Tile
from tracking.report_address import Address
from tracking.reports import Ask, Report
from tracking.store import ReachStore
from tracking.table import Row, Table
from tracking.waiting import Waiting

T = TypeVar("T")
# Rows of a table by two groupings; more are for a file.
MOST_ON_PAGE = 30_000


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: the nodes at which their part of the tree begins."""

    tops: Collection[str] = (WHOLE,)

    @property
    def whole(self) -> bool:
        """Whether that is the whole institution."""
        return WHOLE in self.tops


class Later:
    """What may come after the page: each thing is waited for until a moment that all of them share."""

    def __init__(self, waiting: Waiting, database: Database, store: ReachStore, seconds: float) -> None:
        self.missing = False
        self._waiting, self._database, self._store = waiting, database, store
        self._until = monotonic() + seconds

    def known(self, name: str, ask: Ask) -> bool:
        """Whether this was answered before, so that it can be asked first."""
        return self._waiting.known((name, ask, current_locale()))

    def get(self, name: str, ask: Ask, work: Callable[[ReachStore, Session, Ask], T]) -> T | None:
        """What `work` says of a question; None when the page must go out without it."""

        def run() -> tuple[T]:
            with self._database.reading() as session:
                return (work(self._store, session, ask),)

        found = self._waiting.ask((name, ask, current_locale()), run, self._until - monotonic())
        self.missing = self.missing or found is None
        return found[0] if found else None


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the report page; `late` says that some of it is still being counted."""

    title: str
    choice: Choice
    report: Report
    crumbs: list[tuple[str, str]]
    parts: list[Link]
    spans: list[Link]
    chips: list[Chip]
    filters: list[Link]
    picking: Picking | None
    chart: Chart | None
    tiles: list[Tile | None]
    tile_links: dict[str, str]
    channels: list[Row]
    calendar: tuple[Band, ...]
    table: Table | None
    trouble: str
    late: bool

    @property
    def given(self) -> Address:
        """The address of this page."""
        return self.choice.address

    @property
    def downloads(self) -> list[Link]:
        """The report as files."""
        path = "/desk/reach/download"
        return [
            Link(name.upper(), self.choice.pinned.href(path, format=name)) for name in ("xlsx", "csv", "json")
        ]

    @property
    def compares(self) -> list[tuple[str, str]]:
        """The ways to compare."""
        return [(mode, _(periods.MODE_NAMES[mode])) for mode in self.choice.compares]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The definition, and what was left out."""
        return list(facts(self.report))

    @property
    def people_error(self) -> float:
        """The error of people, as a fraction."""
        return PEOPLE_ERROR

    @property
    def per_day_growth(self) -> float | None:
        """Change of the daily average, where two windows of different length are compared."""
        return periods.growth(*self.report.per_day) if self.report.per_day else None

    @property
    def empty(self) -> bool:
        """Whether nobody was reached in the period."""
        return not self.report.total.gross and not self.report.total.people and not self.report.rows

    def kept(self, *without: str) -> list[tuple[str, str]]:
        """The pairs of the address for a form to carry along, except what the form itself asks."""
        return [(name, value) for name, value in self.given.pairs if name not in without]


def overview(
    store: ReachStore,
    session: Session,
    given: Address,
    *,
    today: date,
    reader: Reader,
    later: Later,
    page: int = 1,
    picked: str = "",
) -> Overview:
    """The page for an address; Invalid or NotFound for a date or branch that does not exist.

    The caller has checked that `within` lies in the reader's part of the tree.
    """
    choice = choose(store, session, given, today, whole=reader.whole)
    given, tree = choice.address, Tree.read(session)
    at_top = branches.at_top(tree, choice.ask.within, today)
    full = _full(later, choice.ask) if later.known("people", _with_people(choice.ask)) else None
    seen = _Seen.ask(store, session, choice.ask, at_top=at_top, full=full)
    full = full or _full(later, seen.report.ask)
    report = _merged(seen.report, full) if full else seen.report
    tiles = provinces.tiles(seen.by(BRANCH).rows) if at_top else []
    listed = table.rows_of(seen.by(CHANNEL), given, tree) if not at_top else []
    return Overview(
        title=_title(report, at_top=at_top),
        choice=choice,
        report=report,
        crumbs=branches.crumbs(tree, given, today, reader.tops),
        parts=branches.others(tree, given, today, reader.tops),
        spans=_spans(given, choice),
        chips=narrowing.chips(store, session, choice.ask, given, whole=reader.whole),
        filters=narrowing.links(given, picked, fixed="campaign" if choice.span == spans.CAMPAIGN else ""),
        picking=narrowing.picking(store, session, choice.ask, given, picked),
        chart=charts.chart(seen.over_time),
        tiles=tiles,
        tile_links={
            tile.line.key: given.but(within=tile.line.key, by="", by2="").href() for tile in tiles if tile
        },
        channels=listed,
        calendar=later.get("calendar", choice.ask, heat.calendar) or (),
        table=None if seen.trouble else table.table(report, choice, tree, page),
        trouble=seen.trouble,
        late=later.missing,
    )


@dataclass(frozen=True, slots=True)
class _Seen:
    """The reports of a page by their groupings, without people; `trouble` where the table's cannot be made."""

    found: dict[tuple[str, ...], Report]
    main: tuple[str, ...]
    timed: tuple[str, ...]
    trouble: str = ""

    @classmethod
    def ask(
        cls, store: ReachStore, session: Session, ask: Ask, *, at_top: bool, full: Report | None = None
    ) -> "_Seen":
        """One snapshot for all; a table that is too large leaves the rest of the page standing.

        `full` is the answer with people, where it is there already; it need not be asked again without.
        """
        period, trouble = ask.compared.period, ""
        by_time: tuple[str, ...] = (MONTH,) if spans.longer(period) else (DAY,)
        drawn = len(ask.by) == 1 and ask.by[0] in TIMES and (ask.by[0] != DAY or period.days < 400)
        timed = ask.by if drawn else by_time
        trouble = _too_much(Tree.read(session), ask)
        main = by_time if trouble else ask.by
        timed = by_time if trouble else timed
        wanted = dict.fromkeys((main, timed, (BRANCH,) if at_top else (CHANNEL,)))
        known = {full.ask.by: full} if full else {}
        try:
            left = [by for by in wanted if by not in known]
            return cls(known | _several(store, session, ask, left), main, timed, trouble)
        except Invalid as error:
            if len(main) == 1:
                raise
            wanted = dict.fromkeys((timed, (BRANCH,) if at_top else (CHANNEL,)))
            return cls(_several(store, session, ask, wanted), timed, timed, str(error))

    @property
    def report(self) -> Report:
        """What the table shows."""
        return self.found[self.main]

    @property
    def over_time(self) -> Report:
        """What the chart shows."""
        return self.found[self.timed]

    def by(self, name: str) -> Report:
        """The report by one grouping."""
        return self.found[(name,)]


def _too_much(tree: Tree, ask: Ask) -> str:
    """Why a table of this question would be more than a page can hold; "" when it is not."""
    period = ask.compared.period
    if HOUR in ask.by and period.days > LONGEST_BY_HOUR:
        return _("按时段统计一次最多 %(days)s 天，请缩短时间范围。", days=LONGEST_BY_HOUR)
    rows = 1
    for by in ask.by:
        if by in TIMES:
            rows *= len(groupings.moments(by, period))
        elif by == OUTLET:
            rows *= len(place(tree, ask.within, period).stable)
    if rows <= MOST_ON_PAGE or len(ask.by) < 2:
        return ""
    return _(
        "这样分组约有 %(rows)s 行，页面上看不完：请选一个分支机构、缩短时间，或下载成文件。", rows=f"{rows:,}"
    )


def _several(
    store: ReachStore, session: Session, ask: Ask, wanted: Collection[tuple[str, ...]]
) -> dict[tuple[str, ...], Report]:
    asks = [replace(ask, by=by, people=False) for by in wanted]
    if not asks:
        return {}
    return dict(zip(wanted, reports.several(store, session, asks), strict=True))


def _full(later: Later, ask: Ask) -> Report | None:
    """The report with people, when it comes in time."""
    return later.get("people", _with_people(ask), reports.report)


def _with_people(ask: Ask) -> Ask:
    """The question that people are told by: of two groupings only the first, the table is shown without them."""
    return replace(ask, by=ask.by[:1], people=True)


def _merged(quick: Report, full: Report) -> Report:
    """The report with people where it has one grouping, else with those of its total."""
    if len(quick.ask.by) == 1:
        return full
    total = replace(quick.total, people=full.total.people, people_before=full.total.people_before)
    return replace(quick, total=total)


def _title(report: Report, *, at_top: bool) -> str:
    where = _("全国") if at_top else report.within_name
    return _("%(where)s触达 · %(when)s", where=where, when=periods.title(report.ask.compared.period))


def _spans(given: Address, choice: Choice) -> list[Link]:
    return [
        Link(_(label), given.but(span=key, at="", from_="", to="").href(), key == choice.span)
        for key, label in spans.SPANS.items()
    ]
