"""Staff pages that change one part of a room by a form; what is saved is a new revision, and is proved at once."""

from dataclasses import dataclass, replace

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from pydantic import TypeAdapter, ValidationError

from content import history
from content.desk import editing as texts
from content.desk import form as forms
from content.desk.form import PieceForm
from content.escape_room.proof import Report
from content.escape_room.texts import Id
from content.making import document, rows, tree
from content.making.document import Part
from content.making.parts import ABOUT, TABLES
from content.making.tree import Field, Values
from content.media import from_json
from content.models import Revision
from content.room_desk import page as pages
from content.room_desk.page import PartPage
from content.room_desk.routes import blueprint, newest, place
from core.errors import NotFound
from core.http import reading as session_for_reading
from core.http import render
from core.i18n import gettext as _
from core.i18n import mark
from institution import access

_ID: TypeAdapter[str] = TypeAdapter(Id)
_MANY = 6  # rows of faults in a message


@dataclass(frozen=True)
class _Asked:
    """What a form brought: the piece's form with its pictures, the text it began with, the values, the part."""

    form: PieceForm
    text: str
    values: Values
    part: Part
    new: bool = False

    @property
    def do(self) -> str:
        """The button that was pressed."""
        return request.form.get("do", "save")


@blueprint.get("/<part>/<name>")
@access.requires("content.view", at=place, above=True)
def part(key: str, part: str, name: str) -> str:
    """The form of a part as it stands in the newest revision."""
    revision = newest(key)
    data = document.data_of(revision.text)
    mine = document.part(data, part, name)
    fields = tree.build(mine.model, document.values(data, mine), mine.place)
    with session_for_reading() as session:
        may_edit = access.signed_in().may_at(session, "content.edit", place(session, {"key": key}))
    report = pages.proof_of(revision.text)
    return _render(_page(revision, mine, fields, may_edit=may_edit, report=report))


@blueprint.get("/add/<part>")
@access.requires("content.edit", at=place)
def add(key: str, part: str) -> str:
    """The empty form of a new part (`?kind=` of a lock)."""
    revision = newest(key)
    kind = request.args.get("kind", "choice") if part == "locks" else ""
    taken = {name for name, _title in pages.names(document.data_of(revision.text)).get(part, ())}
    mine = document.new_part(part, rows.free_name(part.removesuffix("s"), taken), kind)
    fields = tree.build(mine.model, _begin(mine), mine.place)
    return _render(_page(revision, mine, fields, new=True, kind=kind))


@blueprint.post("/<part>/<name>")
@access.requires("content.edit", at=place)
def change(key: str, part: str, name: str) -> ResponseReturnValue:
    """Save a part, or do to its rows what a button says."""
    form, revision, values = _posted(key)
    mine = document.part(document.data_of(revision.text), part, name)
    return _handle(_Asked(form, revision.text, values, mine), revision)


@blueprint.post("/add/<part>")
@access.requires("content.edit", at=place)
def create(key: str, part: str) -> ResponseReturnValue:
    """The same for a new part."""
    form, revision, values = _posted(key)
    mine = document.new_part(part, request.form.get("name", "").strip(), request.form.get("kind", ""))
    return _handle(_Asked(form, revision.text, values, mine, new=True), revision)


@blueprint.post("/<part>/<name>/remove")
@access.requires("content.edit", at=place)
def remove(key: str, part: str, name: str) -> ResponseReturnValue:
    """Take a part out of the room; what still names it stands in the way, and is said."""
    form, revision, _typed = _posted(key)
    mine = document.part(document.data_of(revision.text), part, name)
    if mine.table == ABOUT:
        raise NotFound(mark("这个密室里没有它。"))
    form = replace(form, text=document.without(revision.text, mine))
    draft, _faults = form.checked()
    if draft is None:
        found = "；".join(str(fault) for fault in document.faults(form.text)[:_MANY])
        flash(_("还不能删去，别处要先改：%(faults)s", faults=found), "bad")
        return redirect(url_for("rooms_desk.part", key=key, part=part, name=name))
    return texts.save(form, draft, url_for("rooms_desk.room", key=key))


def _posted(key: str) -> tuple[PieceForm, Revision, Values]:
    """The form with its pictures, the revision it began with, what was typed; a picture that was uploaded at a field
    is the one that the field names."""
    with session_for_reading() as session:
        form = forms.from_request(session, key)
        revision = history.by_number(session, key, form.base)
    values: Values = request.form.to_dict(flat=False)
    for name, file in request.files.items():
        if name.startswith("upload."):
            given, faults = forms.uploads([file])
            form = replace(form, pictures=form.pictures | given, faults=(*form.faults, *faults))
            values |= {name.removeprefix("upload."): [one.removeprefix("media/")] for one in given}
    return form, revision, values


def _begin(mine: Part) -> Values:
    """A new part begins with one row of each list that must not be empty."""
    values: Values = {}
    for one in tree.build(mine.model, {}, mine.place):
        if one.spec.required and one.spec.kind in ("rows", "named"):
            for _turn in range(1 if one.spec.key == "lines" else 2):
                values = rows.acted(values, f"add:{one.path}")
    return values


def _handle(asked: _Asked, revision: Revision) -> ResponseReturnValue:
    if asked.do.partition(":")[0] in rows.VERBS:
        asked = replace(asked, values=rows.acted(asked.values, asked.do))
        return _again(asked, revision)
    name_fault = _name_fault(asked)
    fields, text, others = _checked(asked, name_fault)
    form = replace(asked.form, text=text)
    fine = not (tree.ill(fields) or others or name_fault)
    draft, faults = form.checked() if fine else (None, [])
    if asked.do == "check" or draft is None:
        others = [*others, *map(str, faults or asked.form.faults)]
        page = _page(revision, asked.part, fields, new=asked.new, form=asked.form, kind=_kind(asked))
        shown = replace(page, others=others, wrong=True, name_fault=name_fault)
        return _render(shown), 200 if asked.do == "check" else 400
    key, mine = revision.piece_key, asked.part
    return texts.save(form, draft, url_for("rooms_desk.part", key=key, part=mine.table, name=mine.name))


def _checked(asked: _Asked, name_fault: str) -> tuple[list[Field], str, list[str]]:
    """The fields with every fault noted at its own, the text they make, and what is wrong elsewhere."""
    fields = tree.build(asked.part.model, asked.values, asked.part.place)
    text = document.put(asked.text, asked.part, fields)
    if tree.ill(fields) or name_fault:
        return fields, text, []
    return (
        fields,
        text,
        [str(fault) for fault in document.mark_faults(fields, asked.part, document.faults(text))],
    )


def _again(asked: _Asked, revision: Revision) -> str:
    fields = tree.build(asked.part.model, asked.values, asked.part.place)
    page = _page(revision, asked.part, fields, new=asked.new, form=asked.form, kind=_kind(asked))
    added = asked.do.removeprefix("add:") if asked.do.startswith("add:") else ""
    last = asked.values.get(f"{added}.{tree.ROW}", [""])[-1]
    return _render(replace(page, opened=f"{added}.{last}" if added else ""))


def _name_fault(asked: _Asked) -> str:
    """What is wrong with the name of a new part."""
    if not asked.new:
        return ""
    try:
        _ID.validate_python(asked.part.name)
    except ValidationError:
        return _("名字只能用小写字母、数字、- 和 _，以字母开头，最多 40 个字符。")
    taken = asked.part.name in dict(pages.names(document.data_of(asked.text)).get(asked.part.table, ()))
    return (
        _("已经有叫“%(name)s”的%(what)s。", name=asked.part.name, what=_(TABLES[asked.part.table]))
        if taken
        else ""
    )


def _kind(asked: _Asked) -> str:
    return request.form.get("kind", "") if asked.part.table == "locks" else ""


def _page(
    revision: Revision,
    mine: Part,
    fields: list[Field],
    *,
    new: bool = False,
    form: PieceForm | None = None,
    kind: str = "",
    may_edit: bool = True,
    report: Report | None = None,
) -> PartPage:
    key = revision.piece_key
    form = form or PieceForm(key, revision.number, revision.text, from_json(revision.media))
    known = pages.names(document.data_of(revision.text))
    return PartPage(
        key, revision.title, mine, form, fields, known, new=new, kind=kind, may_edit=may_edit, report=report
    )


def _render(page: PartPage) -> str:
    part = request.headers.get("X-Part") == "1"
    template = "content/desk_room_form.html" if part else "content/desk_room_part.html"
    return render(template, page, row_title=pages.row_title, box_of=pages.box_of)
