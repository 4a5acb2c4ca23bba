"""The table of the report page: a league or a matrix, each row with its links down the tree and to its rows."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.i18n import gettext as _
from institution.desk_table import View
from tracking import branches, league, matrix, spans
from tracking.choices import ALL, ENDS, Choice
from tracking.dimensions import Tree
from tracking.groupings import BY_NAMES, DAY, HOUR, KEYS, MONTH, OUTLET, QUARTER, TREE, WEEK, YEAR
from tracking.league import Standing
from tracking.matrix import Matrix
from tracking.report_address import Address
from tracking.reports import Line, Report

PER_PAGE = 50
_SPANS = {YEAR: spans.YEAR, QUARTER: spans.QUARTER, MONTH: spans.MONTH, WEEK: spans.WEEK}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, with its share of the largest, where it leads, and where its rows are."""

    standing: Standing
    bar: float
    href: str
    behind: str
    before: str
    home: str = ""

    @property
    def line(self) -> Line:
        """The figures."""
        return self.standing.line


@dataclass(frozen=True, slots=True)
class Table:
    """One page of the rows, or the matrix; `of` is how many rows there are without `only`."""

    view: View[Standing]
    rows: list[Row]
    matrix: Matrix | None
    links: "Links"
    page: int
    pages: int
    shown: int
    of: int
    heads: tuple[str, ...]

    @property
    def words(self) -> dict[str, str]:
        """The heading of each column, by its key."""
        return {column.key: column.word for column in self.view.heads}

    @property
    def first(self) -> str:
        """What the rows are."""
        return self.heads[0]


@dataclass(frozen=True, slots=True)
class Links:
    """Where the figures of a report lead."""

    given: Address
    pinned: Address
    by: tuple[str, ...]
    tree: Tree

    def down(self, by: str, key: str) -> str:
        """The page about this key alone: below a branch, kept to a channel, within a month; "" for none."""
        if by in TREE:
            known = key in self.tree.spans and key != self.given.get("within")
            return self.given.but(within=key, by="", by2="", only="", sort="").href() if known else ""
        if by in KEYS:
            return self.given.filtered(by, (key,)).but(by="", by2="", only="", sort="").href()
        if by == HOUR:
            return ""
        days = {"span": spans.DATES, "from_": key, "to": key, "at": ""} if by == DAY else {
            "span": _SPANS[by], "at": key, "from_": "", "to": "",
        }  # fmt: skip
        return self.given.but(**days, by="", by2="", only="", sort="").href()

    def behind(self, *keys: str | None, before: bool = False) -> str:
        """The rows behind a figure; a key that is None is summed over."""
        named = zip(("key", "key2"), keys, strict=False)
        pairs = [(name, key) for name, key in named if key is not None]
        return self.pinned.href("/desk/reach/rows", *pairs, base="1" if before else "")


def table(report: Report, choice: Choice, tree: Tree, page: int) -> Table:
    """One page of the table; bars are measured by the largest row of all pages."""
    view = league.seen(report, choice.address.get("sort"))
    rows = league.ends(league.standings(report), choice.only)
    rows = view.arranged(rows)
    pages = max(1, -(-len(rows) // PER_PAGE))
    page = min(page, pages)
    links = Links(choice.address, choice.pinned, report.ask.by, tree)
    largest = max((line.gross for line in report.rows), default=0)
    cut = rows[(page - 1) * PER_PAGE : page * PER_PAGE]
    square = matrix.matrix(report) if choice.only == ALL and not choice.address.get("sort") else None
    return Table(
        view=view,
        rows=[] if square else [_row(one, links, report, largest) for one in cut],
        matrix=square,
        links=links,
        page=page,
        pages=1 if square else pages,
        shown=len(rows),
        of=len(report.rows),
        heads=tuple(_(BY_NAMES[by]) for by in report.ask.by),
    )


def rows_of(report: Report, given: Address, tree: Tree) -> list[Row]:
    """All rows of a report that stands beside the table."""
    links = Links(given, given.but(by=report.ask.by[0], by2=""), report.ask.by, tree)
    largest = max((line.gross for line in report.rows), default=0)
    return [_row(one, links, report, largest) for one in league.standings(report)]


def only_options() -> list[tuple[str, str]]:
    """How much of the league to show."""
    words = {"top": _("前 %(n)s 名"), "bottom": _("后 %(n)s 名")}
    found = [(ALL, _("全部"))]
    for one in ENDS[1:]:
        end = "top" if one.startswith("top") else "bottom"
        found.append((one, words[end] % {"n": one.removeprefix(end)}))
    return found


def _row(one: Standing, links: Links, report: Report, largest: int) -> Row:
    line, by = one.line, report.ask.by
    keys: Sequence[str] = (line.key, line.key2) if len(by) == 2 else (line.key,)
    on = report.ask.compared.period.last
    return Row(
        standing=one,
        bar=max(0.0, line.gross / largest) if largest > 0 else 0.0,
        href=links.down(by[0], line.key),
        behind=links.behind(*keys),
        before=links.behind(*keys, before=True) if line.gross_before else "",
        home=branches.home(links.tree, line.key, report.ask.within, on) if by[0] == OUTLET else "",
    )
