"""A published long graphic as picture for visitors: stamped so that it goes on counting for whose link led them here."""

import hashlib

from flask import Blueprint, Response, request

from content import history
from content.models import Kind
from content.poster import sharing
from content.poster.making import Posters
from content.poster.sharing import Signed
from core.errors import Conflict, NotFound
from core.http import reading, service
from core.i18n import mark
from core.settings import Settings
from tracking.attribution import PARAMETER, Attributions

blueprint = Blueprint("pictures", __name__)


@blueprint.get("/p/<key>/long.png")
def long_picture(key: str) -> Response:
    """The tall picture; `?a=` of the page that offers it goes along. Conflict while it is being made."""
    settings, attributions = service(Settings), service(Attributions)
    signed = Signed(attributions, settings.public_url, settings.institution_name)
    with reading() as session:
        revision = history.published_revision(session, key)
        if revision is None or revision.meta.get("kind") != Kind.long_graphic:
            raise NotFound(mark("没有找到这张图片，可能已经撤下。"))
        stamp = sharing.of_visit(session, key, attributions.read(request.args.get(PARAMETER, "")), signed)
    kept = service(Posters).kept(revision)
    if kept is None:
        raise Conflict(mark("图片正在生成，请过一分钟再点。"))
    version = hashlib.sha256(f"{kept.folder.name} {stamp}".encode()).hexdigest()[:32]
    if request.if_none_match.contains(version):
        answer = Response(status=304)
    else:
        answer = Response(kept.tall(stamp), mimetype="image/png")
        answer.headers["Content-Disposition"] = f'attachment; filename="{key}.png"'
    answer.set_etag(version)
    answer.headers["Cache-Control"] = "no-cache"
    return answer
