"""The page of the figures of reviews, and the same as CSV or XLSX."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date as Day
from datetime import datetime, time, timedelta

from flask import request
from flask.typing import ResponseReturnValue

from content.desk.checked import today
from content.desk.routes import blueprint
from content.reviewing import figures
from content.reviewing.figures import Figures, Row
from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import Invalid
from core.http import asked_export, attachment, render, service
from core.http import reading as session_for_reading
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access
from institution.approval_models import Approval

_USUAL = 90
Cells = list[str | int | float]


@dataclass(frozen=True)
class FiguresPage:
    """The figures of a period; both days included."""

    first: Day
    last: Day
    found: Figures
    error: str = ""

    @property
    def longest(self) -> float:
        """The longest 90th percentile of a row, by which the bars are drawn."""
        return max([row.ninth for row in [*self.found.kinds, *self.found.branches]], default=0.0) or 1.0

    def most(self, name: str) -> int:
        """The largest count of a table, by which its bars are drawn."""
        return max([one.count for one in getattr(self.found, name)], default=1)


def span(hours: float) -> str:
    """Hours in words: hours up to two days, then days."""
    if hours < 48:
        return _("%(hours)s 小时", hours=f"{hours:.1f}")
    return _("%(days)s 天", days=f"{hours / 24:.1f}")


@blueprint.get("/reviews/figures")
@access.requires("content.view")
def review_figures() -> ResponseReturnValue:
    """How reviews went in a period, for this person's part of the tree."""
    scope, zone = access.signed_in().scope("content.view"), service(Settings).zone
    error = ""
    try:
        first, last = _period()
    except Invalid as fault:
        first, last, error = today() - timedelta(days=_USUAL), today(), str(fault)
    begin = datetime.combine(first, time(), zone)
    end = datetime.combine(last + timedelta(days=1), time(), zone)
    with session_for_reading() as session:
        found = figures.gather(session, begin, end, clock.now(), scope.condition(Approval.outlet_code))
    if form := asked_export():
        heads = [
            _("哪一部分"), _("名称"), _("件数"), _("中位用时（小时）"), _("九成在多少小时内"), _("退回"), _("超期"),
        ]  # fmt: skip
        write = to_xlsx if form == "xlsx" else to_csv
        return attachment(write(heads, list(_cells(found))), f"reviews-{first}-{last}.{form}")
    return render("content/desk_review_figures.html", FiguresPage(first, last, found, error), span=span)


def _cells(found: Figures) -> Iterator[Cells]:
    parts = [(_("合计"), [found.total]), (_("按类型"), found.kinds), (_("按机构"), found.branches)]
    for part, rows in parts:
        yield from ([part, *_row(row)] for row in rows)
    for one in found.items:
        yield [_("清单不符合"), one.name, one.count, "", "", one.back, ""]
    for one in found.rules:
        yield [_("保留的提醒"), one.name, one.count, "", "", one.back, ""]
    for load in found.reviewers:
        yield [_("按审查人"), load.name, load.count, "", "", load.back, ""]


def _row(row: Row) -> Cells:
    return [row.name, row.count, round(row.median, 1), round(row.ninth, 1), row.back, row.late]


def _period() -> tuple[Day, Day]:
    """The days in the address, else the last 90; Invalid for what is none."""
    asked = request.args
    try:
        last = Day.fromisoformat(asked["to"]) if asked.get("to") else today()
        first = Day.fromisoformat(asked["from"]) if asked.get("from") else last - timedelta(days=_USUAL)
    except ValueError as error:
        raise Invalid(mark("日期请写成 2026-09-15 这样。")) from error
    if first > last or first.year < 2000 or last.year > 2200:
        raise Invalid(mark("开始的日子要在结束之前。"))
    return first, last
