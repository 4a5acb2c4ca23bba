"""Staff pages of collecting: how it stands, and what to do with lines that could not be taken."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from core import clock
from core.errors import Invalid
from core.http import render, service, transaction
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import access
from tracking import aside, keeping, schema, tabs
from tracking.aside import Line
from tracking.keeping import Spooled
from tracking.recorder import Recorder
from tracking.reports import DROP_NAMES
from tracking.spool import Spool
from tracking.store import ReachStore
from tracking.tabs import Tab

blueprint = Blueprint("keeping_desk", __name__, url_prefix="/desk/reach/keeping", template_folder="templates")
tabs.plug(Tab("keeping", mark("收集状态"), "/desk/reach/keeping", whole=True, after=50))


@dataclass(frozen=True)
class KeepingPage:
    """How collecting stands now."""

    state: Spooled
    warnings: list[str]
    drops: list[tuple[str, int]]
    version: int
    zone: ZoneInfo

    def at(self, seconds: float) -> datetime:
        """A Unix time in the institution's zone."""
        return datetime.fromtimestamp(seconds, self.zone)


@dataclass(frozen=True)
class AsidePage:
    """A file of lines that were set aside."""

    where: str
    name: str
    lines: list[Line]
    fit: int


@blueprint.get("")
@access.requires("reach.view", at=access.SHARED)
def show() -> ResponseReturnValue:
    """收集状态: what waits, what went wrong, what was dropped today, what was set aside."""
    settings, now = service(Settings), clock.now()
    state = keeping.spooled(settings.spool_dir, now.timestamp())
    day = clock.today(settings.zone).isoformat()
    drops = keeping.dropped(service(ReachStore), day, service(Recorder).waiting_drops())
    page = KeepingPage(
        state,
        state.warnings(now.timestamp()),
        [(_(DROP_NAMES.get(reason, reason)), number) for reason, number in drops.items()],
        schema.VERSION,
        settings.zone,
    )
    return render("tracking/keeping.html", page)


@blueprint.get("/<where>/<name>")
@access.requires("reach.import", at=access.SHARED)
def look(where: str, name: str) -> ResponseReturnValue:
    """The lines of a file that was set aside, each with what is wrong."""
    lines = aside.look(service(Settings).spool_dir, where, name)
    page = AsidePage(where, name, lines, sum(not line.fault for line in lines))
    return render("tracking/aside.html", page)


@blueprint.post("/<where>/<name>/resubmit")
@access.requires("reach.import", at=access.SHARED)
def resubmit(where: str, name: str) -> ResponseReturnValue:
    """Hand in again what would be taken now."""
    with transaction() as session:
        number = aside.resubmit(session, service(Spool), where, name)
    flash(_("已重新提交 %(number)s 行，几秒后入库。") % {"number": number})
    return redirect(url_for("keeping_desk.show"))


@blueprint.post("/<where>/<name>/discard")
@access.requires("reach.import", at=access.SHARED)
def discard(where: str, name: str) -> ResponseReturnValue:
    """Throw the lines away; says why."""
    note = request.form.get("note", "").strip()
    if not note:
        raise Invalid(mark("请写明为什么丢弃。"), field="note")
    with transaction() as session:
        number = aside.discard(session, service(Settings).spool_dir, where, name, note=note)
    flash(_("已丢弃 %(number)s 行，原因记入操作记录。") % {"number": number})
    return redirect(url_for("keeping_desk.show"))
