"""The page of the rows behind a figure: what the figure is, its groups or its rows, what the batches are."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session

from core.i18n import gettext as _
from core.i18n import mark
from tracking import behind, dimensions, periods, spans
from tracking.behind import Behind, Figure, Group, Sums
from tracking.branches import Link
from tracking.definition import KIND_NAMES
from tracking.dimensions import Tree
from tracking.groupings import BY_NAMES, KEYS, KIND, OUTLET, TREE
from tracking.origins import Origin, origins, source_name
from tracking.report_address import Address

PATH = "/desk/reach/rows"
DAY, BATCH, SOURCE, ROWS = "day", "batch", "source", "rows"
GROUP_NAMES = {
    DAY: mark("按日期"),
    KIND: mark("按类别"),
    OUTLET: mark("按网点"),
    "channel": mark("按渠道"),
    "campaign": mark("按活动期"),
    "piece": mark("按内容"),
    SOURCE: mark("按来源"),
    BATCH: mark("按批次"),
    ROWS: mark("逐行"),
}
COLUMN_NAMES = {
    "at": mark("时间"),
    "day": mark("日期"),
    "kind": mark("类别"),
    "quantity": mark("人次"),
    "outlet": mark("网点"),
    "channel": mark("渠道"),
    "campaign": mark("活动期"),
    "piece": mark("内容"),
    "audience": mark("人群"),
    "place": mark("场所"),
    "source": mark("来源"),
    "batch": mark("批次"),
    "id": mark("事件编号"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page says: the report, the keys of the figure, now or of the base, how to show it."""

    given: Address
    keys: tuple[str | None, ...] = ()
    before: bool = False
    group: str = ""
    page: int = 1

    def href(self, **more: str) -> str:
        """This page, shown otherwise."""
        named = zip(("key", "key2"), self.keys, strict=False)
        pairs = [(name, key) for name, key in named if key is not None]
        return self.given.href(PATH, *pairs, base="1" if self.before else "", **more)


@dataclass(frozen=True, slots=True)
class Shown:
    """A group with what it is called, and where it leads."""

    group: Group
    name: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class RowsPage:
    """The rows behind a figure: its sum, what the raw rows add up to (None: too many to read), groups or rows."""

    asked: Asked
    told: list[tuple[str, str]]
    rows: int
    quantity: int
    sums: Sums | None
    groups: list[Shown]
    lines: list[dict[str, Any]]
    origins: Mapping[str, Origin]
    links: list[Link]
    pages: int

    @property
    def agrees(self) -> bool:
        """Whether the raw rows add up to the figure."""
        return self.sums is not None and (self.sums.rows, self.sums.quantity) == (self.rows, self.quantity)

    @property
    def back(self) -> str:
        """The report that the figure stands in."""
        return self.asked.given.href("/desk/reach")

    @property
    def export(self) -> str:
        """What is shown as a file, "" where it has too many rows for one."""
        if self.asked.group == ROWS and self.rows > behind.MOST_EXPORTED:
            return ""
        return self.asked.href(group=self.asked.group, export="csv")

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The columns of single rows."""
        return [(name, _(label)) for name, label in COLUMN_NAMES.items()]

    @property
    def most_raw(self) -> int:
        """How many raw rows are read at once."""
        return behind.MOST_RAW


@dataclass(frozen=True, slots=True)
class Names:
    """What the keys of rows are called in the part that the reader sees."""

    session: Session
    tree: Tree
    figure: Figure

    def of(self, by: str, keys: Collection[str]) -> dict[str, str]:
        """Key → name of a column of rows; a key that has none is not in it."""
        on = self.figure.period.last
        if by in TREE:
            return {key: self.tree.name(key, on) for key in keys}
        if by == KIND:
            return {key: _(KIND_NAMES[key]) for key in keys if key in KIND_NAMES}
        if by == SOURCE:
            return {key: source_name(key) for key in keys}
        if by == BATCH:
            return {key: one.word for key, one in origins(self.session, keys).items()}
        return dimensions.names(self.session, by, on) if by in KEYS else {}


def page(session: Session, tree: Tree, asked: Asked, found: Behind) -> RowsPage:
    """The page for a figure; a group or page that cannot be shown is answered by one that can."""
    rows, quantity = found.total()
    few = rows <= behind.MOST_RAW
    group = asked.group if asked.group in GROUP_NAMES else (ROWS if rows <= behind.PER_PAGE else DAY)
    if group in behind.RAW and not few:
        group = DAY
    pages = max(1, -(-rows // behind.PER_PAGE)) if group == ROWS else 1
    asked = Asked(asked.given, asked.keys, asked.before, group, min(asked.page, pages))
    names = Names(session, tree, found.figure)
    lines = found.page(asked.page) if group == ROWS else []
    return RowsPage(
        asked=asked,
        told=told(names, found.figure),
        rows=rows,
        quantity=quantity,
        sums=found.sums() if few else None,
        groups=[] if group == ROWS else groups(session, names, asked, found.by(group)),
        lines=named(names, lines),
        origins=origins(session, {line["batch"] for line in lines}),
        links=[
            Link(_(label), asked.href(group=name), name == group)
            for name, label in GROUP_NAMES.items()
            if few or name not in behind.RAW
        ],
        pages=pages,
    )


def told(names: Names, figure: Figure) -> list[tuple[str, str]]:
    """What the figure is about, as label and value."""
    ask = figure.ask
    found = [(_("统计时间"), periods.title(figure.period))]
    if ask.within:
        found.append((_("机构范围"), names.tree.name(ask.within, figure.period.last)))
    for by, key in figure.told:
        found.append((_(BY_NAMES[by]), names.of(by, {key}).get(key) or key or "—"))
    return found


def groups(session: Session, names: Names, asked: Asked, found: Sequence[Group]) -> list[Shown]:
    """The groups with their names; one that the report can be kept to leads to its own rows."""
    by = asked.group
    called = names.of(by, {one.key for one in found})
    known = origins(session, {one.key for one in found}) if by == BATCH else {}
    return [
        Shown(
            one,
            called.get(one.key) or one.key or "—",
            known[one.key].href if one.key in known else _narrowed(asked, by, one.key),
        )
        for one in found
    ]


def _narrowed(asked: Asked, by: str, key: str) -> str:
    """The rows of one group alone, where the address can say it: a day now, a key of the events, an outlet."""
    if by in KEYS and key not in asked.given.filters.get(by, (key,)):
        return ""
    if by in KEYS:
        return Asked(asked.given.filtered(by, (key,)), asked.keys, asked.before).href(group=DAY)
    if by == OUTLET and key and asked.given.get("by", "branch") not in TREE and not asked.given.get("by2"):
        return Asked(asked.given.but(within=key), asked.keys, asked.before).href(group=DAY)
    if by == DAY and not asked.before:
        days = asked.given.but(span=spans.DATES, at="", from_=key, to=key)
        return Asked(days, asked.keys).href(group=ROWS)
    return ""


def named(names: Names, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with a name for each key that has one, under the column's name with `_name`."""
    for by in (KIND, OUTLET, "channel", "campaign", "piece", "audience", "place", SOURCE, BATCH):
        called = names.of(by, {line[by] for line in lines}) if lines else {}
        for line in lines:
            line[f"{by}_name"] = called.get(line[by]) or line[by]
    return lines


def table(names: Names, group: str, found: Behind) -> tuple[list[str], list[list[Any]]]:
    """What is shown as heads and rows of a file: all rows, or all groups."""
    if group == ROWS:
        lines = named(names, found.everything())
        cells = [[line.get(f"{name}_name", line[name]) for name in COLUMN_NAMES] for line in lines]
        return [_(label) for label in COLUMN_NAMES.values()], cells
    some = found.by(group if group in behind.GROUPS else DAY)
    called = names.of(group, {one.key for one in some})
    heads = [_("编号"), _("名称"), _("行数"), _("人次")]
    return heads, [[one.key, called.get(one.key, one.key), one.rows, one.quantity] for one in some]
