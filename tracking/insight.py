"""Questions behind the report: asks the store, hands the figures to `growth`, `funnel`, `likes`, `alignment`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from sqlmodel import Session, col, select

from core.errors import Invalid
from core.i18n import mark
from institution.models import Outlet as Place
from tracking import alignment, funnel, growth, likes, reports
from tracking.alignment import Aligned
from tracking.dimensions import Tree
from tracking.funnel import STEPS
from tracking.groupings import BRANCH, BRANCHES, CAMPAIGN, CHANNEL, DAY, KIND, OUTLET, PIECE
from tracking.growth import Growth
from tracking.likes import Beside, Outlet
from tracking.periods import Compared, Period
from tracking.question import Key, Where
from tracking.reports import Ask, Line, Report
from tracking.store import ReachStore

# What growth can be taken apart by: one grouping, or a second within the first.
GROWTH_BY: tuple[Key, ...] = (
    (BRANCH,),
    (OUTLET,),
    (CHANNEL,),
    (PIECE,),
    (CAMPAIGN,),
    (BRANCH, OUTLET),
    (BRANCH, CHANNEL),
    (CAMPAIGN, CHANNEL),
)
FUNNEL_BY = (CHANNEL, CAMPAIGN, PIECE, BRANCH)


@dataclass(frozen=True, slots=True)
class Grown:
    """The report that growth was taken from, and its parts."""

    report: Report
    growth: Growth


@dataclass(frozen=True, slots=True)
class Funnelled:
    """The report that the steps were taken from, the total and the rows."""

    report: Report
    total: funnel.Row
    rows: tuple[funnel.Row, ...]


@dataclass(frozen=True, slots=True)
class Likened:
    """All outlets of a part of the tree beside their peers, who may be anywhere."""

    report: Report
    rows: list[Beside]


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Two campaigns side by side: keys, the reports by day, and the days laid on each other."""

    now: Report
    before: Report
    aligned: Aligned


def grown(store: ReachStore, session: Session, ask: Ask, *, nested: bool = False) -> Grown:
    """Growth by one or two groupings; `nested` puts outlets under the branch they hung under on the last day.

    Invalid when nothing is compared.
    """
    if ask.compared.base is None:
        raise Invalid(mark("要看增长，请选一个可以比较的时间。"), field="compare")
    report = reports.several(store, session, (replace(ask, people=False),))[0]
    if nested:
        report = replace(report, rows=tuple(_nested(Tree.read(session), ask, report.rows)))
    return Grown(report, growth.contributions(report))


def nested_by(by: Key) -> Key:
    """What `Ask` takes for groupings: a branch with its outlets is asked for by outlet."""
    return (OUTLET,) if len(by) == 2 and by[0] in BRANCHES and by[1] == OUTLET else by


def _nested(tree: Tree, ask: Ask, lines: Sequence[Line]) -> list[Line]:
    day = ask.compared.period.last
    below = tree.branches(ask.within or tree.root(day), day)
    found = []
    for line in lines:
        branch = below.get(line.key, line.key)
        found.append(line._replace(key=branch, name=tree.name(branch, day), key2=line.key, name2=line.name))
    return found


def funnelled(store: ReachStore, session: Session, ask: Ask) -> Funnelled:
    """Steps by one grouping; filters for kinds are left out, because every step is told."""
    if ask.by[0] not in FUNNEL_BY:
        raise Invalid(mark("漏斗可以按渠道、活动期、内容或机构来看。"), field="by")
    where: Where = (*((name, values) for name, values in ask.where if name != KIND), (KIND, STEPS))
    by_kind = replace(ask, by=(ask.by[0], KIND), where=where, people=False)
    report, whole = reports.several(store, session, (by_kind, replace(by_kind, by=(KIND,))))
    total, rows = funnel.funnel(report, whole)
    return Funnelled(report, total, rows)


def likened(store: ReachStore, session: Session, ask: Ask) -> Likened:
    """Every outlet of a part beside its peers in the whole tree. Invalid when nothing is compared."""
    if ask.compared.base is None:
        raise Invalid(mark("网点大小按去年同期来分，请选一个可以比较的时间。"), field="compare")
    everywhere = replace(ask, by=(OUTLET,), within="", people=False)
    asks = [everywhere, replace(everywhere, within=ask.within)] if ask.within else [everywhere]
    answers = reports.several(store, session, asks)
    tree, day = Tree.read(session), ask.compared.period.last
    known = {line.key: line for line in answers[0].rows}
    outlets = [
        _outlet(tree, code, day, known.get(code)) for code in sorted(_open(session, day) | known.keys())
    ]
    found = likes.beside([one for one in outlets if one is not None])
    keys = set(tree.branches(ask.within, day)) if ask.within else None
    return Likened(answers[-1], likes.within(found, keys))


def _open(session: Session, day: date) -> set[str]:
    """Outlets that served on a day: one without any reach is a peer with 0."""
    begun = col(Place.open_on).is_(None) | (col(Place.open_on) <= day)
    going = col(Place.closed_on).is_(None) | (col(Place.closed_on) > day)
    return set(session.exec(select(Place.code).where(Place.kind == OUTLET, begun, going)))


def _outlet(tree: Tree, code: str, day: date, line: Line | None) -> Outlet | None:
    """An outlet as it stood; None for branches, the head office and keys that nobody knows."""
    span = tree.on(code, day) if code in tree.spans else None
    if span is None or span.kind != OUTLET:
        return None
    above = tree.on(span.parent, day) if span.parent else None
    now, before = (line.gross, line.gross_before or 0) if line else (0, 0)
    return Outlet(code, span.name, above.kind if above else "", now, before)


def campaigns(
    store: ReachStore, session: Session, now: tuple[str, Period], before: tuple[str, Period], within: str = ""
) -> Campaigns:
    """Two campaigns, each a key and its window, day laid on day."""
    asks = [
        Ask(Compared(window), (DAY,), within, ((CAMPAIGN, (key,)),), people=False)
        for key, window in (now, before)
    ]
    found = reports.several(store, session, asks)
    counts = [{date.fromisoformat(line.key): line.gross for line in one.rows} for one in found]
    return Campaigns(found[0], found[1], alignment.align(now[1], before[1], (counts[0], counts[1])))
