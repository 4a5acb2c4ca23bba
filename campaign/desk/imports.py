"""The desk of the audience: a file of people handed in, watched while it is read and written, and the history of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import BinaryIO, cast

from flask import flash, jsonify, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session, col, select

from campaign import audience_import, audience_rows, lists
from campaign.audience_columns import COLUMNS, REQUIRED, BadRow
from campaign.contact_imports import register
from campaign.contact_imports.carrying import KEPT, Imports
from campaign.contact_imports.models import CHECKED, DONE, ContactImport
from campaign.contact_imports.reading import look
from campaign.contacts import ContactList
from campaign.desk.routes import audience_blueprint as blueprint
from campaign.desk.routes import import_place
from core import clock
from core.errors import DomainError, Invalid, NotFound
from core.http import attachment, page_number, reading, render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from institution import desk_table, places
from institution.access import requires, signed_in
from institution.desk_table import Column, Listing, View
from institution.models import Staff
from institution.places import Choices

_SHOWN = 100
_AT_ONCE = 256 * 1024  # bytes of a file that is read while its sender waits: some two thousand people


@dataclass(frozen=True, slots=True)
class ImportPage:
    """The import form. `into` is the list to add to, if chosen."""

    name: str
    places: Choices
    into: ContactList | None = None
    chosen: str = ""
    error: str = ""
    error_field: str = ""
    columns: Sequence[str] = field(default_factory=lambda: [names[1] for names in COLUMNS.values()])
    required: Sequence[str] = field(default_factory=lambda: [COLUMNS[name][1] for name in REQUIRED])


@dataclass(frozen=True, slots=True)
class Line:
    """One import: its row, whose it is, who asked for it, and its state in a word with a tone."""

    one: ContactImport
    place: str
    by: str

    @property
    def status(self) -> tuple[str, str]:
        """The state in a word, and the tone."""
        word, tone = register.STATES[self.one.state]
        return _(word), tone


@dataclass(frozen=True, slots=True)
class Pace:
    """How quickly an import goes: rows read or written, how many a second, and the time that is left."""

    over: int
    rate: str
    left: str

    @classmethod
    def of(cls, one: ContactImport, now: datetime) -> "Pace":
        """The pace of the stage that an import is in."""
        good = one.rows - one.bad
        over = round(good * one.share) if one.applied or one.state == DONE else one.rows
        seconds = (now - one.stage_at).total_seconds() if one.stage_at and one.moving else 0.0
        if seconds < 1 or not one.share:
            return cls(over, "—", "—")
        left = seconds / one.share * (1 - one.share)
        return cls(over, f"{over / seconds:,.0f}", _left(left))


@dataclass(frozen=True, slots=True)
class OneImportPage:
    """One import on its way, or what came of it."""

    line: Line
    pace: Pace
    fault: str
    bad_shown: list[tuple[int, str, str]]
    keeps_bad: bool
    days: int

    @property
    def waits(self) -> bool:
        """Whether somebody is to confirm it."""
        return self.line.one.state == CHECKED


@dataclass(frozen=True, slots=True)
class ImportsPage:
    """The imports of one's part of the tree, the newest first."""

    listing: Listing[Line]
    view: View[Line]


_HISTORY: tuple[Column[Line], ...] = (
    Column("asked", mark("时间"), lambda line: line.one.asked_at, sort=lambda line: line.one.asked_at),
    Column("name", mark("名单"), lambda line: line.one.list_name, sort=lambda line: line.one.list_name),
    Column("state", mark("状态"), lambda line: line.status[0], sort=lambda line: line.one.state),
    Column("rows", mark("行数"), lambda line: line.one.rows, sort=lambda line: line.one.rows, numeric=True),
    Column("by", mark("谁"), lambda line: line.by, sort=lambda line: line.by),
)


@blueprint.get("/import")
@requires("audience.edit")
def import_form() -> ResponseReturnValue:
    """Choose a file."""
    return _page(request.args.get("name", ""), request.args.get("list", ""))


@blueprint.post("/import")
@requires("audience.edit")
def import_file() -> ResponseReturnValue:
    """Take a file in, to be looked at (`preview`), imported when no row is bad, or without its bad rows (`skip`)."""
    name, number = request.form.get("name", "").strip(), request.form.get("list", "")
    try:
        one = _ask(name, number, request.form.get("action", "preview"))
    except NotFound:
        raise
    except DomainError as error:
        return _page(name, number, error=error), 400
    if one.bytes <= _AT_ONCE:
        service(Imports).carry(one.id or 0)
    return _onward(one.id or 0)


@blueprint.get("/imports")
@requires("audience.edit")
def imports() -> ResponseReturnValue:
    """Who imported what, when, and what came of it."""
    with reading() as session:
        lines = _lines(session, register.listing(session, signed_in().scope("audience.edit")))
    view = desk_table.view(_HISTORY, request.args, first="-asked")
    page = ImportsPage(desk_table.cut(view.arranged(lines), page_number()), view)
    return render("campaign/audience_imports.html", page)


@blueprint.get("/imports/<int:import_id>")
@requires("audience.edit", at=import_place)
def one_import(import_id: int) -> ResponseReturnValue:
    """How far an import is, or what came of it; without a script the page loads itself anew while it goes on."""
    at_work = service(Imports)
    with reading() as session:
        one = register.get(session, import_id)
        (line,) = _lines(session, [one])
    bad = [] if one.moving else _bad(one, _SHOWN)
    error = at_work.fault(one)
    page = OneImportPage(
        line,
        Pace.of(one, clock.now()),
        str(error) if error else "",
        [(row.line, row.column, row.rule) for row in bad],
        bool(bad),
        KEPT.days,
    )
    return render("campaign/audience_one_import.html", page)


@blueprint.get("/imports/<int:import_id>/progress")
@requires("audience.edit", at=import_place)
def import_progress(import_id: int) -> ResponseReturnValue:
    """The same for the script of the page."""
    with reading() as session:
        one = register.get(session, import_id)
    pace, (word, _tone) = Pace.of(one, clock.now()), register.STATES[one.state]
    return jsonify(
        share=round(one.share, 4), over=f"{pace.over:,}", bad=f"{one.bad:,}", rate=pace.rate, left=pace.left,
        stage=_(word), moving=one.moving,
    )  # fmt: skip


@blueprint.post("/imports/<int:import_id>/confirm")
@requires("audience.edit", at=import_place)
def confirm_import(import_id: int) -> ResponseReturnValue:
    """Write what was checked."""
    with transaction() as session:
        one = register.confirm(session, import_id, by=signed_in().id, now=clock.now())
    if one.bytes <= _AT_ONCE:
        service(Imports).carry(import_id)
    return _onward(import_id)


@blueprint.post("/imports/<int:import_id>/cancel")
@requires("audience.edit", at=import_place)
def cancel_import(import_id: int) -> ResponseReturnValue:
    """Give it up; nothing was written."""
    with transaction() as session:
        register.cancel(session, import_id, now=clock.now())
        folder = register.get(session, import_id).folder
    service(Imports).discard(folder)
    flash(_("已放弃，什么都没有导入，文件已删除。"), "good")
    return redirect(url_for(".imports"), code=303)


@blueprint.get("/imports/<int:import_id>/rejected.csv")
@requires("audience.edit", at=import_place)
def rejected_rows(import_id: int) -> ResponseReturnValue:
    """The bad rows as they were written, each with its reason; that they were taken is on record."""
    with transaction() as session:
        one = register.get(session, import_id)
        bad = _bad(one, None)
        if not bad:
            raise NotFound(mark("有错的行已经不在了：只保留几天。"))
        audience_import.record_rejected(session, len(bad), one.list_name, one.outlet_code)
        header = service(Imports).staged(one).header()
    return attachment(audience_rows.rejected_csv(header, bad), "rejected.csv")


def _ask(name: str, number: str, action: str) -> ContactImport:
    upload = request.files.get("file")
    with reading() as session:
        into = _chosen(session, number)
        place = into.outlet_code if into else places.typed(session, request.form)
        signed_in().check(session, "audience.edit", place)
    if upload is None or not upload.filename:
        raise Invalid(mark("请选择一个 CSV 或 XLSX 文件。"), field="file")
    if not (into or name):
        raise Invalid(mark("请给名单起一个名字（不超过 80 个字）。"), field="name")
    look(cast(BinaryIO, upload.stream))
    at_work = service(Imports)
    folder, size = at_work.save(cast(BinaryIO, upload.stream))
    try:
        with transaction() as session:
            return register.ask(session, ContactImport(
                outlet_code=place, list_name=into.name if into else name, list_id=into.id if into else None,
                folder=folder, bytes=size, preview=action not in ("import", "skip"), skip_bad=action == "skip",
                made_by=signed_in().id, asked_at=clock.now(),
            ))  # fmt: skip
    except DomainError:
        at_work.discard(folder)
        raise


def _onward(number: int) -> ResponseReturnValue:
    with reading() as session:
        one = register.get(session, number)
    if one.state == DONE:
        counts = {name: getattr(one, name) for name in ("added", "changed", "unchanged")}
        flash(_("已导入：新增 %(added)s，更新 %(changed)s，不变 %(unchanged)s。") % counts, "good")
    return redirect(url_for(".one_import", import_id=number), code=303)


def _bad(one: ContactImport, limit: int | None) -> list[BadRow]:
    staged = service(Imports).staged(one)
    return staged.faults(limit) if one.bad and staged.folder.is_dir() else []


def _lines(session: Session, found: Sequence[ContactImport]) -> list[Line]:
    names = places.names(session, {one.outlet_code for one in found})
    by = {one.made_by for one in found if one.made_by}
    query = select(Staff.id, Staff.name).where(col(Staff.id).in_(by))
    people = dict(session.exec(query).all()) if by else {}
    return [Line(one, names[one.outlet_code], people.get(one.made_by, "") or "—") for one in found]


def _left(seconds: float) -> str:
    """The time that is left, as people say it."""
    if seconds < 90:
        return _("约 %(count)s 秒", count=max(1, round(seconds)))
    return _("约 %(count)s 分钟", count=round(seconds / 60))


def _chosen(session: Session, number: str) -> ContactList | None:
    """The list to add to, if one was chosen; outside of one's part it does not exist."""
    if not number:
        return None
    found = lists.get_list(session, int(number) if number.isdecimal() and len(number) < 10 else 0)
    if not signed_in().may_at(session, "audience.edit", found.outlet_code):
        raise NotFound(mark("没有找到这份名单。"))
    return found


def _page(name: str, number: str, *, error: DomainError | None = None) -> str:
    chosen = request.form.get("outlet_code", "")
    with reading() as session:
        page = ImportPage(
            name,
            places.choices(session, signed_in().scope("audience.edit"), chosen=chosen),
            _chosen(session, number),
            chosen,
            str(error) if error else "",
            (error.field or "file") if error else "",
        )
    return render("campaign/audience_import.html", page)
