"""Staff pages of alarms about visits: the list, one alarm with its days, what a day would have raised."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.errors import DomainError, Invalid
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access, desk_table, letters, people
from institution.desk_table import Column, Listing, View
from institution.powers import Scope
from tracking import annotations, charts, periods, tabs
from tracking.annotations import Note
from tracking.charts import Point
from tracking.periods import Period
from tracking.report_address import Address
from tracking.store import ReachStore
from tracking.tabs import Tab
from tracking.watching import alarms, looking, series, watch
from tracking.watching.alarms import CAUSES, Filter, Words
from tracking.watching.looking import Finding
from tracking.watching.models import ReachAlarm, ReachWatch
from tracking.watching.rules import DROP, KINDS, LOOK_BACK, SILENCE, SPIKE, WATCHED, WEEKS, Rules
from tracking.watching.series import CHANNEL, OUTLET, PAIR

EDIT = "reach.edit"
blueprint = Blueprint("alarms_desk", __name__, url_prefix="/desk/reach/alarms", template_folder="templates")
tabs.plug(Tab("alarms", mark("预警"), "/desk/reach/alarms", after=15))
TONES = {SPIKE: "info", DROP: "warn", SILENCE: "bad"}
STATES = {
    "waiting": mark("待处理"),
    "lasting": mark("仍在持续"),
    "handled": mark("已处理"),
    "all": mark("全部"),
}
_PARTS, _DAY = 100, timedelta(days=1)
COLUMNS: tuple[Column[ReachAlarm], ...] = (
    Column("kind", mark("类别"), lambda one: _(KINDS[one.kind]), sort=ReachAlarm.kind),
    Column("level", mark("层级"), lambda one: one.level, shown=False),
    Column("outlet", mark("机构编号"), lambda one: one.outlet_code, sort=ReachAlarm.outlet_code, shown=False),
    Column("channel", mark("渠道"), lambda one: one.channel, sort=ReachAlarm.channel, shown=False),
    Column("first", mark("开始"), lambda one: one.first, sort=ReachAlarm.first),
    Column("last", mark("最近"), lambda one: one.last, sort=ReachAlarm.last, shown=False),
    Column("expected", mark("平常"), lambda one: one.expected, sort=ReachAlarm.expected, numeric=True),
    Column("actual", mark("实际"), lambda one: one.actual, sort=ReachAlarm.actual, numeric=True),
    Column("over", mark("恢复"), lambda one: one.over_on, shown=False),
    Column("cause", mark("原因"), lambda one: _(CAUSES[one.cause]) if one.cause else "", shown=False),
    Column("note", mark("说明"), lambda one: one.note, shown=False),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListPage:
    """The alarms of one's part of the tree."""

    listing: Listing[ReachAlarm]
    view: View[ReachAlarm]
    given: Filter
    words: Words
    watched: ReachWatch | None
    rules: Rules
    hour: int
    mail: bool
    mailing: bool

    @property
    def states(self) -> list[tuple[str, str]]:
        """The states to choose from."""
        return [(key, _(label)) for key, label in STATES.items()]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """The kinds to choose from."""
        return [("", _("全部类别")), *((key, _(label)) for key, label in KINDS.items())]


@dataclass(frozen=True, slots=True)
class AlarmPage:
    """One alarm: the days before it, what it explains, what happened meanwhile, and what was done about it."""

    row: ReachAlarm
    words: Words
    wide: str
    narrow: str
    days: Sequence[tuple[date, int, int | None]]
    parts: Sequence[ReachAlarm]
    total: int
    over: ReachAlarm | None
    notes: Sequence[Note]
    report: str
    handler: str
    may_handle: bool
    typed: Mapping[str, str]
    fault: DomainError | None = None

    @property
    def causes(self) -> list[tuple[str, str]]:
        """The causes to choose from."""
        return [("", _("请选择")), *((key, _(label)) for key, label in CAUSES.items())]

    def error(self, field: str) -> str:
        """What is wrong with a field."""
        return str(self.fault) if self.fault and self.fault.field == field else ""


@dataclass(frozen=True, slots=True)
class TryPage:
    """What a day would have raised, without raising it."""

    day: date | None
    rows: Sequence[ReachAlarm]
    words: Words | None
    fault: str = ""


@blueprint.app_context_processor
def _shown() -> dict[str, object]:
    return {"alarm_kind": lambda row: (_(KINDS[row.kind]), TONES[row.kind])}


def _today() -> date:
    return clock.today(service(Settings).zone)


def _node(session: Session, arguments: Mapping[str, Any]) -> str:
    return alarms.place_of(alarms.get(session, int(arguments["number"])))


@blueprint.get("")
@access.requires("reach.view")
def listing() -> ResponseReturnValue:
    """The alarms of one's part of the tree: those that wait, unless something else is chosen."""
    person, settings = access.signed_in(), service(Settings)
    state = request.args.get("state", "waiting")
    kind = request.args.get("kind", "")
    given = Filter(state if state in STATES else "waiting", kind if kind in KINDS else "")
    view = desk_table.view(COLUMNS, request.args, first="-first")
    with reading() as session:
        query = alarms.query(person.scope("reach.view"), given)
        if form := asked_export():
            rows = desk_table.everything(session, query, view, ties=(ReachAlarm.id,))
            return attachment(desk_table.export(view, rows, form, settings.zone), f"alarms.{form}")
        found = desk_table.listing(session, query, view, page_number(), ties=(ReachAlarm.id,))
        page = ListPage(
            found, view, given, Words(session, found.rows), alarms.last_watched(session), looking.rules(settings),
            settings.alarm_hour, watch.is_reader(session, person.id), letters.possible(settings),
        )  # fmt: skip
    return render("tracking/alarms.html", page)


@blueprint.post("/mail")
@access.requires("reach.view")
def mail() -> ResponseReturnValue:
    """New alarms by mail to who asks, or no longer."""
    wanted = request.form.get("wanted") == "1"
    with transaction() as session:
        watch.subscribe(session, access.signed_in().id, wanted=wanted, now=clock.now())
    flash(_("有新预警的早上会寄给您。") if wanted else _("以后不再寄给您。"), "good")
    return redirect(url_for("alarms_desk.listing"))


@blueprint.get("/try")
@access.requires("reach.view")
def trial() -> ResponseReturnValue:
    """What the rules find on a day; nothing is entered."""
    settings, text = service(Settings), request.args.get("day", "").strip()
    if not text:
        return render("tracking/alarms_try.html", TryPage(None, (), None))
    try:
        day = periods.day(text, "day")
        if day >= _today():
            raise Invalid(mark("只能看已经过完的日子。"), field="day")
    except Invalid as fault:
        return render("tracking/alarms_try.html", TryPage(None, (), None, str(fault))), 400
    scope = access.signed_in().scope("reach.view")
    with reading() as session:
        found = looking.look(service(ReachStore), session, settings, day)
        rows = _as_rows(session, scope, found.findings, day)
        page = TryPage(day, rows, Words(session, rows))
    return render("tracking/alarms_try.html", page)


def _as_rows(session: Session, scope: Scope, findings: Sequence[Finding], day: date) -> list[ReachAlarm]:
    """What of the findings this reader would see in the list."""
    shown = [
        one
        for one in findings
        if scope.whole or (one.subject.level in (OUTLET, PAIR) and scope.covers(session, one.subject.outlet))
    ]
    seen = {one.subject for one in shown}
    return [alarms.row_of(one, day, clock.now()) for one in shown if one.under not in seen]


@blueprint.get("/<int:number>")
@access.requires("reach.view", at=_node)
def show(number: int) -> ResponseReturnValue:
    """One alarm."""
    with reading() as session:
        return render("tracking/alarm.html", _page(session, number, {}))


@blueprint.post("/<int:number>/handle")
@access.requires(EDIT, at=_node)
def handle(number: int) -> ResponseReturnValue:
    """Say what it was; on request also as a note on the time line."""
    form, person = request.form, access.signed_in()
    try:
        with transaction() as session:
            row = alarms.get(session, number)
            quiet = periods.day(form["quiet_until"], "quiet_until") if form.get("quiet_until") else None
            alarms.handle(
                session, row, cause=form.get("cause", ""), note=form.get("note", ""), quiet_until=quiet,
                today=_today(), by=person.id, scope=person.scope(EDIT), now=clock.now(),
            )  # fmt: skip
            if form.get("annotate"):
                kind = (
                    annotations.OUTAGE if row.cause in (alarms.OUTAGE, alarms.BROKEN) else annotations.OTHER
                )
                first = max(row.first, row.last - timedelta(days=annotations.LONGEST - 1))
                annotations.add(
                    session, outlet_code=alarms.place_of(row), kind=kind, first=first, last=row.last, text=row.note,
                    by=person.id, now=clock.now(),
                )  # fmt: skip
    except DomainError as fault:
        with reading() as session:
            return render("tracking/alarm.html", _page(session, number, form, fault)), 400
    flash(_("已记下。"), "good")
    return redirect(url_for("alarms_desk.listing"))


def _page(
    session: Session, number: int, typed: Mapping[str, str], fault: DomainError | None = None
) -> AlarmPage:
    person, settings, store = access.signed_in(), service(Settings), service(ReachStore)
    row = alarms.get(session, number)
    scope = person.scope("reach.view")
    parts, total = alarms.parts(session, row, scope, _PARTS)
    over = session.get(ReachAlarm, row.under_id) if row.under_id and scope.whole else None
    period = Period(row.last - LOOK_BACK - timedelta(weeks=WEEKS), row.last)
    subject = alarms.subject_of(row)
    counts = series.read(store, session, period, subject).get(subject, {})
    shown = Period(row.last - LOOK_BACK + _DAY, row.last)
    expected = looking.usual(counts, shown, settings)
    days = [
        (day, counts.get(day, 0), expected.get(day))
        for day in (shown.first + timedelta(days=number) for number in range(shown.days))
    ]
    points = tuple(Point(f"{day.month}-{day.day}", now, usual) for day, now, usual in days)
    wide, narrow = (
        charts.over_time(shown_points, _("访问"), _("平常"), size) if counts else ""
        for shown_points, size in ((points, charts.WIDE), (points[-28:], charts.NARROW))
    )
    handler = people.get(session, row.handled_by).name if row.handled_by else ""
    values = typed or {"cause": row.cause, "note": row.note, "quiet_until": str(row.quiet_until or "")}
    node = alarms.place_of(row)
    return AlarmPage(
        row, Words(session, [row, *parts, *([over] if over else [])]), wide, narrow, days, parts, total, over,
        annotations.over(session, store, Period(row.first - 7 * _DAY, row.last), node), _report(row), handler,
        person.may_at(session, EDIT, node), values, fault,
    )  # fmt: skip


def _report(row: ReachAlarm) -> str:
    """The report page about the same visits, by day."""
    filters = {"kind": (WATCHED,)} | ({"channel": (row.channel,)} if row.level in (CHANNEL, PAIR) else {})
    first = row.last - timedelta(days=27)
    chosen = {
        "span": "dates",
        "from": str(min(first, row.first)),
        "to": str(row.last),
        "by": "day",
        "compare": periods.PREVIOUS,
    }
    if row.level in (OUTLET, PAIR) and row.outlet_code:
        chosen["within"] = row.outlet_code
    return Address(chosen, filters).href("/desk/reach")
