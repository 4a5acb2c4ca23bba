"""The report page: its data put together from reports, for the template to show."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from sqlmodel import Session

from core.i18n import gettext as _
from institution.powers import WHOLE
from tracking import charts, periods, provinces, reports
from tracking.choices import CAMPAIGN, SPANS, TABLES, Choice, choose, longer
from tracking.definition import PEOPLE_ERROR
from tracking.dimensions import Tree
from tracking.export import facts
from tracking.groupings import BRANCH, BY_NAMES, CHANNEL, DAY, MONTH, OUTLET
from tracking.provinces import Tile
from tracking.reports import Ask, Line, Report
from tracking.store import ReachStore

PER_PAGE = 50
WIDE, NARROW = (680, 300), (320, 210)


@dataclass(frozen=True, slots=True)
class Link:
    """A choice as a link."""

    label: str
    href: str
    current: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, with its share of the largest and where it leads."""

    line: Line
    bar: float
    href: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The drawing for a wide and for a narrow column, and the table beside it."""

    wide: str
    narrow: str
    lines: tuple[Line, ...]
    now: str
    before: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the report page."""

    title: str
    choice: Choice
    report: Report
    crumbs: list[tuple[str, str]]
    parts: list[Link]
    spans: list[Link]
    tables: list[Link]
    kept: dict[str, str]
    chart: Chart | None
    tiles: list[Tile | None]
    tile_links: dict[str, str]
    channels: tuple[Row, ...]
    rows: list[Row]
    page: int
    pages: int

    @property
    def downloads(self) -> list[Link]:
        """The report as files."""
        return [Link(name.upper(), _download(self.choice.ask, name)) for name in ("xlsx", "csv", "json")]

    @property
    def compares(self) -> list[tuple[str, str]]:
        """The ways to compare."""
        return [(mode, _(periods.MODE_NAMES[mode])) for mode in periods.MODES]

    @property
    def facts(self) -> list[tuple[str, str]]:
        """The definition, and what was left out."""
        return list(facts(self.report))

    @property
    def people_error(self) -> float:
        """The error of people, as a fraction."""
        return PEOPLE_ERROR

    @property
    def first_column(self) -> str:
        """What the rows of the table are."""
        return _(BY_NAMES[self.choice.ask.by[0]])

    @property
    def per_day_growth(self) -> float | None:
        """Change of the daily average, where two windows of different length are compared."""
        return periods.growth(*self.report.per_day) if self.report.per_day else None

    @property
    def empty(self) -> bool:
        """Whether nobody was reached in the period."""
        return not self.report.total.gross and not self.report.total.people


def overview(
    store: ReachStore,
    session: Session,
    given: Mapping[str, str],
    *,
    today: date,
    page: int = 1,
    tops: Collection[str] = (WHOLE,),
) -> Overview:
    """The page for an address; Invalid or NotFound for a date or branch that does not exist.

    `tops` are the nodes at which the reader's part of the tree begins; the caller has checked `within`.
    """
    choice = choose(store, session, given, today)
    tree = Tree.read(session)
    at_top = not choice.ask.within or choice.ask.within == tree.root(today)
    over_time = MONTH if longer(choice.ask.compared.period) else DAY
    groupings = dict.fromkeys((choice.ask.by[0], over_time, BRANCH if at_top else CHANNEL))
    asks = [replace(choice.ask, by=(by,)) for by in groupings]
    grouped = dict(zip(groupings, reports.several(store, session, asks), strict=True))
    report = grouped[choice.ask.by[0]]
    pages = max(1, -(-len(report.rows) // PER_PAGE))
    page = min(page, pages)
    tiles = provinces.tiles(grouped[BRANCH].rows) if at_top else []
    return Overview(
        title=_title(report, at_top=at_top),
        choice=choice,
        report=report,
        crumbs=_crumbs(tree, given, choice.ask, today, tops),
        parts=_parts(tree, given, choice.ask, today, tops),
        spans=_spans(given, choice),
        tables=_tables(given, choice),
        kept={key: given[key] for key in ("span", "by", "within") if given.get(key)},
        chart=_chart(grouped[over_time]),
        tiles=tiles,
        tile_links={tile.line.key: _href(given, within=tile.line.key) for tile in tiles if tile},
        channels=() if at_top else tuple(_rows(grouped[CHANNEL].rows, {}, tree, choice.ask)),
        rows=_table(report, page, given, tree),
        page=page,
        pages=pages,
    )


def _table(report: Report, page: int, given: Mapping[str, str], tree: Tree) -> list[Row]:
    """One page of the table; bars are measured by the largest row of all pages."""
    shown = report.rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    return _rows(shown, given, tree, report.ask, largest=report.rows[0].gross if report.rows else 0)


def _title(report: Report, *, at_top: bool) -> str:
    where = _("全国") if at_top else report.within_name
    return _("%(where)s触达 · %(when)s", where=where, when=periods.title(report.ask.compared.period))


def _spans(given: Mapping[str, str], choice: Choice) -> list[Link]:
    return [Link(_(label), _href(given, span=key, at=""), key == choice.span) for key, label in SPANS.items()]


def _tables(given: Mapping[str, str], choice: Choice) -> list[Link]:
    return [Link(_(BY_NAMES[by]), _href(given, by=by), by == choice.ask.by[0]) for by in TABLES]


def _chart(by_time: Report) -> Chart | None:
    compared = by_time.ask.compared
    if not any(line.gross or line.gross_before for line in by_time.rows):
        return None
    now, before = periods.title(compared.period), periods.title(compared.base) if compared.base else ""
    shown = charts.points(by_time.rows)
    wide, narrow = (charts.over_time(shown, now, before, *size) for size in (WIDE, NARROW))
    return Chart(wide, narrow, by_time.rows, now, before)


def _rows(
    lines: tuple[Line, ...], given: Mapping[str, str], tree: Tree, ask: Ask, largest: int = 0
) -> list[Row]:
    largest = max([largest, *(line.gross for line in lines)], default=0)
    below = {span.parent for spans in tree.spans.values() for span in spans[-1:]}
    leads = ask.by[0] in (BRANCH, OUTLET)
    return [
        Row(
            line,
            line.gross / largest if largest else 0.0,
            _href(given, within=line.key, by="")
            if leads and line.key in below and line.key != ask.within
            else "",
        )
        for line in lines
    ]


def _parts(tree: Tree, given: Mapping[str, str], ask: Ask, today: date, tops: Collection[str]) -> list[Link]:
    """The parts of the tree to choose from, for somebody who has several."""
    if len(tops) < 2 or WHOLE in tops:
        return []
    above = tree.path(ask.within, today)
    return [Link(tree.name(code, today), _href(given, within=code), code in above) for code in sorted(tops)]


def _crumbs(
    tree: Tree, given: Mapping[str, str], ask: Ask, today: date, tops: Collection[str]
) -> list[tuple[str, str]]:
    """The way down from where the reader's part begins."""
    root = tree.root(today)
    steps = tree.path(ask.within, today)
    if WHOLE not in tops:
        steps = steps[: next((at + 1 for at, code in enumerate(steps) if code in tops), len(steps))]
    if not ask.within or ask.within == root or len(steps) < 2:
        return []
    steps = steps[::-1]
    links = [
        (tree.name(code, today), _href(given, within="" if code == root else code)) for code in steps[:-1]
    ]
    return [*links, (tree.name(ask.within, today), "")]


def _href(given: Mapping[str, str], **changed: str) -> str:
    keys = ("span", "at", "from", "to", "compare", "by", "within")
    values = {**{key: given[key] for key in keys if given.get(key)}, **changed}
    return "?" + urlencode({key: value for key, value in values.items() if value})


def _download(ask: Ask, form: str) -> str:
    compared = ask.compared
    values = {
        "format": form,
        "from": str(compared.period.first),
        "to": str(compared.period.last),
        "by": ",".join(ask.by),
        "compare": compared.mode,
        "base": f"{compared.base.first}/{compared.base.last}"
        if compared.mode == CAMPAIGN and compared.base
        else "",
        "within": ask.within,
        "campaign": ask.campaign,
    }
    return "/desk/reach/download?" + urlencode({key: value for key, value in values.items() if value})
