"""The plan of a month at the desk: which outlets lack which days of a series, and making them at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import load, month, planning, series
from campaign.events.days import PlannedDay
from campaign.events.models import ONLINE, EventSeries
from campaign.events.planning import Gaps
from campaign.events_desk.routes import blueprint, country, node, series_place, today, trail, zone
from core import clock
from core.http import reading, render, transaction
from core.i18n import gettext as _
from institution.access import requires, signed_in


@dataclass(frozen=True, slots=True)
class Line:
    """A child node with what it lacks: for each day how many outlets of how many."""

    code: str
    name: str
    outlets: int
    missing: tuple[int, ...]
    opens: bool

    @property
    def lacking(self) -> int:
        """How many occurrences it lacks in the month."""
        return sum(self.missing)


@dataclass(frozen=True, slots=True)
class PlanPage:
    """A month of a series below a node."""

    series: EventSeries
    first: date
    before: str
    after: str
    node: str
    trail: Sequence[tuple[str, str]]
    held: Sequence[PlannedDay]
    skipped: Sequence[PlannedDay]
    lines: Sequence[Line]
    gaps: Gaps
    outlets: int

    @property
    def name(self) -> str:
        """The month as an address says it."""
        return f"{self.first:%Y-%m}"

    @property
    def online(self) -> bool:
        """Whether it is held online: then there are no outlets."""
        return self.series.form == ONLINE


@blueprint.get("/series/<code>/plan")
@requires("event.edit", at=series_place, above=True)
def plan(code: str) -> ResponseReturnValue:
    """What a month lacks."""
    first = month.first_of(request.args.get("month", "").strip()[:7], today())
    with reading() as session:
        at = node(session, "event.edit")
        page = _page(session, series.get(session, code), at, first)
    return render("campaign/event_desk_plan.html", page)


@blueprint.post("/series/<code>/plan")
@requires("event.edit", at=series_place, above=True)
def make(code: str) -> ResponseReturnValue:
    """Make what is missing, all or none; again: nothing."""
    first = month.first_of(request.form.get("month", "").strip()[:7], today())
    with transaction() as session:
        at = node(session, "event.edit")
        one = series.get(session, code)
        if one.form == ONLINE:
            signed_in().check(session, "event.edit", one.outlet_code)
        done = planning.plan(
            session, one, load.below(session, at, first, month.last_of(first)), first, month.last_of(first), zone=zone(), country=country(),
            now=clock.now(),
        )  # fmt: skip
    if done.made:
        flash(
            _("已排好：新增 %(made)s 场，原有 %(there)s 场没有动。", made=done.made, there=done.there), "good"
        )
    else:
        flash(_("没有空缺，什么都没有改。"), "good")
    return redirect(url_for(".plan", code=code, month=f"{first:%Y-%m}", node=at or None), code=303)


def _page(session: Session, one: EventSeries, at: str, first: date) -> PlanPage:
    codes = load.below(session, at, first, month.last_of(first))
    found = planning.gaps(
        session, one, codes, first, month.last_of(first), zone=zone(), country=country(), now=clock.now()
    )
    held = [each for each in found.days if not each.skipped]
    return PlanPage(
        one,
        first,
        f"{month.next_month(first, -1):%Y-%m}",
        f"{month.next_month(first):%Y-%m}",
        at,
        trail(session, at, "event.edit"),
        held,
        found.skipped,
        [] if one.form == ONLINE else _lines(session, at, codes, held, found),
        found,
        len(codes),
    )


def _lines(
    session: Session, at: str, codes: Sequence[str], held: Sequence[PlannedDay], found: Gaps
) -> list[Line]:
    top = load.tops(session, at)
    total: dict[str, int] = {}
    for code in codes:
        total[top[code]] = total.get(top[code], 0) + 1
    lacking: dict[tuple[str, date], int] = {}
    for day, missing in found.missing.items():
        for code in missing:
            key = (top[code], day)
            lacking[key] = lacking.get(key, 0) + 1
    children = load.children(session, at)
    return [
        Line(
            one.code,
            one.name,
            total[one.code],
            tuple(lacking.get((one.code, each.day), 0) for each in held),
            one.kind != "outlet",
        )
        for one in children
        if one.code in total
    ]
