"""Handing a file in: choose it, say which column is what, see every fault and what would count, ask for approval."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from core import clock
from core.cells import to_csv
from core.errors import Conflict, DomainError, NotFound
from core.http import attachment, reading, render, service, transaction, uploaded
from core.i18n import gettext as _
from core.i18n import mark
from core.settings import Settings
from institution import places, uploads
from institution.access import requires, signed_in
from institution.places import Choices
from institution.powers import WHOLE
from tracking.imports import draft, mapping, register, saving, sources
from tracking.imports.checking import Checked, Fault
from tracking.imports.draft import Draft
from tracking.imports.fields import KEYS, LABELS
from tracking.imports.mapping import Columns
from tracking.imports.models import ReachImport, ReachMapping
from tracking.imports.sources import Source
from tracking.imports_desk import offers
from tracking.imports_desk.offers import Totals
from tracking.imports_desk.routes import blueprint, mapping_place, today

_SHOWN = 100


@dataclass(frozen=True, slots=True)
class UploadPage:
    """Choose source and file; below, the mappings that were saved."""

    source: str
    sources: Sequence[Source]
    mappings: Sequence[ReachMapping]
    removable: frozenset[int]
    fault: str = ""

    @property
    def options(self) -> dict[str, str]:
        """The sources to choose from."""
        return {one.key: _(one.label) for one in self.sources}

    def label(self, source: str) -> str:
        """What a source is called."""
        return _(sources.get(source).label)


@dataclass(frozen=True, slots=True)
class TryPage:
    """The mapping of a file, what is wrong, and what would count. Only the first faults are listed."""

    token: str
    draft: Draft
    columns: Columns
    place: str
    places: Choices
    offered: Mapping[str, Sequence[tuple[str, str]]]
    mappings: Sequence[tuple[str, str]]
    missing: Sequence[str]
    checked: Checked | None
    totals: Sequence[Totals]
    earlier: ReachImport | None
    note: str = ""
    name: str = ""
    fault: str = ""
    fault_field: str = ""

    @property
    def source(self) -> str:
        """What the source is called."""
        return _(sources.get(self.draft.source).label)

    @property
    def faults(self) -> Sequence[Fault]:
        """The first faults."""
        return self.checked.faults[:_SHOWN] if self.checked else ()

    @property
    def more(self) -> int:
        """How many faults are not listed."""
        return max(0, len(self.checked.faults) - _SHOWN) if self.checked else 0

    @property
    def ready(self) -> bool:
        """Whether it may be handed in as it is."""
        return bool(self.checked and not self.checked.faults and self.checked.lines and self.earlier is None)

    @property
    def columns_shown(self) -> list[tuple[int, str, str, str]]:
        """Place, heading, field and the first value of each column."""
        first = self.draft.table.rows[0][1]
        three = zip(self.columns.headings, self.columns.fields, first, strict=True)
        return [(place, heading, field, cell) for place, (heading, field, cell) in enumerate(three)]

    @property
    def fields(self) -> list[tuple[str, str]]:
        """What a column may say."""
        return [(key, _(label)) for key, label in LABELS.items()]

    @property
    def keys(self) -> list[tuple[str, str]]:
        """What a constant may say, with its name."""
        return [(key, _(LABELS[key])) for key in KEYS]


@blueprint.get("/new")
@requires("reach.import")
def new() -> ResponseReturnValue:
    """The upload form."""
    return _upload(request.args.get("source", sources.WECHAT.key))


@blueprint.post("/new")
@requires("reach.import")
def keep() -> ResponseReturnValue:
    """Keep the file and show how its columns are understood."""
    source = request.form.get("source", "")
    try:
        name, data = uploaded()
        made = draft.read(source, name, data)
    except DomainError as error:
        return _upload(source, str(error)), 400
    token = uploads.keep(_folder(), signed_in().id, draft.packed(made), clock.now())
    return redirect(url_for(".try_out", token=token), code=303)


@blueprint.get("/new/<token>")
@requires("reach.import")
def try_out(token: str) -> ResponseReturnValue:
    """The mapping as guessed, or as saved under `?mapping=`, and what would come of it."""
    made = _draft(token)
    number = request.args.get("mapping", "")
    with reading() as session:
        scope = signed_in().scope("reach.import")
        place = next(iter(sorted(scope.tops)), WHOLE)
        columns = mapping.guess(sources.get(made.source), made.table.headings)
        if number.isdecimal() and len(number) < 9:
            found = saving.get(session, int(number))
            if not scope.covers(session, found.outlet_code, above=True):
                raise NotFound(mark("没有找到这份对应关系，可能已被删除。"))
            columns = mapping.saved(found.mapping, made.table.headings)
        return render("tracking/import_try.html", _page(session, token, made, columns, place))


@blueprint.post("/new/<token>")
@requires("reach.import")
def act(token: str) -> ResponseReturnValue:
    """Check again, list all faults, save the mapping by name, or hand in."""
    made, form, person = _draft(token), request.form, signed_in()
    fields = [form.get(f"column-{place}", "") for place in range(len(made.table.headings))]
    columns = mapping.typed(
        made.table.headings, fields, {key: form.get(f"constant-{key}", "") for key in KEYS}
    )
    action, place, fault = form.get("action", "check"), form.get("outlet_code", ""), None
    try:
        with transaction() as session:
            place = places.typed(session, form)
            person.check(session, "reach.import", place)
            answer = _ACTIONS[action](session, made, columns, place) if action in _ACTIONS else None
        if answer is not None:
            return answer
    except NotFound:
        raise
    except DomainError as error:
        fault = error
    with reading() as session:
        page = _page(session, token, made, columns, place, fault=fault)
        return render("tracking/import_try.html", page), 400 if fault else 200


def _hand_in(session: Session, made: Draft, columns: Columns, place: str) -> ResponseReturnValue:
    one = register.submit(
        session, made, columns, place=place, by=signed_in().id, now=clock.now(), today=today(),
        note=request.form.get("note", ""),
    )  # fmt: skip
    flash(_("已提交第 %(number)s 号导入，等另一位同事审批。", number=one.id), "good")
    return redirect(url_for(".show", number=one.id), code=303)


def _save(session: Session, made: Draft, columns: Columns, place: str) -> None:
    name = request.form.get("name", "")
    saving.save(
        session, columns, source=made.source, name=name, place=place, by=signed_in().id, now=clock.now()
    )
    flash(_("对应关系已存为“%(name)s”，下次可以直接选用。", name=name.strip()), "good")


def _all_faults(session: Session, made: Draft, columns: Columns, place: str) -> ResponseReturnValue:
    done = register.try_out(session, made.table, columns, place=place, today=today())
    rows = [(one.row or "", one.column, one.sentence) for one in done.faults]
    return attachment(to_csv([_("行"), _("列"), _("哪里不对")], rows), "faults.csv")


_Action = Callable[[Session, Draft, Columns, str], ResponseReturnValue | None]
_ACTIONS: Mapping[str, _Action] = {"submit": _hand_in, "save": _save, "faults": _all_faults}


@blueprint.post("/mappings/<int:number>/remove")
@requires("reach.import", at=mapping_place)
def remove_mapping(number: int) -> ResponseReturnValue:
    """Delete a saved mapping."""
    with transaction() as session:
        saving.remove(session, number)
    flash(_("对应关系已删除；用它做过的导入不变。"), "good")
    return redirect(url_for(".new"), code=303)


def _folder() -> Path:
    return service(Settings).home / "uploads"


def _draft(token: str) -> Draft:
    return draft.unpacked(uploads.content(_folder(), signed_in().id, token))


def _upload(source: str, fault: str = "") -> str:
    scope = signed_in().scope("reach.import")
    with reading() as session:
        found = saving.listed(session, scope.condition(ReachMapping.outlet_code, above=True))
        own = saving.listed(session, scope.condition(ReachMapping.outlet_code))
    page = UploadPage(
        source, list(sources.SOURCES.values()), found, frozenset(one.id or 0 for one in own), fault
    )
    return render("tracking/import_new.html", page)


def _page(
    session: Session,
    token: str,
    made: Draft,
    columns: Columns,
    place: str,
    *,
    fault: DomainError | None = None,
) -> TryPage:
    scope = signed_in().scope("reach.import")
    missing = list(columns.faults())
    inside = scope.covers(session, place)
    checked = (
        register.try_out(session, made.table, columns, place=place, today=today())
        if not missing and inside
        else None
    )
    known = saving.listed(session, scope.condition(ReachMapping.outlet_code, above=True), made.source)
    return TryPage(
        token=token,
        draft=made,
        columns=columns,
        place=place,
        places=places.choices(session, scope, chosen=place if inside else ""),
        offered=offers.constants(session),
        mappings=[(str(one.id), one.name) for one in known],
        missing=missing,
        checked=checked,
        totals=offers.totals(session, checked.lines, today()) if checked and not checked.faults else (),
        earlier=register.earlier(session, made.table.hash) if not isinstance(fault, Conflict) else None,
        note=request.form.get("note", ""),
        name=request.form.get("name", ""),
        fault=str(fault) if fault else "",
        fault_field=(fault.field or "") if fault else "",
    )
