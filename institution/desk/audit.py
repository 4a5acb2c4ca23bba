"""The audit log on the desk: searched, filtered, read one by one, written out. Nobody changes anything here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core.database import Database
from core.errors import Invalid
from core.http import attachment, reading, render, service, transaction
from core.i18n import current_locale, mark
from core.i18n import gettext as _
from core.settings import Settings
from institution import access, audit, audit_chain, audit_log, audit_output, audit_words, places
from institution.audit_log import Filter, Found
from institution.audit_models import AuditRecord
from institution.audit_words import Difference
from institution.desk.routes import audit_blueprint as blueprint
from institution.powers import WHOLE, Scope

_TEXTS = {"text": "q", "person": "person", "action": "action", "kind": "kind", "subject": "subject"}


@dataclass(frozen=True, slots=True)
class LogPage:
    """One page of the log and the filter that it stands under."""

    found: Found
    wanted: Filter
    typed: Mapping[str, str]
    fault: str
    nodes: places.Choices
    names: Mapping[str, str]
    newest: tuple[int, str] | None
    first: bool

    @property
    def actions(self) -> list[tuple[str, str]]:
        """What can have been done."""
        return [("", _("全部")), *audit_words.actions()]

    @property
    def kinds(self) -> list[tuple[str, str]]:
        """What it can have been done to."""
        return [("", _("全部")), *audit_words.kinds()]

    @property
    def words(self) -> Any:
        """How a record reads."""
        return audit_words

    def at(self, one: AuditRecord) -> str:
        """When, to the second, in the institution's time zone."""
        return _at(one)

    @property
    def counted(self) -> int:
        """Beyond this nobody counts."""
        return audit_log.COUNTED


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One record: who, what, to which thing, from where, before and after, and its place in the chain."""

    record: AuditRecord
    at: str
    node: str
    differences: Sequence[Difference]
    whole: bool
    previous: int | None
    next: int | None

    @property
    def words(self) -> Any:
        """How a record reads."""
        return audit_words


def of_record(session: Session, arguments: Mapping[str, Any]) -> str:
    """Locator: the node that the thing of a record belongs to."""
    return audit_log.get(session, int(arguments["number"])).outlet_code


@blueprint.get("")
@access.requires("audit.view")
def index() -> ResponseReturnValue:
    """The log, newest first, as its address filters it."""
    scope, fault = access.signed_in().scope("audit.view"), ""
    with reading() as session:
        try:
            wanted = _filter(session, scope)
        except Invalid as error:
            wanted, fault = Filter(), str(error)
        before = _number("before")
        found = audit_log.listing(session, scope, wanted, before=before)
        head = audit_log.head(session)
        page = LogPage(
            found=found,
            wanted=wanted,
            typed=request.args,
            fault=fault,
            nodes=places.choices(session, scope, chosen=wanted.node),
            names=places.names(session, {one.outlet_code for one in found.records}),
            newest=(head.last, head.hash) if scope.whole else None,
            first=before is None,
        )
    return render("institution/audit.html", page), 400 if fault else 200


def _filter(session: Session, scope: Scope) -> Filter:
    """What the address asks for; Invalid names what it cannot be."""
    asked = {name: request.args.get(key, "").strip()[:100] for name, key in _TEXTS.items()}
    node = places.typed(session, request.args, "node")
    if node != WHOLE and not scope.covers(session, node):
        raise Invalid(mark("没有这个机构，或者它不在您负责的范围内。"), field="node")
    zone = service(Settings).zone
    return Filter(
        **asked, staff=_number("staff"), node=node, since=_day("since"), until=_day("until"), zone=zone
    )


def _number(name: str) -> int | None:
    text = request.args.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _day(name: str) -> date | None:
    text = request.args.get(name, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise Invalid(mark("日期请写成 2026-03-15。"), field=name) from error


@blueprint.get("/export")
@access.requires("audit.view")
def export() -> ResponseReturnValue:
    """What the filter holds as a file (`?form=csv`, `xlsx`, `jsonl`); that it was taken out is recorded."""
    form = request.args.get("form", "csv")
    if form not in audit_output.FORMS:
        raise Invalid(mark("可以导出为 CSV、XLSX 或 JSON 行。"))
    settings, scope = service(Settings), access.signed_in().scope("audit.view")
    database, locale = service(Database), current_locale()
    with reading() as session:
        wanted = _filter(session, scope)
    batches = audit_log.stream(database, scope, wanted)
    pieces = audit_output.chunks(batches, form, settings.zone, locale)
    # A sheet is made as a whole, so that one that is too long is refused in a sentence, not half way.
    whole = b"".join(pieces) if form == "xlsx" else None
    with transaction() as session:
        after = {"form": form, "filter": wanted.named()}
        audit.record(session, "audit.export", "audit", "", after=after, outlet_code=_top(scope))
    if whole is not None:
        return attachment(whole, "audit.xlsx")
    answer = Response(pieces, mimetype=audit_output.MIME[form])
    answer.headers["Content-Disposition"] = f'attachment; filename="audit.{form}"'
    return answer


def _at(one: AuditRecord) -> str:
    return one.at.astimezone(service(Settings).zone).strftime("%Y-%m-%d %H:%M:%S")


def _top(scope: Scope) -> str:
    """The node of an act over a whole scope: its one top, or the institution."""
    return next(iter(scope.tops)) if len(scope.tops) == 1 else WHOLE


@blueprint.get("/<int:number>")
@access.requires("audit.view", at=of_record)
def show(number: int) -> ResponseReturnValue:
    """One record."""
    scope = access.signed_in().scope("audit.view")
    with reading() as session:
        one = audit_log.get(session, number)
        older = audit_log.listing(session, scope, Filter(), before=number, size=1).records
        page = RecordPage(
            record=one,
            at=_at(one),
            node=places.name(session, one.outlet_code),
            differences=audit_words.differences(one),
            whole=audit_chain.is_whole(session, one),
            previous=older[0].id if older else None,
            next=audit_log.next_after(session, scope, number),
        )
    crumbs = [(_("操作记录"), url_for("audit.index")), (_("第 %(number)s 条") % {"number": number}, None)]
    return render("institution/audit_record.html", page, crumbs=crumbs)
