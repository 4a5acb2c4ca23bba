"""What visitors, screens and colleagues get of a piece that was taken down: at once, and in every process."""

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

import pytest
from flask import Flask
from sqlmodel import select

from content import history, lifecycle
from content.off_site import withdrawing
from core.database import Database
from core.errors import Invalid, NotAllowed
from core.privacy import Vault
from core.settings import Settings
from institution.letter_models import Letter
from institution.models import Staff
from tests import entering, factories, forked
from tests.content import pieces
from tests.content.test_views import Site

KEY, REASON, PUBLIC = "stop-first", "数字引错了", "其中一个数字有误，正在更正。"
COVER = "cover: media/c.svg\ncover_alt: 一把黄伞\n"


@pytest.fixture
def site(app: Flask, database: Database, settings: Settings, cast: dict[str, Staff], now: datetime) -> Site:
    made = Site(app, database, settings, cast)
    made.publish(pieces.text(more=COVER), now, c=pieces.SVG)
    return made


def picture_of(database: Database) -> str:
    with database.reading() as session:
        revision = history.newest(session, KEY)
        assert revision is not None
        return f"/media/{revision.media['media/c.svg']['file']}"


def test_who_holds_a_link_is_told_and_gets_no_picture(site: Site, app: Flask, database: Database) -> None:
    visitor, editor, reviewer = (
        app.test_client(),
        entering.client(app, factories.EDITOR),
        entering.client(app, factories.REVIEWER),
    )
    picture = picture_of(database)
    shown = visitor.get(picture)
    assert shown.status_code == 200 and "s-maxage=60" in shown.headers["Cache-Control"]
    question = reviewer.get(f"/desk/pieces/{KEY}/withdraw").get_data(as_text=True)
    assert "会受影响的" in question
    data = {"reason": REASON, "public_reason": PUBLIC}
    too_long = reviewer.post(f"/desk/pieces/{KEY}/withdraw", data=data | {"public_reason": "长" * 201})
    assert too_long.status_code == 400
    assert reviewer.post(f"/desk/pieces/{KEY}/withdraw", data=data).status_code == 302
    gone = visitor.get(f"/p/{KEY}?a=1")
    page = gone.get_data(as_text=True)
    assert (gone.status_code, gone.headers["Cache-Control"]) == (410, "no-store")
    assert PUBLIC in page and REASON not in page and "12378" in page
    assert visitor.get(picture).status_code == 410
    assert editor.get(picture).status_code == 200, "previews on the desk still show it"
    assert visitor.get("/screen/now/withdrawn").get_json() == [KEY]
    for path in ("/", "/library", "/feed.xml"):
        assert f"/p/{KEY}" not in visitor.get(path).get_data(as_text=True), path
    assert visitor.get("/p/never-there").status_code == 404
    # the second person: a panel, the page of the piece, and a button for all but who did it
    assert "撤下的内容" in editor.get("/desk").get_data(as_text=True)
    assert REASON in editor.get(f"/desk/pieces/{KEY}").get_data(as_text=True)
    reviewer.post("/desk/withdrawals/1/seen")
    with database.reading() as session:
        assert withdrawing.get(session, 1).seen_at is None
    editor.post("/desk/withdrawals/1/seen")
    with database.reading() as session:
        assert withdrawing.get(session, 1).seen_by == site.editor.id
    assert "撤下的内容" not in editor.get("/desk").get_data(as_text=True)


def test_it_comes_back_only_by_another_review_and_its_pictures_with_it(
    site: Site, app: Flask, database: Database, now: datetime
) -> None:
    visitor, picture = app.test_client(), picture_of(database)
    with database.transaction() as session:
        with pytest.raises(Invalid):
            lifecycle.withdraw(session, KEY, by=site.editor.id or 0, now=now, reason="  ")
        lifecycle.withdraw(session, KEY, by=site.editor.id or 0, now=now, reason=REASON)
        with pytest.raises(NotAllowed):
            withdrawing.acknowledge(session, 1, by=site.editor.id or 0, now=now)
    assert visitor.get(picture).status_code == 410
    with database.transaction() as session:
        revision = history.newest(session, KEY)
        assert revision is not None
        pieces.onward(session, revision, site.editor, site.reviewer, now)
        assert withdrawing.last(session, KEY) is None
    assert visitor.get(f"/p/{KEY}").status_code == visitor.get(picture).status_code == 200
    assert visitor.get("/screen/now/withdrawn").get_json() == []


def test_a_picture_that_another_piece_shows_stays(
    site: Site, app: Flask, database: Database, now: datetime
) -> None:
    site.publish(pieces.text("second", more=COVER), now, c=pieces.SVG)
    with database.transaction() as session:
        lifecycle.withdraw(session, KEY, by=site.editor.id or 0, now=now, reason=REASON)
    assert app.test_client().get(picture_of(database)).status_code == 200


def test_colleagues_get_a_letter_and_who_did_it_none(
    site: Site, app: Flask, database: Database, settings: Settings
) -> None:
    runtime = app.extensions["signpost"]
    runtime._made[Settings] = settings.model_copy(
        update={"smtp_host": "127.0.0.1", "mail_from": "a@example.org"}
    )
    vault = runtime[Vault]
    with database.transaction() as session:
        for login in (factories.EDITOR, factories.REVIEWER):
            one = session.exec(select(Staff).where(Staff.login == login)).one()
            one.email = vault.encrypt(f"{login}@example.org")
            session.add(one)
    entering.client(app, factories.EDITOR).post(f"/desk/pieces/{KEY}/withdraw", data={"reason": REASON})
    with database.reading() as session:
        assert len(session.exec(select(Letter)).all()) == 1


def test_a_figure_past_its_day_is_said_on_the_page(site: Site, now: datetime) -> None:
    old = "sources: [{title: 旧年报, publisher: 总局, until: 2026-09-01}]\n"
    fresh = "sources: [{title: 新年报, publisher: 总局, until: 2999-09-01}]\n"
    site.publish(pieces.text("old-one", more=old), now)
    site.publish(pieces.text("new-one", more=fresh), now)
    assert "过了有效期" in site.page("/p/old-one")
    assert "过了有效期" not in site.page("/p/new-one")


SERVE = """
import sys
from socketserver import TCPServer
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer
from core.settings import Settings
from webapp.runtime import build
from webapp.wsgi import compose
class Server(WSGIServer):
    def server_bind(self):  # without asking for the name of the machine
        TCPServer.server_bind(self)
        self.server_name, self.server_port = self.server_address
        self.setup_environ()
class Quiet(WSGIRequestHandler):
    def log_message(self, *_args): pass
app = compose(build(Settings(_env_file=None)))
with Server(("127.0.0.1", 0), Quiet) as server:
    server.set_app(app)
    print(server.server_port, flush=True)
    server.serve_forever()
"""


def status(address: str) -> int:
    try:
        with urllib.request.urlopen(address, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def until(address: str, wanted: int) -> float:
    """Seconds until an address answers so; a process that renders from memory is asked again and again."""
    began = time.monotonic()
    while status(address) != wanted:
        assert time.monotonic() - began < 10, f"{address} does not answer {wanted}"
        time.sleep(0.05)
    return time.monotonic() - began


def test_another_process_shows_within_two_seconds_and_hides_within_two(
    database: Database, settings: Settings, cast: dict[str, Staff], now: datetime
) -> None:
    values = {"SIGNPOST_HOME": str(settings.home), "SIGNPOST_DATABASE_URL": settings.relational_url}
    server = forked.Popen(
        [sys.executable, "-c", SERVE], cwd=forked.ROOT, env=os.environ | values | {"SIGNPOST_SECRET_KEY": "x"},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        address = f"http://127.0.0.1:{int(server.stdout.readline())}"
        editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
        assert status(f"{address}/p/{KEY}") == 404
        with database.transaction() as session:
            pieces.to_the_site(session, pieces.text(), editor, reviewer, now)
        assert until(f"{address}/p/{KEY}", 200) <= 2
        with database.transaction() as session:
            lifecycle.withdraw(session, KEY, by=editor.id or 0, now=now, reason=REASON)
        assert until(f"{address}/p/{KEY}", 410) <= 2
    finally:
        server.kill()
        server.communicate()
