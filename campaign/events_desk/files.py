"""Occurrences from a file at the desk: looked at first, every fault named, then applied whole or not at all."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from campaign.events import event_file, series
from campaign.events.event_file import FilePlan, Ground
from campaign.events.models import ONLINE
from campaign.events_desk.routes import blueprint, seen_series, zone
from core import clock
from core.cells import to_csv, to_xlsx
from core.errors import DomainError, Invalid, NotFound
from core.http import attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import uploads
from institution.access import requires, signed_in

LARGEST, _SHOWN = 16 * 1024 * 1024, 200


@dataclass(frozen=True, slots=True)
class FilePage:
    """The form, or what a file would do. `token` names the file that waits for the decision."""

    plan: FilePlan | None = None
    token: str = ""
    name: str = ""
    made: Sequence[tuple[str, int]] = ()
    fault: str = ""

    @property
    def columns(self) -> list[str]:
        """The headings."""
        return [_(label) for label, _others in event_file.COLUMNS.values()]

    @property
    def faults(self) -> Sequence[event_file.Fault]:
        """The first faults."""
        return self.plan.faults[:_SHOWN] if self.plan else []


@blueprint.get("/import")
@requires("event.edit")
def import_form() -> ResponseReturnValue:
    """Choose a file."""
    return render("campaign/event_desk_file.html", FilePage())


@blueprint.get("/import/template.<form>")
@requires("event.edit")
def import_template(form: str) -> ResponseReturnValue:
    """An empty file with the headings and one row as an example."""
    if form not in ("csv", "xlsx"):
        raise NotFound(mark("没有这种文件。"))
    heads, rows = event_file.template()
    return attachment(to_csv(heads, rows) if form == "csv" else to_xlsx(heads, rows), f"occurrences.{form}")


@blueprint.post("/import")
@requires("event.edit")
def import_file() -> ResponseReturnValue:
    """Look at a file; nothing is applied."""
    try:
        name, data = uploaded()
        if len(data) > LARGEST:
            raise Invalid(mark("文件太大，请分成几份导入。"), field="file")
        with reading() as session:
            plan = event_file.read(session, data, _ground(session))
            names = {one.id: one.name for one in series.listing(session, seen_series())}
    except DomainError as error:
        return render("campaign/event_desk_file.html", FilePage(fault=str(error))), 400
    good = bool(plan.ready) and not plan.faults
    token = uploads.keep(_folder(), signed_in().id, data, clock.now()) if good else ""
    made = [(names.get(number, ""), count) for number, count in plan.by_series.items()]
    return render("campaign/event_desk_file.html", FilePage(plan, token, name[:120], made))


@blueprint.post("/import/<token>")
@requires("event.edit")
def apply_file(token: str) -> ResponseReturnValue:
    """Apply a file that was looked at: looked at again as things stand now, whole or not at all."""
    data = uploads.content(_folder(), signed_in().id, token)
    with transaction() as session:
        plan = event_file.read(session, data, _ground(session), holding=True)
        made = event_file.apply(session, plan)
    flash(_("已导入 %(made)s 场，原有 %(there)s 场没有动。", made=made, there=plan.there), "good")
    return redirect(url_for(".occurrences"), code=303)


def _ground(session: Session) -> Ground:
    """What rows may name: series that one sees; online only those that one may plan."""
    scope = signed_in().scope("event.edit")
    found = {
        one.code: one
        for one in series.listing(session, seen_series("event.edit"))
        if one.form != ONLINE or scope.covers(session, one.outlet_code)
    }
    return Ground(found, scope, zone(), clock.now())


def _folder() -> Path:
    return service(Settings).home / "uploads"
