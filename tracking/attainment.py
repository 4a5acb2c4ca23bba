"""How far targets are: reach so far, what of the target that is, and what last year's curve had by now."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from sqlmodel import Session, col, select

from core.errors import Invalid
from core.i18n import mark
from institution.models import Outlet
from tracking import periods, reports, spans, targets
from tracking.dimensions import Tree
from tracking.groupings import BRANCH, CAMPAIGN, OUTLET
from tracking.insight_models import ReachTarget
from tracking.periods import Compared, Period
from tracking.reports import Ask, Line
from tracking.store import ReachStore
from tracking.targets import PEOPLE, Part


@dataclass(frozen=True, slots=True)
class Progress:
    """A node of the tree and its target; fractions are None where there is no target, or no curve to go by.

    `expected` is the share of last year's reach that had come by now; 0 before the period begins.
    """

    code: str
    name: str
    target: ReachTarget | None
    actual: int
    expected: float | None
    last_year: int

    @property
    def value(self) -> int | None:
        """The target."""
        return self.target.value if self.target else None

    @property
    def attained(self) -> float | None:
        """Reach so far as a fraction of the target."""
        return round(self.actual / self.target.value, 6) if self.target else None

    @property
    def due(self) -> int | None:
        """What should have come by now."""
        if self.target is None or self.expected is None:
            return None
        return round(self.target.value * self.expected)

    @property
    def ahead(self) -> float | None:
        """Reach over what was due, as a fraction of that: 0.1 is a tenth ahead."""
        return periods.growth(self.actual, self.due)

    @property
    def over_last_year(self) -> float | None:
        """The target against all of last year's reach."""
        return periods.growth(self.target.value, self.last_year) if self.target else None


@dataclass(frozen=True, slots=True)
class Standing:
    """A node and its children, as of the last whole day; `base` is what the pace goes by."""

    row: ReachTarget
    period: Period
    base: Period
    until: date | None
    own: Progress
    children: tuple[Progress, ...]

    @property
    def all(self) -> tuple[Progress, ...]:
        """The node and its children."""
        return (self.own, *self.children)

    @property
    def set_below(self) -> int:
        """What the targets of the children come to."""
        return sum(one.value or 0 for one in self.children)


def base_of(store: ReachStore, row: ReachTarget) -> Period:
    """Last year's dates; for a campaign the days on which it ran last year, if it did."""
    if row.campaign:
        for run in spans.runs(store):
            if (run.key, run.year) == (row.campaign, row.first.year - 1):
                return run.period
    base = periods.compare(Period(row.first, row.last), periods.YEAR).base
    assert base is not None  # noqa: S101  (a year before always has days)
    return base


def so_far(period: Period, base: Period, until: date) -> Period:
    """The days of the base that match those of the period up to `until`: the same share of each, rounded up.

    The same dates where both are as long but for a leap day.
    """
    done = Period(period.first, min(until, period.last))
    same = periods.compare(done, periods.YEAR).base
    if same and periods.compare(period, periods.YEAR).base == base:
        return same
    days = -(-done.days * base.days // period.days)
    return Period(base.first, base.first + timedelta(days=days - 1))


def standing(store: ReachStore, session: Session, row: ReachTarget, code: str, today: date) -> Standing:
    """The node `code` and its children under the aim of `row`, up to yesterday or the end of the period."""
    period, base = Period(row.first, row.last), base_of(store, row)
    until = min(period.last, today - timedelta(days=1))
    begun = until >= period.first
    where = ((CAMPAIGN, (row.campaign,)),) if row.campaign else ()
    ask = Ask(Compared(base), (BRANCH,), code, where, people=row.measure == PEOPLE)
    asks = [ask]
    if begun:
        done = Period(period.first, until)
        asks = [replace(ask, compared=Compared(one)) for one in (done, so_far(period, base, until))] + asks
    answers = reports.several(store, session, asks)
    whole, found = answers[-1], [{line.key: line for line in one.rows} for one in answers]
    nodes = [code, *children(session, code, row.first)]
    aims = targets.same_aim(session, row, nodes)
    tree = Tree.read(session)
    progress = []
    for node in nodes:
        lines = [
            one.total if node == code else lines.get(node) for one, lines in zip(answers, found, strict=True)
        ]
        now, then = (_figure(lines[0], row), _figure(lines[1], row)) if begun else (0, 0)
        before = _figure(whole.total if node == code else lines[-1], row)
        expected = round(then / before, 6) if before > 0 else None
        progress.append(Progress(node, tree.name(node, row.last), aims.get(node), now, expected, before))
    return Standing(row, period, base, until if begun else None, progress[0], tuple(progress[1:]))


def _figure(line: Line | None, row: ReachTarget) -> int:
    return int(getattr(line, row.measure) or 0) if line else 0


def children(session: Session, code: str, day: date) -> list[str]:
    """The nodes right under one that serve on a day or open later, by code."""
    going = col(Outlet.closed_on).is_(None) | (col(Outlet.closed_on) > day)
    query = select(Outlet.code).where(Outlet.parent_code == code, going).order_by(Outlet.code)
    return list(session.exec(query))


def parts(store: ReachStore, session: Session, row: ReachTarget, *, deep: bool) -> list[Part]:
    """How the target would be cut: to the children, or (`deep`) to every node below; nothing is written.

    Invalid for people, who do not add up, and for a node with nothing below it.
    """
    if row.measure == PEOPLE:
        raise Invalid(mark("触达人数不能相加，不能分解；请分别设定。"), field="measure")
    below = _below(session, row.first)
    if not below.get(row.outlet_code):
        raise Invalid(mark("这个机构下面没有可以分解的机构。"), field="outlet_code")
    where = ((CAMPAIGN, (row.campaign,)),) if row.campaign else ()
    ask = Ask(Compared(base_of(store, row)), (OUTLET,), row.outlet_code, where, people=False)
    report = reports.several(store, session, (ask,))[0]
    weights = {line.key: _figure(line, row) for line in report.rows}
    cut = targets.divided(row.value, row.outlet_code, below, weights, deep=deep)
    old = targets.same_aim(session, row, [code for code, *_rest in cut])
    tree = Tree.read(session)
    return [
        Part(code, tree.name(code, row.last), weight, value, old[code].value if code in old else None, depth)
        for code, weight, value, depth in cut
    ]


def _below(session: Session, day: date) -> dict[str, Sequence[str]]:
    going = col(Outlet.closed_on).is_(None) | (col(Outlet.closed_on) > day)
    found: dict[str, list[str]] = {}
    for code, parent in session.exec(
        select(Outlet.code, Outlet.parent_code).where(going).order_by(Outlet.code)
    ):
        if parent:
            found.setdefault(parent, []).append(code)
    return {code: tuple(codes) for code, codes in found.items()}
