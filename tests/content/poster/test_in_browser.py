"""A long graphic drawn by Chromium, once for all tests here: sizes, slices, stamps, labels, and no line to the outside."""

import csv
import io
import json
import socket
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image, ImageChops
from sqlmodel import Session, SQLModel

from campaign.base.carrying import Archives
from content import history
from content.models import Revision
from content.poster import document, drawing
from content.poster.document import Look
from content.poster.folder import Kept
from content.poster.making import Posters
from content.poster.stamping import Stamp
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tests.content.test_machine_made import MORE, said
from tracking import paper
from tracking.attribution import Attribution, Attributions
from tracking.press import Press
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

pytestmark = pytest.mark.browser
NOW = datetime(2026, 9, 15, 2, tzinfo=UTC)
PANEL = "/// panel | 第 {} 件事\n    tone: {}\n\n先停一停，问一问，再转账。\n\n//// steps\n\n1. **停** 不急着转账。\n2. **问** 打官方电话。\n3. **办** 到柜面办。\n////\n///\n\n"
BODY = "".join(PANEL.format(number, ("soft", "plain", "sun")[number % 3]) for number in range(1, 13))
STAMP = Stamp("https://edu.example.cn/s/abcd2345", "西湖文三路柜面", "消费者权益保护教育宣传基地")


@pytest.fixture(scope="module")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """An installation with one long graphic on the site, and one that is a draft."""
    home = tmp_path_factory.mktemp("posters")
    made = build(Settings(_env_file=None, home=home, rate_storage="", second_factor="off"))
    SQLModel.metadata.create_all(made.service(Database).engine)
    with made.service(Database).transaction() as session:
        _fill(session, factories.cast(session, NOW))
        factories.staff(session, factories.OUTSIDER, NOW)
    yield made
    made.close()


def _fill(session: Session, cast: dict[str, Staff]) -> None:
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    given = pieces.text("twelve", kind="long_graphic", body=BODY, more=f"theme: warning\n{MORE}")
    pieces.to_the_site(session, given, editor, reviewer, NOW)
    pieces.saved(session, pieces.text("draft", kind="long_graphic"), editor.id or 0, NOW)


@pytest.fixture(scope="module")
def kept(runtime: Runtime) -> Kept:
    """The pictures of what is on the site, made by the job."""
    posters = runtime.service(Posters)
    assert posters.run_once() == 1
    assert posters.run_once() == 0
    found = posters.kept(revision(runtime, "twelve"))
    assert found is not None
    return found


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Flask:
    made = create_app(runtime)
    made.config["WTF_CSRF_ENABLED"] = False
    return made


def revision(runtime: Runtime, key: str) -> Revision:
    with runtime.service(Database).reading() as session:
        found = history.newest(session, key)
        assert found is not None
        return found


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def test_the_tall_picture_is_1080_wide_taller_than_chromium_draws_at_once_and_whole(kept: Kept) -> None:
    tall = opened(kept.tall(STAMP))
    assert tall.size == (1080, kept.height)
    assert kept.height > 16_384, "the limit of one screenshot is not tried"
    other = opened(kept.tall(replace(STAMP, name="锦江春熙路柜面")))
    left, top, right, bottom = ImageChops.difference(tall, other).getbbox() or (0, 0, 0, 0)
    strip = opened((kept.folder / "strip.png").read_bytes())
    assert top >= kept.height - strip.height, "only the strip differs"
    assert (left, right - left, bottom - top) > (300, 20, 20)
    # no seam between tiles: rows of one colour from side to side stay so
    for seam in range(drawing.TILE * 3, kept.height - strip.height, drawing.TILE * 3):
        above, below = tall.crop((0, seam - 1, 8, seam)), tall.crop((0, seam, 8, seam + 1))
        assert above.tobytes() == below.tobytes()


def test_slices_are_the_picture_cut_between_blocks_each_with_the_label(kept: Kept) -> None:
    tall, slices = opened(kept.tall(STAMP)), kept.cut(STAMP)
    assert len(slices) == kept.slices > 3
    at = 0
    for place, data in enumerate(slices):
        assert said(data, "png")["Label"] == "1"
        piece = opened(data)
        bar = 0 if place == 0 else piece.height - _same(piece, tall, at)
        assert (bar > 54) == (place > 0), (
            "the label stands on every slice, in letters of a twentieth of the width"
        )
        piece = piece.crop((0, bar, 1080, piece.height))
        assert not ImageChops.difference(piece, tall.crop((0, at, 1080, at + piece.height))).getbbox()
        at += piece.height
        if place < len(slices) - 1:
            assert len(tall.crop((40, at - 1, 1040, at)).getcolors() or ()) == 1, (
                "the cut goes through something"
            )
    assert at == tall.height


def _same(piece: Image.Image, tall: Image.Image, at: int) -> int:
    """How many rows from below are those of the tall picture."""
    for bar in range(piece.height):
        rest = piece.crop((0, bar, 1080, piece.height))
        if not ImageChops.difference(rest, tall.crop((0, at, 1080, at + rest.height))).getbbox():
            return rest.height
    return 0


def test_covers_have_the_sizes_that_wechat_asks_for(kept: Kept) -> None:
    for name, size in (("wide", (900, 383)), ("square", (1080, 1080))):
        data = kept.cover(name, STAMP)
        assert opened(data).size == size
        assert said(data, "png")["ContentProducer"] == "画图工具"


def test_the_poster_is_one_sheet_of_a3_with_name_and_labels(runtime: Runtime, kept: Kept) -> None:
    printed = runtime.service(Posters).a3(revision(runtime, "twelve"), STAMP, kept.setting)
    with pypdfium2.PdfDocument(printed) as pdf:
        assert len(pdf) == 1
        millimetres = [side * 25.4 / 72 for side in pdf[0].get_size()]
        assert millimetres == pytest.approx([297, 420], abs=0.5)
        text = pdf[0].get_textpage().get_text_bounded()
        for word in ("先停一停", "第 12 件事", STAMP.name, "AI 生成", "12378"):
            assert word in text
        assert json.loads(pdf.get_metadata_value("AIGC"))["ProduceID"] == "twelve"
    assert b"TC260:AIGC" in printed


def test_visitors_save_it_with_the_attribution_they_came_by(runtime: Runtime, app: Flask, kept: Kept) -> None:
    client, attributions = app.test_client(), runtime.service(Attributions)
    plain = client.get("/p/twelve/long.png")
    assert (plain.status_code, plain.mimetype) == (200, "image/png")
    assert opened(plain.data).size == (1080, kept.height)
    assert 'href="/p/twelve/long.png"' in client.get("/p/twelve").get_data(as_text=True)
    token = attributions.sign(Attribution("c-1", factories.OUTLET_A, "wechat"))
    mine = client.get(f"/p/twelve/long.png?a={token}")
    assert mine.data != plain.data
    assert client.get("/p/twelve/long.png?a=forged").data == plain.data
    again = client.get(f"/p/twelve/long.png?a={token}", headers={"If-None-Match": mine.headers["ETag"]})
    assert again.status_code == 304
    assert client.get("/p/draft/long.png").status_code == 404


def test_the_desk_asks_shows_and_hands_out(runtime: Runtime, app: Flask, kept: Kept) -> None:
    client = app.test_client()
    client.post(
        "/desk/sign-in", data={"login": factories.EDITOR, "password": factories.PASSWORDS[factories.EDITOR]}
    )
    base = "/desk/pieces/draft/pictures"
    assert "生成图片" in client.get(base).get_data(as_text=True)
    assert client.get(f"{base}/long.png").status_code == 404
    client.post(f"{base}/make", data={"number": "1"})
    assert client.get(f"{base}/progress").json == {"share": 0.0, "made": "0", "moving": True}
    assert "data-moving" in client.get(base).get_data(as_text=True)
    client.post(f"{base}/stop", data={"number": "1"})
    assert runtime.service(Posters).run_once() == 0
    shared = client.post(
        "/desk/pieces/twelve/pictures/share", data={"outlet_code": factories.OUTLET_A, "number": "1"}
    )
    page = client.get(shared.location).get_data(as_text=True)
    assert "西湖文三路柜面" in page and "/s/" in page
    query = shared.location.partition("?")[2]
    with zipfile.ZipFile(
        io.BytesIO(client.get(f"/desk/pieces/twelve/pictures/slices.zip?{query}").data)
    ) as file:
        assert file.namelist()[0] == f"twelve-{factories.OUTLET_A}-01.png"
        assert len(file.namelist()) == kept.slices
    assert opened(client.get(f"/desk/pieces/twelve/pictures/wide.png?{query}").data).size == (900, 383)


def test_all_outlets_of_a_part_get_theirs_in_one_archive(runtime: Runtime, app: Flask, kept: Kept) -> None:
    client, outsider = app.test_client(), app.test_client()
    for one, login in ((client, factories.EDITOR), (outsider, factories.OUTSIDER)):
        one.post("/desk/sign-in", data={"login": login, "password": factories.password(login)})
    given = {"piece": "twelve", "outlet_code": factories.COUNTY}
    assert client.post("/desk/posters", data=given | {"piece": "draft"}).status_code == 400
    ordered = client.post("/desk/posters", data=given)
    assert ordered.status_code == 303
    assert client.post("/desk/posters", data=given).status_code == 400, "one is under way"
    assert client.get(f"{ordered.location}/posters.zip").status_code == 404
    assert runtime.service(Archives).run_once() == 1
    assert client.get(f"{ordered.location}/progress").json == {"share": 1.0, "made": "2", "moving": False}
    assert outsider.get(f"{ordered.location}/posters.zip").status_code in (403, 404)
    assert outsider.post("/desk/posters", data=given).status_code in (400, 403)
    number = ordered.location.rpartition("/")[2]
    assert client.get(f"/desk/base/plaques/{number}").status_code in (403, 404), "it is no archive of plaques"
    taken = client.get(f"{ordered.location}/posters.zip")
    data = taken.data
    taken.close()
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        index = list(csv.DictReader(io.StringIO(file.read("index.csv").decode("utf-8-sig"))))
        assert [line["code"] for line in index] == [factories.OUTLET_A, factories.OUTLET_B]
        assert len({line["link"] for line in index if "/s/" in line["link"]}) == 2
        pictures = [file.read(line["file"]) for line in index]
    assert pictures[0] != pictures[1]
    for data in pictures:
        assert opened(data).size == (1080, kept.height)
        assert said(data, "png")["ProduceID"] == "twelve"


def test_nothing_is_fetched(tmp_path: Path) -> None:
    """A page that asks for a picture of a neighbour on this very machine gets none; without our lines it would."""
    asked: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(20)

        def answer() -> None:
            while True:
                try:
                    line, _address = server.accept()
                except OSError:
                    return
                with line:
                    asked.append(line.recv(1000))

        threading.Thread(target=answer, daemon=True).start()
        there = f"http://127.0.0.1:{server.getsockname()[1]}/x.png"
        press = Press()
        with press.printer() as printer:
            printer.show(f"<!doctype html><img src='{there}'><p>x</p>", 360, 300)
            assert printer.look("document.images[0].naturalWidth") == 0
            printer.shot(0, 100, 360)
        press.close()
    assert asked == []


def test_without_a_browser_the_desk_says_what_to_install(
    runtime: Runtime, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paper, "CHROMIUM", ("no-such-browser",))
    client: FlaskClient = app.test_client()
    client.post(
        "/desk/sign-in", data={"login": factories.EDITOR, "password": factories.PASSWORDS[factories.EDITOR]}
    )
    page = client.get("/desk/pieces/draft/pictures").get_data(as_text=True)
    assert "安装 chromium" in page and "生成图片</button>" not in page
    assert runtime.service(Posters).run_once() == 0
    assert client.get("/p/twelve").status_code == 200


def test_what_is_drawn_depends_on_what_is_seen(runtime: Runtime) -> None:
    settings, one = runtime.service(Settings), revision(runtime, "twelve")
    names = {
        document.digest(one.hash, settings, elder=False),
        document.digest(one.hash, settings, elder=True),
        document.digest("other", settings, elder=False),
        document.digest(one.hash, settings.model_copy(update={"hotline": "95519"}), elder=False),
        document.digest(one.hash, settings.model_copy(update={"brand_color": "#a31f34"}), elder=False),
    }
    assert len(names) == 5
    html = document.sheet(document.page_of(one, "12378"), Look(document.house(settings)), settings.files_dir)
    assert "/media/" not in html and "http://" not in html.replace("http://www.w3.org/2000/svg", "")
