"""Pictures as files: each stamped as it is asked for."""

import io
import zipfile

from flask import Response
from flask.typing import ResponseReturnValue

from content.desk.routes import place
from content.picture_desk.routes import Asked, asked, blueprint, posters, signed
from content.picture_desk.showing import today
from content.poster import sharing
from content.poster.folder import COVERS, Kept
from content.poster.stamping import Stamp
from core.errors import NotFound
from core.http import attachment, reading
from core.i18n import mark
from institution import access

_NOT_THERE = mark("这些图片还没有生成，请先点“生成图片”。")


@blueprint.get("/<name>.png")
@access.requires("content.view", at=place, above=True)
def png(key: str, name: str) -> ResponseReturnValue:
    """`long`, `wide` or `square`; shown on the page and saved from it."""
    wanted, kept, stamp = _found(key)
    if name == "long":
        return _picture(kept.tall(stamp), _named(wanted, "long.png"))
    if name not in COVERS:
        raise NotFound(mark("没有找到这张图片。"))
    return _picture(kept.cover(name, stamp), _named(wanted, f"{name}.png"))


@blueprint.get("/slices.zip")
@access.requires("content.view", at=place, above=True)
def slices(key: str) -> ResponseReturnValue:
    """The sheet in slices, numbered from above."""
    wanted, kept, stamp = _found(key)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as file:
        for number, data in enumerate(kept.cut(stamp), 1):
            file.writestr(_named(wanted, f"{number:02}.png"), data)
    return attachment(packed.getvalue(), _named(wanted, "slices.zip"))


@blueprint.get("/poster.pdf")
@access.requires("content.view", at=place, above=True)
def poster(key: str) -> ResponseReturnValue:
    """The poster for the wall, A3 upright."""
    wanted, kept, stamp = _found(key)
    printed = posters().a3(wanted.revision, stamp, kept.setting, elder=wanted.elder)
    return attachment(printed, _named(wanted, "A3.pdf"))


def _found(key: str) -> tuple[Asked, Kept, Stamp]:
    with reading() as session:
        wanted = asked(session, key)
        codes = [wanted.outlet_code]
        stamp = sharing.stamps(session, wanted.sharing, codes, today(), signed=signed())[wanted.outlet_code]
    kept = posters().kept(wanted.revision, elder=wanted.elder)
    if kept is None:
        raise NotFound(_NOT_THERE)
    return wanted, kept, stamp


def _named(wanted: Asked, end: str) -> str:
    who = f"-{wanted.outlet_code}" if wanted.outlet_code else ""
    return f"{wanted.revision.piece_key}{who}-{end}"


def _picture(data: bytes, name: str) -> Response:
    answer = Response(data, mimetype="image/png")
    answer.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return answer
