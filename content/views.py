"""Public pages of content: a piece, the diary, the feed, pictures."""

import gzip
import hashlib
from dataclasses import replace
from functools import lru_cache

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue
from sqlmodel import Session

from content import diary, drawn, feed, gone_views, history, lifecycle, media, pages, reading
from content.ai_pictures import Served
from content.check import due
from content.finding.related import related
from content.listing import PublishedPiece
from content.machine_made import pictures
from content.models import Kind, Revision
from content.page_request import takes_gzip
from content.pages import PageFacts
from core import clock
from core.errors import Gone
from core.http import reading as session_for_reading
from core.http import render, service
from core.i18n import gettext as _
from core.i18n import mark, using_locale
from core.settings import Settings
from tracking.attribution import Attribution, Attributions, PageKeys

blueprint = Blueprint("content", __name__, template_folder="templates")

# For ever in a browser, which asks for it only where a page shows it; what is shared between people asks again soon,
# because a picture may be taken down.
_FOREVER = "public, max-age=31536000, s-maxage=60, immutable"
_PICTURE_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
_EDUCATION, _DIARY = mark("金融消费者教育"), mark("小宝成长日记")


@blueprint.get("/p/<key>")
def piece(key: str) -> ResponseReturnValue:
    """A published piece in the design of its kind; one that was taken down says so (410)."""
    with session_for_reading() as session:
        revision = history.published_revision(session, key)
        if revision is None:
            return gone_views.answer(gone_views.page(session, key))
        page = _piece_page(session, revision)
    pages.mark(request.environ, PageFacts(PageKeys(piece=key)))
    return render(page.template, page)


@blueprint.get("/diary")
def diary_index() -> str:
    """All episodes of the diary."""
    with session_for_reading() as session:
        episodes = lifecycle.published_list(session, Kind.diary)
    keys = PageKeys()
    pages.mark(request.environ, PageFacts(keys))
    page = diary.DiaryPage(diary.seasons(episodes), service(Attributions).seal(keys))
    return render("content/diary.html", page)


@blueprint.get("/diary/people")
def diary_people() -> str:
    """Who is who in the diary, drawn."""
    keys = PageKeys()
    pages.mark(request.environ, PageFacts(keys))
    page = diary.PeoplePage(diary.characters(), service(Attributions).seal(keys))
    return render("content/diary_people.html", page)


@blueprint.get("/diary/feed.xml")
def diary_feed() -> Response:
    """The Atom feed of the diary alone."""
    return _feed(Kind.diary, _DIARY, path="/diary/feed.xml", home="/diary")


@blueprint.get("/feed.xml")
def feed_xml() -> Response:
    """The Atom feed, in Chinese for everybody."""
    return _feed(None, _EDUCATION)


def _feed(kind: Kind | None, about: str, *, path: str = "/feed.xml", home: str = "/") -> Response:
    settings = service(Settings)
    with session_for_reading() as session:
        pieces = lifecycle.published_list(session, kind)
    with using_locale("zh"):
        title = f"{settings.institution_name} · {_(about)}"
    token = service(Attributions).sign(Attribution(channel="feed"))
    channel = feed.Channel(settings.public_url, title, settings.institution_name, token, path, home)
    response = Response(feed.atom(channel, pieces, clock.now()), mimetype="application/atom+xml")
    response.headers["Cache-Control"] = "no-cache"
    response.set_etag(hashlib.sha256(response.get_data()).hexdigest()[:32])
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/media/<file>.svg.png")
def drawn_picture(file: str) -> Response:
    """The PNG drawn of an SVG, for who shows no SVG."""
    name = f"{file}.svg"
    _shown(name)
    return _picture(name, "png", drawn.png(service(Settings).files_dir, name), "image/png")


@blueprint.get("/media/<file>")
def picture(file: str) -> Response:
    """A picture under the hash of its content: it never changes, and nothing in it can run."""
    _shown(file)
    content, media_type = media.served(service(Settings).files_dir, file)
    return _picture(file, file.rpartition(".")[2], content, media_type)


def _shown(file: str) -> None:
    if gone_views.withheld(file):
        raise Gone(mark("这张图片所在的内容已经撤下。"))


def _picture(file: str, kind: str, content: bytes, media_type: str) -> Response:
    """The answer: what a machine made says so within (`kind`: svg, png, jpg, webp)."""
    label = service(Served).label(file)
    if label is not None:
        content = pictures.labelled(content, kind, label)
    vector = kind == "svg"
    packed = vector and takes_gzip(request.headers.get("Accept-Encoding", ""))
    response = Response(_packed(content) if packed else content, mimetype=media_type)
    if vector:
        response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Content-Security-Policy"] = _PICTURE_POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Cache-Control"] = _FOREVER
    response.set_etag(
        f"{file.partition('.')[0]}-{kind}" + ("-ai" if label else "") + ("-gz" if packed else "")
    )
    return response.make_conditional(request)  # type: ignore[return-value]


@blueprint.get("/screen/now/withdrawn")
def withdrawn_now() -> Response:
    """What screens in halls must show no more."""
    return gone_views.withdrawn_now()


@lru_cache(64)
def _packed(content: bytes) -> bytes:
    return gzip.compress(content, 9, mtime=0)


def _piece_page(session: Session, revision: Revision) -> reading.ReadingPage:
    key, settings = revision.piece_key, service(Settings)
    page = reading.page_of(revision.text, revision.meta, revision.media, hotline=settings.hotline)
    before = after = None
    if page.kind == Kind.diary:
        before, after = diary.neighbours(lifecycle.published_list(session, Kind.diary), key)
    return replace(
        page,
        published_at=revision.published_at,
        number_of_revision=revision.number,
        sealed_keys=service(Attributions).seal(PageKeys(piece=key)),
        previous=before,
        next=after,
        more=_more(lifecycle.published_list(session), page),
        stale=due.stale(revision, clock.today(settings.zone)),
    )


def _more(published: list[PublishedPiece], page: reading.ReadingPage) -> tuple[PublishedPiece, ...]:
    """What to read next; the diary has its own order."""
    here = next((one for one in published if one.key == page.key), None)
    return related(published, here) if here is not None and page.kind != Kind.diary else ()
