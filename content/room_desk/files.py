"""Staff pages that carry a room out as one file, and in again."""

from dataclasses import replace

from flask import Response, request, url_for
from flask.typing import ResponseReturnValue

from content import media
from content.desk import editing as texts
from content.desk.beginnings import beginning
from content.desk.form import PieceForm
from content.desk.routes import blueprint as pieces
from content.faults import Fault
from content.lifecycle import Draft
from content.making import archive
from content.media import Prepared
from content.models import Kind
from content.room_desk import overview
from content.room_desk.routes import blueprint, newest, place
from core.errors import DomainError
from core.http import attachment, service, uploaded
from core.i18n import mark
from core.settings import Settings
from institution import access


@blueprint.get("/file.zip")
@access.requires("content.view", at=place, above=True)
def export(key: str) -> Response:
    """The newest revision as a folder."""
    answer: Response = attachment(archive.packed(newest(key), service(Settings)), f"{key}.zip")
    return answer


@blueprint.post("/file.zip")
@access.requires("content.edit", at=place)
def load(key: str) -> ResponseReturnValue:
    """A folder that comes back becomes a new revision; one fault, and nothing is kept of it."""
    try:
        form, pictures = _read(key, service(Settings))
    except DomainError as error:
        return overview.shown(key, refused=[str(error)]), 400
    draft, faults = form.checked()
    if draft is None:
        return overview.shown(key, refused=[str(fault) for fault in faults]), 400
    _write(draft, pictures)
    return texts.save(form, draft, url_for("rooms_desk.room", key=key))


@pieces.post("/pieces/new/room.zip")
@access.requires("content.edit")
def load_room() -> ResponseReturnValue:
    """A folder that becomes a new piece; what is wrong with it is named above its text."""
    try:
        form, pictures = _read("", service(Settings))
    except DomainError as error:
        blank = PieceForm("", 0, beginning(Kind.escape_room), {})
        return texts.form_page(blank, [Fault("", "ZIP", str(error))]), 400
    form = texts.placed(form)
    draft, faults = form.checked()
    if draft is None:
        return texts.form_page(replace(form, pictures={}), faults), 400
    _write(draft, pictures)
    return texts.save(form, draft, url_for("rooms_desk.room", key=draft.key))


def _write(draft: Draft, pictures: dict[str, Prepared]) -> None:
    """Store the pictures that the room shows; those beside them are left out."""
    for name in draft.media:
        media.write(service(Settings).files_dir, pictures[name])


def _read(key: str, settings: Settings) -> tuple[PieceForm, dict[str, Prepared]]:
    """What was uploaded as the form of the piece, nothing of it stored yet."""
    _name, data = uploaded(mark("请先选择一个 ZIP 文件。"))
    base, found = request.form.get("base", "0"), archive.unpacked(data)
    made, faults = archive.prepared(found.pictures, settings)
    number = int(base) if base.isdigit() and len(base) < 9 else 0
    pictures = {name: one.picture for name, one in made.items()}
    return PieceForm(key, number, found.text, pictures, tuple(faults)), made
