"""Public pages of content through the whole application."""

import io
import re
import xml.etree.ElementTree as etree
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from content import drawn, lifecycle, media
from content.drafting import check
from content.media import Picture
from core.database import Database
from core.errors import NotFound
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tracking.attribution import Attribution, Attributions

ATOM = "{http://www.w3.org/2005/Atom}"


class Site:
    """The site as a visitor has it, and a way to put pieces on it."""

    def __init__(self, app: Flask, database: Database, settings: Settings, cast: dict[str, Staff]) -> None:
        self.app, self.database, self.settings = app, database, settings
        self.editor, self.reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]

    def publish(self, text: str, now: datetime, **pictures: bytes) -> None:
        stored: dict[str, Picture] = {}
        for name, data in pictures.items():
            stored[f"media/{name}.svg"] = pieces.picture(self.settings.files_dir, f"media/{name}.svg", data)
        draft, faults = check("", text, stored)
        assert draft is not None, faults
        with self.database.transaction() as session:
            revision = lifecycle.save(session, draft, by=self.editor.id or 0, now=now)
            assert revision is not None
            pieces.onward(session, revision, self.editor, self.reviewer, now)

    def page(self, path: str, *, cookies: str = "") -> str:
        client = self.app.test_client(use_cookies=False)
        answer = client.get(path, headers={"Cookie": cookies} if cookies else {})
        assert answer.status_code == 200
        return answer.get_data(as_text=True)


@pytest.fixture
def site(app: Flask, database: Database, settings: Settings, cast: dict[str, Staff]) -> Site:
    """A site with the named cast and nothing on it."""
    return Site(app, database, settings, cast)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor's browser."""
    return app.test_client()


MORE = 'title_en: Stop first\nsummary_en: Three sentences\nkicker: 第 7 期\ntheme: warning\nhelp: [{label: 反诈专线, phone: "96110"}]\n'
MORE += (
    "sources: [{title: 风险提示, publisher: 总局, date: 2025-11-10}]\nrights: [知情权]\naudience: [老年人]\n"
)


@pytest.mark.parametrize("kind", ["article", "long_graphic", "guide", "diary"])
@pytest.mark.parametrize("cookies", ["", "sp_lang=en", "sp_elder=1"])
def test_every_kind_ends_with_whom_to_call(site: Site, now: datetime, kind: str, cookies: str) -> None:
    more = MORE + ("number: 1\n" if kind == "diary" else "") + "cover: media/c.svg\ncover_alt: 一把黄伞\n"
    site.publish(pieces.text(kind=kind, more=more), now, c=pieces.SVG)
    page = site.page("/p/stop-first", cookies=cookies)
    assert page.count("<h1") == 1
    assert 'href="tel:96110"' in page
    assert f'href="tel:{site.settings.hotline}"' in page
    assert 'lang="zh-CN"' in page
    assert 'data-theme="warning"' in page
    assert re.search(r'data-keys="[\w-]+"', page)
    assert re.search(r'<img class="cover-pic"[^>]*alt="一把黄伞" width="40" height="30"', page)
    assert ("<title>Stop first" in page) is (cookies == "sp_lang=en")
    assert "<style" not in page
    assert " style=" not in page


def test_the_institution_is_called_where_the_piece_names_nobody(site: Site, now: datetime) -> None:
    site.publish(pieces.text(), now)
    assert f'href="tel:{site.settings.hotline}"' in site.page("/p/stop-first").split("ending-title", 1)[1]


def test_a_heading_breaks_and_nothing_else(site: Site, now: datetime) -> None:
    text = pieces.text(more="heading: “A&B”<br>先<wbr>停\n")
    site.publish(text, now)
    assert "“A&amp;B”<br>先<wbr>停" in site.page("/p/stop-first")


def test_what_is_not_on_the_site_is_not_found(site: Site, client: FlaskClient, now: datetime) -> None:
    with site.database.transaction() as session:
        pieces.saved(session, pieces.text(), site.editor.id or 0, now)
    assert client.get("/p/stop-first").status_code == 404
    assert client.get("/p/never-was").status_code == 404


def test_a_withdrawn_piece_is_gone_from_every_page(site: Site, client: FlaskClient, now: datetime) -> None:
    site.publish(pieces.text(kind="diary", more="number: 1\n"), now)
    assert "先停一停" in site.page("/diary")
    with site.database.transaction() as session:
        lifecycle.withdraw(session, "stop-first", by=site.editor.id or 0, now=now, reason="有误")
    assert client.get("/p/stop-first").status_code == 410
    for path in ("/diary", "/feed.xml"):
        assert "stop-first" not in site.page(path)


def test_episodes_lead_on_to_each_other(site: Site, now: datetime) -> None:
    for number, key in enumerate(("one", "two", "three"), start=1):
        site.publish(pieces.text(key, kind="diary", more=f"number: {number}\nseason: 1\n"), now)
    page = site.page("/p/two")
    assert re.search(r'rel="prev" href="/p/one"', page)
    assert re.search(r'rel="next" href="/p/three"', page)
    assert 'rel="prev"' not in site.page("/p/one")
    assert re.findall(r'href="/p/(\w+)"', site.page("/diary"))[-3:] == ["one", "two", "three"]


def test_the_feed_is_atom_and_its_links_are_attributed(
    site: Site, client: FlaskClient, now: datetime
) -> None:
    site.publish(pieces.text("first", more="topics: [防骗]\n"), now)
    site.publish(pieces.text("second"), now + timedelta(hours=1))
    answer = client.get("/feed.xml")
    assert answer.mimetype == "application/atom+xml"
    feed = etree.fromstring(answer.data)
    assert feed.tag == f"{ATOM}feed"
    ids = [entry.findtext(f"{ATOM}id") for entry in feed.iter(f"{ATOM}entry")]
    assert ids == [f"{site.settings.public_url}/p/{key}" for key in ("second", "first")]
    for place in [feed, *feed.iter(f"{ATOM}entry")]:
        assert place.findtext(f"{ATOM}title")
        updated = datetime.fromisoformat(place.findtext(f"{ATOM}updated") or "")
        assert updated.tzinfo is not None
    assert feed.findtext(f"{ATOM}updated") == (now + timedelta(hours=1)).isoformat()
    link = next(feed.iter(f"{ATOM}entry")).find(f"{ATOM}link")
    assert link is not None
    address, _, token = link.attrib["href"].partition("?a=")
    assert address == f"{site.settings.public_url}/p/second"
    keys = site.app.extensions["signpost"]
    service = keys.service(Attributions) if hasattr(keys, "service") else keys[Attributions]
    assert service.read(token) == Attribution(channel="feed")
    again = client.get("/feed.xml", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_an_empty_feed_is_a_feed(client: FlaskClient) -> None:
    feed = etree.fromstring(client.get("/feed.xml").data)
    assert feed.findtext(f"{ATOM}updated")


def test_a_picture_is_served_for_ever_and_nothing_in_it_runs(
    site: Site, client: FlaskClient, now: datetime
) -> None:
    site.publish(pieces.text(more="cover: media/c.svg\ncover_alt: 一把黄伞\n"), now, c=pieces.SVG)
    found = re.search(r"/media/[0-9a-f]{16}\.svg", site.page("/p/stop-first"))
    assert found is not None
    answer = client.get(found[0])
    assert answer.mimetype == "image/svg+xml"
    assert (
        answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    )
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "immutable" in answer.headers["Cache-Control"]
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert client.get("/media/0000000000000000.svg").status_code == 404


def test_who_shows_no_svg_gets_it_drawn(site: Site, client: FlaskClient, now: datetime) -> None:
    svg = pieces.SVG.replace(b"<svg ", b'<svg font-family="sans-serif" ', 1)
    site.publish(pieces.text(more="cover: media/c.svg\ncover_alt: 一把黄伞\n"), now, c=svg)
    found = re.search(r"/media/[0-9a-f]{16}\.svg", site.page("/p/stop-first"))
    assert found is not None
    answer = client.get(f"{found[0]}.png")
    assert answer.mimetype == "image/png" and answer.headers["X-Content-Type-Options"] == "nosniff"
    with Image.open(io.BytesIO(answer.data)) as image:
        assert max(image.size) == 1200 and image.format == "PNG"
    again = client.get(f"{found[0]}.png", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304 and client.get(found[0]).headers["ETag"] != answer.headers["ETag"]
    assert f"{site.settings.public_url}{found[0]}.png" in client.get("/feed.xml").get_data(as_text=True)
    for unknown in ("0000000000000000.svg.png", "..%2f..%2fsecret.key.svg.png", "x.svg.png"):
        assert client.get(f"/media/{unknown}").status_code == 404, unknown


def test_a_picture_is_drawn_once_and_goes_with_its_file(tmp_path: Path) -> None:
    picture = media.store(tmp_path, "media/c.svg", pieces.SVG)
    first = drawn.png(tmp_path, picture.file)
    (kept,) = (tmp_path / "drawn").iterdir()
    kept.write_bytes(b"kept")
    assert drawn.png(tmp_path, picture.file) == b"kept" != first
    (tmp_path / "media" / picture.file).unlink()
    with pytest.raises(NotFound):
        drawn.png(tmp_path, picture.file)


def test_lists_and_pages_say_in_english_that_the_text_is_chinese(site: Site, now: datetime) -> None:
    site.publish(pieces.text(more=MORE), now)
    page = site.page("/p/stop-first", cookies="sp_lang=en")
    assert '<p lang="en" class="en-title">Stop first</p>' in page
    assert "in-chinese" in page
    assert "in-chinese" not in site.page("/p/stop-first")
