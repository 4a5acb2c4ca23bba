"""What the editor asks for while somebody writes: how the text looks, what is wrong where, a picture taken in.

Nothing of this is saved: a picture is stored under its hash, harmless if never used, and its place comes back signed.
"""

from dataclasses import replace

from flask import g, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from content import media, reading
from content.desk import facts
from content.desk import form as forms
from content.desk.form import PieceForm
from content.desk.routes import blueprint
from content.media import Picture
from core.errors import Invalid
from core.http import reading as session_for_reading
from core.http import render, service, uploaded
from core.i18n import mark
from core.settings import Settings
from institution import access


@blueprint.post("/pieces/live")
@access.requires("content.edit")
def live() -> ResponseReturnValue:
    """How the text looks now, its faults with their lines, its front matter as fields; fields that came changed are
    written into the text first, which then comes back."""
    with session_for_reading() as session:
        form = forms.from_request(session, "")
    form = replace(form, key=request.form.get("key", ""))
    draft, faults = form.checked()
    g.elder = request.form.get("elder") == "1"
    page = ""
    if draft is not None:
        shown = reading.page_of(draft.text, draft.meta, draft.media, hotline=service(Settings).hotline)
        page = render(shown.template, replace(shown, preview=True))
    fields = facts.facts(form.text, faults, new=not form.key)
    return jsonify(
        text=form.text,
        html=page,
        faults=[
            {"line": facts.line_of(form.text, one), "words": one.rule if one.line else str(one)}
            for one in faults
        ],
        facts=render_template("content/desk_facts.html", facts=fields, pictures=sorted(form.pictures)),
        wrong=fields.wrong,
    )


@blueprint.post("/pieces/pictures")
@access.requires("content.edit")
def take_picture() -> ResponseReturnValue:
    """Take one picture in (dropped, pasted or chosen) and say under which name the text may use it."""
    known = forms.kept_pictures()
    filename, data = uploaded(mark("请先选择一张图片。"))
    name, picture = _stored(filename, data, known)
    form = PieceForm("", 0, "", known | {name: picture})
    return jsonify(name=name, url=picture.url, width=picture.width, height=picture.height, kept=form.kept)


def _stored(filename: str, data: bytes, known: dict[str, Picture]) -> tuple[str, Picture]:
    """The picture stored under a name that no other picture of the piece has; the same picture keeps its name."""
    base, name = forms.named(filename)
    prepared = media.prepare(name, data, service(Settings).files_dir)
    stem, dot, ending = name.rpartition(".")
    for number in range(1, len(known) + 2):
        free = name if number == 1 else f"{stem}-{number}{dot}{ending}"
        if free not in known or known[free].sha256 == prepared.picture.sha256:
            return free, media.write(service(Settings).files_dir, prepared)
    raise Invalid(mark("图片“%(name)s”换个名字再试。"), field=base, name=base)
