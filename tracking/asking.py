"""The questions of a report page: which can be answered at once, which take long, and what came of them in time."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlmodel import Session

from core.errors import Invalid
from core.i18n import gettext as _
from tracking import groupings, heat, spans
from tracking.dimensions import Tree
from tracking.groupings import BRANCH, CHANNEL, DAY, HOUR, LONGEST_BY_HOUR, MONTH, OUTLET, TIMES
from tracking.later import Later, answers
from tracking.placement import place
from tracking.question import Key
from tracking.reports import Ask, Report
from tracking.store import ReachStore

# Rows of a table by two groupings; more are for a file.
MOST_ON_PAGE = 30_000


@dataclass(frozen=True, slots=True)
class Asking:
    """What the table, the chart and the box beside it are grouped by; `trouble` says why the table shows less."""

    ask: Ask
    main: Key
    timed: Key
    beside: Key
    trouble: str = ""

    @classmethod
    def of(cls, tree: Tree, ask: Ask, *, at_top: bool) -> "Asking":
        """The questions of a page; where the table would be too large, that of the chart stands in for it."""
        period = ask.compared.period
        by_time: Key = (MONTH,) if spans.longer(period) else (DAY,)
        drawn = len(ask.by) == 1 and ask.by[0] in TIMES and (ask.by[0] != DAY or period.days < 400)
        beside: Key = (BRANCH,) if at_top else (CHANNEL,)
        if trouble := too_much(tree, ask):
            return cls(ask, by_time, by_time, beside, trouble)
        return cls(ask, ask.by, ask.by if drawn else by_time, beside)

    def without(self, trouble: str) -> "Asking":
        """The same without its table."""
        return replace(self, main=self.timed, trouble=trouble)

    def by(self, by: Key) -> Ask:
        """The question by other groupings, without people."""
        return replace(self.ask, by=by, people=False)

    @property
    def quick(self) -> list[Ask]:
        """What the roll-ups answer."""
        return list(dict.fromkeys(self.by(one) for one in (self.main, self.timed, self.beside)))

    @property
    def people(self) -> Ask:
        """The question that people are told by: of two groupings only the first, the table is without them."""
        return replace(self.ask, by=self.main[:1], people=True)

    @property
    def days(self) -> tuple[Ask, ...]:
        """The questions of the calendar."""
        return heat.asks(self.ask)

    @property
    def all(self) -> list[Ask]:
        """Everything, each only once: who is told the people needs not be told the same without them."""
        told = self.by(self.main) if len(self.main) == 1 else None
        return [*(one for one in self.quick if one != told), self.people, *self.days]


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of the questions in time; `late` says that people or the calendar did not."""

    asking: Asking
    found: Mapping[Ask, Report]

    @property
    def trouble(self) -> str:
        """Why the table shows less than was asked for."""
        return self.asking.trouble

    @property
    def late(self) -> bool:
        """Whether something is still being counted."""
        return any(one not in self.found for one in (self.asking.people, *self.asking.days))

    @property
    def days(self) -> list[Report]:
        """The reports of the calendar; none before all are there."""
        return [self.found[one] for one in self.asking.days if one in self.found]

    @property
    def report(self) -> Report:
        """What the table shows, with people where they are known; by two groupings only those of the total."""
        full = self.found.get(self.asking.people)
        if full and len(self.asking.main) == 1:
            return full
        quick = self.found[self.asking.by(self.asking.main)]
        if full is None:
            return quick
        total = quick.total._replace(people=full.total.people, people_before=full.total.people_before)
        return replace(quick, total=total)

    @property
    def over_time(self) -> Report:
        """What the chart shows."""
        return self._by(self.asking.timed)

    @property
    def beside(self) -> Report:
        """What stands beside the chart: the branches of the top, else the channels."""
        return self._by(self.asking.beside)

    def _by(self, by: Key) -> Report:
        full = self.asking.people if by == self.asking.main else None
        return self.found.get(self.asking.by(by)) or self.found[full or self.asking.people]


def seen_of(later: Later, store: ReachStore, session: Session, ask: Ask, *, at_top: bool) -> Seen:
    """Ask at once what was known the last time; else first what is quick, and what takes long until time is up."""
    asking = Asking.of(Tree.read(session), ask, at_top=at_top)
    if later.known(asking.all) and (found := later.get(asking.all)):
        return Seen(asking, found)
    try:
        quick = answers(store, session, asking.quick)
    except Invalid as error:
        if len(asking.main) == 1:
            raise
        asking = asking.without(str(error))
        quick = answers(store, session, asking.quick)
    seen = Seen(asking, quick | later.get([asking.people]) | later.get(asking.days))
    if not seen.late:
        later.learn(asking.all)
    return seen


def too_much(tree: Tree, ask: Ask) -> str:
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
