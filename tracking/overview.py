"""The report page: its data put together from reports, for the template to show.

What can be answered at once stands on the page; people and the heat calendar may come later (`Later`).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from core.i18n import gettext as _
from institution.powers import WHOLE
from tracking import annotations, branches, charts, heat, narrowing, periods, provinces, spans, table
from tracking.annotations import Note
from tracking.asking import seen_of
from tracking.branches import Link
from tracking.charts import Chart
from tracking.choices import Choice, choose
from tracking.definition import PEOPLE_ERROR
from tracking.dimensions import Tree
from tracking.export import facts
from tracking.heat import Band
from tracking.later import Later
from tracking.narrowing import Narrowed
from tracking.provinces import Tile
from tracking.report_address import Address
from tracking.reports import Report
from tracking.store import ReachStore
from tracking.table import Row, Table


@dataclass(frozen=True, slots=True)
class Reader:
    """Who looks: the nodes at which their part of the tree begins."""

    tops: Collection[str] = (WHOLE,)

    @property
    def whole(self) -> bool:
        """Whether that is the whole institution."""
        return WHOLE in self.tops


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the report page; `late` says that some of it is still being counted."""

    title: str
    choice: Choice
    report: Report
    crumbs: list[tuple[str, str]]
    parts: list[Link]
    spans: list[Link]
    narrowed: Narrowed
    chart: Chart | None
    notes: list[Note]
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
    seen = seen_of(later, store, session, choice.ask, at_top=at_top)
    report = seen.report
    tiles = provinces.tiles(seen.beside.rows) if at_top else []
    notes = annotations.over(session, store, choice.ask.compared.period, choice.ask.within)
    return Overview(
        title=_title(report, at_top=at_top),
        choice=choice,
        report=report,
        crumbs=branches.crumbs(tree, given, today, reader.tops),
        parts=branches.others(tree, given, today, reader.tops),
        spans=_spans(given, choice),
        narrowed=narrowing.narrowed(store, session, choice, whole=reader.whole, picked=picked),
        chart=charts.chart(seen.over_time, [one.first for one in notes]),
        notes=notes,
        tiles=tiles,
        tile_links=_tile_links(tiles, given),
        channels=[] if at_top else table.rows_of(seen.beside, given, tree),
        calendar=heat.bands(seen.days),
        table=None if seen.trouble else table.table(report, choice, tree, page),
        trouble=seen.trouble,
        late=seen.late,
    )


def _title(report: Report, *, at_top: bool) -> str:
    where = _("全国") if at_top else report.within_name
    return _("%(where)s触达 · %(when)s", where=where, when=periods.title(report.ask.compared.period))


def _tile_links(tiles: Collection[Tile | None], given: Address) -> dict[str, str]:
    keys = [tile.line.key for tile in tiles if tile]
    return {key: given.but(within=key, by="", by2="").href() for key in keys}


def _spans(given: Address, choice: Choice) -> list[Link]:
    return [
        Link(_(label), given.but(span=key, at="", from_="", to="").href(), key == choice.span)
        for key, label in spans.SPANS.items()
    ]
