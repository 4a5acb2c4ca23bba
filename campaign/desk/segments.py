"""The desk of segments: saved filters over one's own contacts, with a count before anything is saved."""

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as field_of
from datetime import date, datetime, time

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col
from werkzeug.datastructures import MultiDict

from campaign import lists, segments
from campaign.addresses import KINDS
from campaign.audience_models import Segment
from campaign.contacts import PURPOSE_NAMES, ContactList
from campaign.desk import segment_asks
from campaign.desk.routes import audience_blueprint as blueprint
from campaign.desk.routes import segment_place
from campaign.groups import GROUPS, LANGUAGES
from campaign.segments import Filters
from core import clock
from core.errors import DomainError
from core.http import asked_export, attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import desk_table, places
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.places import Choices

ROWS: tuple[Column[Segment], ...] = (
    Column("name", mark("人群"), lambda one: one.name, sort=lambda one: one.name),
    Column("place", mark("归属"), lambda one: one.outlet_code, sort=lambda one: one.outlet_code),
    Column("updated", mark("最近更新"), lambda one: one.updated_at, sort=lambda one: one.updated_at),
)
Box = tuple[str, str, bool]


@dataclass(frozen=True, slots=True)
class SegmentsPage:
    """The segments of one's part of the tree, with the name of where each belongs."""

    listing: Listing[Segment]
    view: View[Segment]
    names: dict[str, str]


@dataclass(frozen=True, slots=True)
class SegmentPage:
    """One segment as a form; `count` is how many people its filters find now, once they were asked."""

    number: int | None
    name: str
    filters: Filters
    places: Choices
    outlet_code: str
    lists: list[Box]
    may_edit: bool
    count: int | None = None
    error: str = ""
    field: str = ""
    asks: Mapping[str, Mapping[str, str]] = field_of(default_factory=dict)

    @property
    def groups(self) -> list[Box]:
        """The groups to tick."""
        return [(key, _(label), key in self.filters.groups) for key, label in GROUPS.items()]

    @property
    def languages(self) -> list[Box]:
        """The languages to tick."""
        return [(key, _(label), key in self.filters.languages) for key, label in LANGUAGES.items()]

    @property
    def channels(self) -> list[tuple[str, str]]:
        """The channels that can be asked for."""
        return [("", _("不限")), *((one.name, _(one.label)) for one in KINDS.values())]

    @property
    def day(self) -> str:
        """The day since which consent counts, as a form writes it."""
        return self.filters.since[:10]

    @property
    def purposes(self) -> list[tuple[str, str]]:
        """The purposes that can be asked for."""
        return [(key, _(name)) for key, name in PURPOSE_NAMES.items()]


@blueprint.get("/segments")
@requires("audience.view")
def segment_list() -> ResponseReturnValue:
    """The segments of one's part of the tree."""
    inside = signed_in().scope("audience.view").condition(Segment.outlet_code)
    with reading() as session:
        found = segments.segments(session, inside)
        names = places.names(session, {one.outlet_code for one in found})
    view = desk_table.view(ROWS, request.args, first="name")
    rows = view.arranged(found)
    if form := asked_export():
        return attachment(desk_table.export(view, rows, form, service(Settings).zone), f"segments.{form}")
    page = SegmentsPage(desk_table.cut(rows, page_number()), view, names)
    return render("campaign/audience_segments.html", page)


@blueprint.get("/segments/new")
@requires("audience.edit")
def segment_form() -> ResponseReturnValue:
    """A new segment."""
    with reading() as session:
        return _page(session, None, "", Filters(), "")


@blueprint.post("/segments/new")
@requires("audience.edit")
def make_segment() -> ResponseReturnValue:
    """Count what the filters find, or save them."""
    try:
        with transaction() as session:
            place, filters, name = (
                places.typed(session, request.form),
                _filters(),
                request.form.get("name", ""),
            )
            signed_in().check(session, "audience.edit", place)
            if request.form.get("action") != "save":
                segments.check(session, filters, place)
                count = segments.count(session, filters, place)
                return _page(session, None, name, filters, place, count=count)
            row = segments.make(session, name, filters, outlet_code=place, now=clock.now())
    except DomainError as error:
        return _again(None, error), 400
    flash(_("人群已保存，推送时按当时符合条件的人计算。"), "good")
    return redirect(url_for(".segment", segment_id=row.id), code=303)


@blueprint.get("/segments/count")
@requires("audience.edit")
def count_segment() -> ResponseReturnValue:
    """The count for the script of the form, as a sentence; what is wrong with a filter is said as one too."""
    asked = request.args
    try:
        with reading() as session:
            number = asked.get("segment", "")
            known = segments.get(session, int(number)) if number.isdecimal() and len(number) < 10 else None
            place = known.outlet_code if known else places.typed(session, asked)
            signed_in().check(session, "audience.edit", place)
            filters = _filters(asked)
            segments.check(session, filters, place)
            count = segments.count(session, filters, place)
    except DomainError as error:
        return jsonify(good=False, text=str(error))
    return jsonify(good=True, text=_("现在符合条件的有 %(count)s 人。", count=f"{count:,}"))


@blueprint.get("/segments/<int:segment_id>")
@requires("audience.view", at=segment_place)
def segment(segment_id: int) -> ResponseReturnValue:
    """One segment and how many people it finds now."""
    with reading() as session:
        row = segments.get(session, segment_id)
        filters = segments.read(row)
        count = segments.count(session, filters, row.outlet_code)
        return _page(session, row, row.name, filters, row.outlet_code, count=count)


@blueprint.post("/segments/<int:segment_id>")
@requires("audience.edit", at=segment_place)
def change_segment(segment_id: int) -> ResponseReturnValue:
    """Count what changed filters find, save them, or remove the segment."""
    action, name = request.form.get("action"), request.form.get("name", "")
    try:
        with transaction() as session:
            row = segments.get(session, segment_id)
            if action == "remove":
                segments.remove(session, segment_id)
            elif action == "save":
                segments.change(session, segment_id, name, _filters(), now=clock.now())
            else:
                segments.check(session, _filters(), row.outlet_code)
                count = segments.count(session, _filters(), row.outlet_code)
                return _page(session, row, name, _filters(), row.outlet_code, count=count)
    except DomainError as error:
        return _again(segment_id, error), 400
    flash(_("人群已删除，里面的人不受影响。") if action == "remove" else _("人群已保存。"), "good")
    return redirect(url_for(".segment_list"), code=303)


def _filters(given: MultiDict[str, str] | None = None) -> Filters:
    form = request.form if given is None else given
    return Filters(
        part=form.get("part", "").strip()[:32],
        province=form.get("province", "").strip()[:40],
        groups=tuple(form.getlist("groups")[:20]),
        languages=tuple(one for one in form.getlist("languages") if one in LANGUAGES),
        channel=form.get("channel", "")[:16],
        purpose=form.get("purpose", "education")[:16],
        since=_since(form.get("since", "").strip()[:10]),
        **segment_asks.posted(),
        lists=tuple(int(one) for one in form.getlist("lists")[:50] if one.isdecimal() and len(one) < 10),
    )


def _since(day: str) -> str:
    """The beginning of a day on the institution's clock; what is no day is refused when it is checked."""
    try:
        return datetime.combine(date.fromisoformat(day), time(), service(Settings).zone).isoformat()
    except ValueError:
        return day


def _own(session: Session, place: str, first: str) -> str:
    """The node whose events and pushes a new segment is offered: the one that was chosen, if it is one's own."""
    return place if signed_in().may_at(session, "audience.edit", place) else first


def _again(number: int | None, error: DomainError) -> str:
    with reading() as session:
        row = segments.get(session, number) if number else None
        place = row.outlet_code if row else request.form.get("outlet_code", "")
        return _page(session, row, request.form.get("name", ""), _filters(), place, error=error)


def _page(
    session: Session, row: Segment | None, name: str, filters: Filters, place: str,
    *, count: int | None = None, error: DomainError | None = None,
) -> str:  # fmt: skip
    me = signed_in()
    inside = me.scope("audience.view").condition(ContactList.outlet_code)
    mine = (inside, col(ContactList.outlet_code) == row.outlet_code) if row else (inside,)
    boxes = [(str(one.id), one.name, one.id in filters.lists) for one in lists.lists(session, *mine)]
    known = places.choices(session, me.scope("audience.edit"), chosen=place)
    page = SegmentPage(
        row.id if row else None,
        name,
        filters,
        known,
        place,
        boxes,
        me.may_at(session, "audience.edit", row.outlet_code) if row else True,
        count,
        str(error) if error else "",
        (error.field or "name") if error else "",
        segment_asks.choices(session, row.outlet_code if row else _own(session, place, known.first)),
    )
    return render("campaign/audience_segment.html", page)
