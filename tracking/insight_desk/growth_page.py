"""The page of growth: who made it, who moved most."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from core.http import page_number, reading, render, service
from core.i18n import gettext as _
from institution import access
from tracking import annotations, growth, insight, insight_charts
from tracking.chosen import href
from tracking.groupings import BRANCH, BRANCHES, BY_NAMES, CAMPAIGN, CHANNEL, OUTLET, PIECE
from tracking.growth import Group, Growth, Movers, Part, Step
from tracking.insight import GROWTH_BY, Grown
from tracking.insight_charts import NARROW, WIDE
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import PER_PAGE, Foot, Frame
from tracking.insight_desk.routes import blueprint
from tracking.insight_sheets import facts, growth_notes, growth_sheet
from tracking.question import Key
from tracking.reports import Ask
from tracking.store import ReachStore

_IN_GROUP = 6


@dataclass(frozen=True, slots=True)
class GrowthPage:
    """Everything on the page; rows of two groupings come as groups."""

    frame: Frame
    foot: Foot
    by: Key
    growth: Growth
    movers: Movers
    asked: Mapping[str, str]
    page: int

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s增长贡献 · %(when)s", where=self.frame.where, when=self.frame.when)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to take apart."""
        return not self.growth.parts

    @property
    def first_column(self) -> str:
        """What the rows are."""
        return " · ".join(_(BY_NAMES[one]) for one in self.by)

    @property
    def pages(self) -> int:
        """How many pages of rows."""
        number = len(self.growth.groups) if len(self.by) == 2 else len(self.growth.parts)
        return max(1, -(-number // PER_PAGE))

    @property
    def rows(self) -> tuple[Part, ...]:
        """One page of rows."""
        return self.growth.parts[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    @property
    def groups(self) -> tuple[Group, ...]:
        """One page of groups."""
        return self.growth.groups[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    @property
    def largest(self) -> int:
        """The largest change, for bars."""
        return max((abs(one.change) for one in self.growth.parts), default=0)

    @property
    def charts(self) -> tuple[str, str]:
        """The waterfall for a wide and for a narrow column."""
        wide, narrow = growth.waterfall(self.growth), growth.waterfall(self.growth, 6)
        return insight_charts.waterfall(tuple(wide), *WIDE), insight_charts.waterfall(tuple(narrow), *NARROW)

    @property
    def steps(self) -> list[Step]:
        """The numbers of the waterfall."""
        return growth.waterfall(self.growth)

    def shown(self, group: Group) -> tuple[Part, ...]:
        """The parts of a group that moved it most."""
        ranked = sorted(group.parts, key=lambda one: -abs(one.change))[:_IN_GROUP]
        return tuple(sorted(ranked, key=lambda one: -one.change))

    def rest(self, group: Group) -> tuple[int, int]:
        """How many parts of a group are not shown, and their change together."""
        seen = self.shown(group)
        return len(group.parts) - len(seen), group.whole.change - sum(one.change for one in seen)

    def leads(self, part: Part) -> str:
        """Where a row leads: into the branch, or into the channel, campaign or piece."""
        first = self.by[0]
        if not part.key:
            return ""
        if first in BRANCHES and part.key != self.frame.chosen.within:
            return href(self.asked, within=part.key, by="")
        if first in (CHANNEL, CAMPAIGN, PIECE):
            return href(self.asked, **{first: part.key, "by": BRANCH if first != CAMPAIGN else CHANNEL})
        return ""


def grouped(text: str) -> Key:
    """The groupings that an address names; branches where it names none that growth knows."""
    by = tuple(one.strip() for one in text.split(","))
    return by if by in GROWTH_BY else (BRANCH,)


def least_base(text: str) -> int:
    """The smallest base of a relative change, from text."""
    return int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 10 else growth.LEAST_BASE


@blueprint.get("/growth")
@access.requires("reach.view")
def show_growth() -> ResponseReturnValue:
    """Contributions to growth and the largest movers; `?export=` gives the same as a file."""
    store = service(ReachStore)
    by = grouped(request.args.get("by", ""))
    with reading() as session:
        asked = frames.given(session)
        frame = frames.frame(session, asked, "growth", GROWTH_BY, by)
        choice = frame.chosen
        ask = Ask(choice.compared, insight.nested_by(by), choice.within, choice.where, people=False)
        grown: Grown = insight.grown(store, session, ask, nested=len(by) == 2 and OUTLET in by)
        notes = annotations.over(session, store, choice.compared.period, choice.within)
    if file := frames.as_file(growth_sheet(grown, by, notes)):
        return file
    page = GrowthPage(
        frame=frame,
        foot=Foot(tuple(facts(grown.report, by=by, explained=growth_notes())), notes),
        by=by,
        growth=grown.growth,
        movers=growth.movers(grown.growth.parts, least=least_base(request.args.get("least", ""))),
        asked=asked,
        page=page_number(),
    )
    return render("tracking/growth.html", page)
