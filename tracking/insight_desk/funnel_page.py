"""The page of the funnel: six steps per channel, campaign, piece or branch."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from core.http import page_number, reading, render, service
from core.i18n import gettext as _
from institution import access
from tracking import annotations, insight, insight_charts
from tracking.chosen import href
from tracking.definition import KIND_NAMES
from tracking.funnel import STEPS, Row
from tracking.groupings import BRANCH, BY_NAMES, CAMPAIGN, CHANNEL
from tracking.insight import FUNNEL_BY
from tracking.insight_charts import NARROW, WIDE
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import PER_PAGE, Foot, Frame
from tracking.insight_desk.routes import blueprint
from tracking.insight_sheets import facts, funnel_notes, funnel_sheet
from tracking.reports import Ask
from tracking.store import ReachStore


@dataclass(frozen=True, slots=True)
class FunnelPage:
    """Everything on the page."""

    frame: Frame
    foot: Foot
    by: str
    total: Row
    all_rows: tuple[Row, ...]
    asked: Mapping[str, str]
    page: int

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s触达漏斗 · %(when)s", where=self.frame.where, when=self.frame.when)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not self.all_rows

    @property
    def first_column(self) -> str:
        """What the rows are."""
        return _(BY_NAMES[self.by])

    @property
    def steps(self) -> list[str]:
        """The names of the steps."""
        return [_(KIND_NAMES[kind]) for kind in STEPS]

    @property
    def pages(self) -> int:
        """How many pages of rows."""
        return max(1, -(-len(self.all_rows) // PER_PAGE))

    @property
    def rows(self) -> tuple[Row, ...]:
        """One page of rows."""
        return self.all_rows[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    @property
    def charts(self) -> tuple[str, str]:
        """The steps of the total for a wide and for a narrow column."""
        shown = tuple(
            (name, one.now or 0, one.before) for name, one in zip(self.steps, self.total.steps, strict=True)
        )
        wide, narrow = (
            insight_charts.funnel(shown, self.frame.when, self.frame.before, *size) for size in (WIDE, NARROW)
        )
        return wide, narrow

    def leads(self, row: Row) -> str:
        """Where a row leads: into the branch, or to the channels of a campaign and the other way round."""
        if not row.key:
            return ""
        if self.by == BRANCH:
            return href(self.asked, within=row.key) if row.key != self.frame.chosen.within else ""
        return href(self.asked, **{self.by: row.key, "by": CAMPAIGN if self.by == CHANNEL else CHANNEL})


@blueprint.get("/funnel")
@access.requires("reach.view")
def show_funnel() -> ResponseReturnValue:
    """Delivered → visited → engaged → completed → registered → attended; `?export=` gives a file."""
    store = service(ReachStore)
    by = request.args.get("by", "") if request.args.get("by") in FUNNEL_BY else CHANNEL
    with reading() as session:
        asked = frames.given(session)
        frame = frames.frame(session, asked, "funnel", [(one,) for one in FUNNEL_BY], (by,))
        choice = frame.chosen
        ask = Ask(choice.compared, (by,), choice.within, choice.where, people=False)
        found = insight.funnelled(store, session, ask)
        notes = annotations.over(session, store, choice.compared.period, choice.within)
    if file := frames.as_file(funnel_sheet(found, notes)):
        return file
    foot = Foot(tuple(facts(found.report, by=(by,), explained=funnel_notes())), notes)
    page = FunnelPage(
        frame=frame, foot=foot, by=by, total=found.total, all_rows=found.rows, asked=asked, page=page_number()
    )
    return render("tracking/funnel.html", page)
