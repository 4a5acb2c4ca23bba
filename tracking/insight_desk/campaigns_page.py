"""The page of two campaigns side by side, whatever their lengths."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core.http import reading, render, service
from core.i18n import gettext as _
from institution import access
from tracking import annotations, chosen, dimensions, insight, insight_charts, periods
from tracking.annotations import Note
from tracking.dimensions import Tree
from tracking.insight import Campaigns
from tracking.insight_charts import NARROW, WIDE
from tracking.insight_desk import frame as frames
from tracking.insight_desk.frame import Foot
from tracking.insight_desk.routes import blueprint
from tracking.insight_sheets import campaigns_sheet
from tracking.periods import Period
from tracking.sheets import Sheet
from tracking.spans import Run
from tracking.store import ReachStore


@dataclass(frozen=True, slots=True)
class CampaignsPage:
    """Everything on the page; `found` None while there are no two campaigns."""

    frame: frames.Frame
    options: Sequence[tuple[str, str]]
    picked: tuple[str, str]
    windows: tuple[Period, Period] | None
    names: tuple[str, str]
    found: Campaigns | None
    foot: Foot

    @property
    def title(self) -> str:
        """What the page is about."""
        return _("%(where)s活动期对比", where=self.frame.where)

    @property
    def charts(self) -> tuple[str, str]:
        """The cumulative curves for a wide and for a narrow column."""
        days = self.found.aligned.days if self.found else ()
        wide, narrow = (insight_charts.together(days, *self.names, *size) for size in (WIDE, NARROW))
        return wide, narrow

    def notes_on(self, day: object) -> list[Note]:
        """The notes of a day."""
        return [
            one for one in self.foot.notes if day is not None and str(one.first) <= str(day) <= str(one.last)
        ]


def picked(found: Sequence[Run], given: Mapping[str, str]) -> tuple[Run, Run] | None:
    """The two campaigns that an address names; left open: the newest, and the same a year before."""
    by_value = {run.value: run for run in found}
    first = (
        by_value.get(given.get("now", ""))
        or next((run for run in found if run.base), None)
        or next(iter(found), None)
    )
    if first is None:
        return None
    usual = by_value.get(f"{first.key}@{first.year - 1}")
    others = [run for run in found if run != first]
    second = by_value.get(given.get("before", "")) or usual or next(iter(others), None)
    return (first, second) if second else None


def window(run: Run, given: Mapping[str, str], first: str, last: str) -> Period:
    """The days of a campaign: those with reach, or those that the address gives instead."""
    return Period(
        periods.day(given.get(first) or str(run.period.first), first),
        periods.day(given.get(last) or str(run.period.last), last),
    )


def pair_names(session: Session, pair: tuple[Run, Run]) -> tuple[str, str]:
    """What two campaigns are called, each with its year."""
    first, second = (
        f"{dimensions.names(session, 'campaign', run.period.last).get(run.key, run.key)} {run.year}"
        for run in pair
    )
    return first, second if second != first else f"{second} ②"


@blueprint.get("/campaigns")
@access.requires("reach.view")
def show_campaigns() -> ResponseReturnValue:
    """Two campaigns, day 1 on day 1, with averages per day; `?export=` gives a file."""
    store, day, scope = service(ReachStore), frames.today(), frames.scope()
    with reading() as session:
        asked = frames.given(session)
        frame = frames.frame(session, {key: asked[key] for key in ("within",)}, "campaigns")
        within = frame.chosen.within
        runs = chosen.runs(store, Tree.read(session), within, day, whole=scope.whole)
        options, pair = chosen.run_options(session, runs, day), picked(runs, asked)
        if pair is None:
            page = CampaignsPage(frame, options, ("", ""), None, ("", ""), None, Foot((), ()))
            return render("tracking/campaigns.html", page)
        windows = window(pair[0], asked, "from", "to"), window(pair[1], asked, "base_from", "base_to")
        names = pair_names(session, pair)
        found = insight.campaigns(
            store, session, (pair[0].key, windows[0]), (pair[1].key, windows[1]), within
        )
        notes = annotations.over(session, store, windows[0], within)
    sheet: Sheet = campaigns_sheet(found, names, notes)
    if file := frames.as_file(sheet):
        return file
    facts = [one for one in sheet.facts if one[0] != _("批注")]
    picks = (pair[0].value, pair[1].value)
    page = CampaignsPage(frame, options, picks, windows, names, found, Foot(facts, notes))
    return render("tracking/campaigns.html", page, given=request.args)
