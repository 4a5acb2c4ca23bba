"""The page of outlets beside their like."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask.typing import ResponseReturnValue

from core.http import page_number, reading, render, service
from core.i18n import gettext as _
from institution import access
from tracking import annotations, insight, likes, periods
from tracking.groupings import OUTLET
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import PER_PAGE, Foot, Frame
from tracking.insight_desk.routes import blueprint
from tracking.insight_sheets import facts, likes_sheet, quarter_name
from tracking.likes import Beside
from tracking.reports import Ask
from tracking.store import ReachStore


@dataclass(frozen=True, slots=True)
class LikesPage:
    """Everything on the page."""

    frame: Frame
    foot: Foot
    all_rows: list[Beside]
    asked: Mapping[str, str]
    page: int

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s同类网点 · %(when)s", where=self.frame.where, when=self.frame.when)

    @property
    def pages(self) -> int:
        """How many pages of rows."""
        return max(1, -(-len(self.all_rows) // PER_PAGE))

    @property
    def rows(self) -> list[Beside]:
        """One page of rows."""
        return self.all_rows[(self.page - 1) * PER_PAGE : self.page * PER_PAGE]

    @property
    def quarters(self) -> list[tuple[str, int]]:
        """How many outlets stand in which quarter of their peers."""
        return [
            (quarter_name(quarter), sum(one.quarter == quarter for one in self.all_rows))
            for quarter in (3, 2, 1, 0, None)
        ]

    @property
    def explained(self) -> str:
        """What like means."""
        return likes.explained()

    def growth(self, one: Beside) -> float | None:
        """The outlet's own growth."""
        return periods.growth(one.outlet.now, one.outlet.before)

    def quarter(self, one: Beside) -> str:
        """Where an outlet stands, in words."""
        return quarter_name(one.quarter)

    def size(self, one: Beside) -> str:
        """The size class in words."""
        return likes.size_name(one.size)


@blueprint.get("/likes")
@access.requires("reach.view")
def show_likes() -> ResponseReturnValue:
    """Outlets of a part of the tree beside the median of outlets of like size; `?export=` gives a file."""
    store = service(ReachStore)
    with reading() as session:
        asked = frames.given(session)
        frame = frames.frame(session, asked, "likes")
        choice = frame.chosen
        ask = Ask(choice.compared, (OUTLET,), choice.within, choice.where, people=False)
        found = insight.likened(store, session, ask)
        notes = annotations.over(session, store, choice.compared.period, choice.within)
    if file := frames.as_file(likes_sheet(found, notes)):
        return file
    page = LikesPage(
        frame=frame,
        foot=Foot(tuple(facts(found.report, explained=[(_("同类网点"), likes.explained())])), notes),
        all_rows=found.rows,
        asked=asked,
        page=page_number(),
    )
    return render("tracking/likes.html", page)
