"""The desk of series: list, form with the next dates, themes and exceptions of dates, a copy."""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import listing, series
from campaign.events.listing import Card
from campaign.events.series import Saved
from campaign.events_desk import dates, forms
from campaign.events_desk.routes import blueprint, country, seen_series, series_place, today, zone
from core import clock
from core.errors import DomainError
from core.http import asked_export, attachment, page_number, reading, render, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import access, conflict, desk_table, places
from institution.access import requires, signed_in
from institution.conflict import Overtaken
from institution.desk_table import Column, Listing, View


@dataclass(frozen=True, slots=True)
class Row:
    """A series in the list."""

    card: Card
    place: str
    may_edit: bool

    @property
    def status(self) -> tuple[str, str]:
        """Where it stands in a word, and the tone."""
        if not self.card.series.visible:
            return _("未显示"), "warn"
        return (_("有场次"), "good") if self.card.next else (_("没有场次"), "idle")


COLUMNS: tuple[Column[Row], ...] = (
    Column("name", mark("名称"), lambda one: one.card.series.name, sort=lambda one: one.card.series.name),
    Column("code", mark("代号"), lambda one: one.card.series.code, shown=False),
    Column("place", mark("归属"), lambda one: one.place, sort=lambda one: one.card.series.outlet_code),
    Column("rhythm", mark("重复"), lambda one: one.card.rhythm or _("只办一次")),
    Column(
        "next", mark("下一次"), lambda one: one.card.next and one.card.next.day,
        sort=lambda one: one.card.next.day if one.card.next else None,
    ),
    Column(
        "held", mark("网点"), lambda one: one.card.next and one.card.next.held,
        sort=lambda one: one.card.next.held if one.card.next else None, numeric=True,
    ),
    Column("status", mark("状态"), lambda one: one.status[0], sort=lambda one: one.status[1]),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ListPage:
    """The series of one's part of the tree, and those over it."""

    listing: Listing[Row]
    view: View[Row]
    words: str


@blueprint.get("")
@requires("event.view")
def index() -> ResponseReturnValue:
    """The series that concern one."""
    words = request.args.get("q", "").strip()[:80]
    with reading() as session:
        found = [row for row in _rows(session) if _fits(row, words)]
    view = desk_table.view(COLUMNS, request.args, first="next")
    rows = view.arranged(found)
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form), f"series.{form}")
    return render("campaign/event_desk_list.html", ListPage(desk_table.cut(rows, page_number()), view, words))


@blueprint.get("/new")
@requires("event.edit")
def new() -> ResponseReturnValue:
    """An empty form."""
    with reading() as session:
        return render("campaign/event_desk_form.html", forms.opened(session, None))


@blueprint.post("/new")
@requires("event.edit")
def create() -> ResponseReturnValue:
    """Save a new series and go on to planning."""
    values = forms.typed()
    try:
        with transaction() as session:
            place = places.typed(session, request.form)
            signed_in().check(session, "event.edit", place)
            made = series.create(session, values.get("code", ""), values, outlet_code=place, now=clock.now())
    except DomainError as error:
        return _again("", values, error), 400
    flash(_("已建好，接下来排场次。"), "good")
    return redirect(url_for(".plan", code=made.code), code=303)


@blueprint.get("/preview")
@requires("event.edit")
def preview() -> ResponseReturnValue:
    """The next dates that a form means, as a piece of the page: the form asks for it while one types."""
    return render("campaign/event_desk_preview.html", forms.preview(request.args, today(), country()))


@blueprint.get("/series/<code>")
@requires("event.view", at=series_place, above=True)
def edit(code: str) -> ResponseReturnValue:
    """The form of a series with its dates; what it says, for those who may not change it."""
    with reading() as session:
        found = series.get(session, code)
        page = forms.opened(session, found)
        may = signed_in().may_at(session, "event.edit", found.outlet_code)
        lines = dates.lines(session, found, today(), country())
    return render(
        "campaign/event_desk_form.html" if may else "campaign/event_desk_shown.html", page, lines=lines
    )


@blueprint.post("/series/<code>")
@requires("event.edit", at=series_place)
def save(code: str) -> ResponseReturnValue:
    """Save what the form says, unless somebody else saved meanwhile; occurrences follow if asked to."""
    values = forms.typed()
    try:
        with transaction() as session:
            conflict.check(request.form.get("base", ""), forms.version(series.hold(session, code)))
            place = places.typed(session, request.form)
            signed_in().check(session, "event.edit", place)
            saved = series.save(
                session, code, values, outlet_code=place, follow=values.get("follow") == "1", zone=zone(),
                country=country(), now=clock.now(),
            )  # fmt: skip
    except Overtaken as overtaken:
        with reading() as session:
            return forms.both(session, code, overtaken)
    except DomainError as error:
        if error.field is None:
            raise
        return _again(code, values, error), 400
    return _after(code, saved)


@blueprint.post("/series/<code>/dates")
@requires("event.edit", at=series_place)
def save_dates(code: str) -> ResponseReturnValue:
    """Save themes, hosts and exceptions of the dates that the form lists."""
    try:
        with transaction() as session:
            saved = series.set_dates(
                session, code, dates.typed(request.form), zone=zone(), country=country(), now=clock.now()
            )
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(url_for(".edit", code=code, _anchor="dates"), code=303)
    return _after(code, saved, anchor="dates")


@blueprint.post("/series/<code>/clone")
@requires("event.edit", at=series_place, above=True)
def clone(code: str) -> ResponseReturnValue:
    """A copy of one's own, hidden until somebody has looked at it."""
    form = request.form
    try:
        with transaction() as session:
            place = places.typed(session, form)
            signed_in().check(session, "event.edit", place)
            made = series.clone(
                session, code, form.get("code", ""), form.get("name", ""), outlet_code=place, now=clock.now()
            )
    except DomainError as error:
        flash(str(error), "bad")
        return redirect(url_for(".edit", code=code, _anchor="clone"), code=303)
    flash(_("已复制，请看一遍再让大家看到。"), "good")
    return redirect(url_for(".edit", code=made.code), code=303)


def _after(code: str, saved: Saved, anchor: str = "") -> ResponseReturnValue:
    done = saved.followed
    if done.changed or done.removed:
        flash(
            _(
                "已保存。跟着改了 %(changed)s 场，撤下 %(removed)s 场。",
                changed=done.changed,
                removed=done.removed,
            ),
            "good",
        )
    else:
        flash(_("已保存。"), "good")
    if done.left:
        flash(
            _("有 %(count)s 场没有跟着改：有人报名，或者单独改过。请逐场决定。", count=len(done.left)), "warn"
        )
        return redirect(url_for(".occurrences", series=code, left=_numbers(done.left)), code=303)
    return redirect(url_for(".edit", code=code, _anchor=anchor or None), code=303)


def _numbers(left: tuple[int, ...]) -> str:
    return ",".join(str(one) for one in left[:100])


def _rows(session: Session) -> list[Row]:
    found = series.listing(session, seen_series())
    names = places.names(session, {one.outlet_code for one in found})
    now = clock.now()
    scope = access.signed_in().scope("event.edit")
    return [
        Row(
            listing.card(session, one, now),
            names[one.outlet_code],
            scope.covers(session, one.outlet_code),
        )
        for one in found
    ]


def _fits(row: Row, words: str) -> bool:
    one = row.card.series
    text = f"{one.code} {one.name} {one.name_en} {one.summary}".lower()
    return all(word in text for word in words.lower().split())


def _again(code: str, values: Mapping[str, str], error: DomainError) -> str:
    with reading() as session:
        page = forms.again(session, code, values, error)
        lines = dates.lines(session, series.get(session, code), today(), country()) if code else []
    return render("campaign/event_desk_form.html", page, lines=lines)
