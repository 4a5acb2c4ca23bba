"""The page of a campaign's statistical return, and the same as XLSX or CSV."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask import request
from flask.typing import ResponseReturnValue

from campaign import programme
from campaign.returns import statistics
from campaign.returns.statistics import Asked, Statistics
from campaign.returns_desk import listing
from campaign.returns_desk.routes import blueprint, today
from core.errors import NotFound
from core.http import asked_export, attachment, reading, render, service
from core.i18n import gettext as _
from core.i18n import mark
from institution.access import requires, signed_in
from tracking import sheets
from tracking.store import ReachStore

_FIRST = ("activities", "outlets", "staff", "heads", "materials", "reach")


@dataclass(frozen=True, slots=True)
class StatisticsPage:
    """The statistical return of a campaign, and the campaigns to choose from."""

    code: str
    campaigns: Sequence[tuple[str, str]]
    found: Statistics

    @property
    def columns(self) -> Sequence[Asked]:
        """The columns that hold something, and those that everybody asks for."""
        total = self.found.total.numbers
        return [one for one in statistics.COLUMNS if one.key in _FIRST or total.get(one.key)]

    @property
    def figures(self) -> list[tuple[Asked, int]]:
        """The figures on top."""
        known = {one.key: one for one in statistics.COLUMNS}
        return [(known[key], self.found.total.numbers.get(key, 0)) for key in _FIRST]

    @property
    def all_columns(self) -> Sequence[Asked]:
        """Every column, for how it is counted."""
        return statistics.COLUMNS


@blueprint.get("/statistics")
@requires("return.view")
def statistical() -> ResponseReturnValue:
    """The columns of a campaign by province, for this person's part of the tree."""
    person = signed_in()
    with reading() as session:
        campaigns = listing.campaigns(session)
        code = request.args.get("campaign", listing.begun(session, today()))
        if code and code not in dict(campaigns):
            raise NotFound(mark("没有找到这个活动期，可能已经更名。"))
        found = statistics.gather(
            session, service(ReachStore), programme.get(session, code) if code else None,
            scope=person.scope("return.view"), reach=person.scope("reach.view"), today=today(),
        )  # fmt: skip
        form = asked_export()
        if form:
            made = statistics.sheet(found)
            write = sheets.as_xlsx if form == "xlsx" else sheets.as_csv
            return attachment(write(made), f"returns-{code or 'daily'}.{form}")
        chosen = [*campaigns, ("", _("日常活动（今年，不属于活动期）"))]
        return render("campaign/returns_statistics.html", StatisticsPage(code, chosen, found))
