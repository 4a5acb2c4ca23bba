"""content.picture_facts: who and where, however a file tells it; and nothing of it is left of what is taken in."""

import hashlib
import io
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from PIL import Image
from sqlmodel import Session, select

from content import history, lifecycle, media
from content.media import Picture
from content.models import Revision
from content.picture_facts.reading import properties
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces, traces
from tests.content.traces import NAME, TELLING
from webapp.commands.content import content

SVG = pieces.SVG.replace(
    b"><rect", b"><metadata xmlns:dc='d'><dc:creator>Wang</dc:creator></metadata><rect", 1
)
SVG_AT_HOME = pieces.SVG.replace(b" viewBox", rb' export-filename="/Users/wangxm/a.png" viewBox', 1)
NOW = datetime(2026, 11, 22, 1, tzinfo=UTC)
BODY = "/// picture | media/door.{}\n    alt: 柜面的玻璃门，门口有一把伞\n///\n"


@pytest.mark.parametrize("name", TELLING)
def test_whoever_and_wherever_is_seen(name: str) -> None:
    assert properties(TELLING[name][1]()).personal


@pytest.mark.parametrize("data", [SVG, SVG_AT_HOME, b"\xef\xbb\xbf" + SVG])
def test_a_drawing_that_names_who_drew_it_is_seen(data: bytes) -> None:
    assert properties(data).person
    assert not properties(pieces.SVG).personal


@pytest.mark.parametrize(
    "data",
    [
        *(traces.with_xmp(kind, traces.SILENT) for kind in ("PNG", "JPEG", "WEBP")),
        traces.with_iptc(80, b"  "),
        traces.with_iptc(90, b"Beijing"),  # a town
        traces.with_iptc(110, b"Agency"),
        traces.with_chunk(b"tEXt", b"Author\x00 "),
        traces.with_chunk(b"zTXt", b"Author\x00\x00no deflate"),
        traces.with_chunk(*traces.packed("exif", b"Exif\x00\x00nothing")),
    ],
)
def test_what_names_nobody_is_silent(data: bytes) -> None:
    assert not properties(data).personal


def test_an_empty_name_in_a_drawing_names_nobody() -> None:
    empty = pieces.SVG.replace(b"><rect", b"><author> </author><text>Wang</text><rect", 1)
    assert not properties(empty).personal
    assert properties(empty.replace(b"> </author>", b">Wang</author>")).person


@pytest.mark.parametrize(
    "data",
    [
        pieces.SVG.replace(b"><rect", b">" + b"<author></author>" * 60_000 + b"<rect", 1),
        b"<x:xmpmeta>" + b"<a>" * 300_000 + b"</x:xmpmeta>",
        b"<x:xmpmeta " * 90_000,
    ],
    ids=["names", "depth", "packets"],
)
def test_what_is_made_to_take_long_does_not(data: bytes) -> None:
    began = time.process_time()
    properties(data)
    assert time.process_time() - began < 3


def test_a_packet_with_entities_is_not_unfolded_and_still_seen() -> None:
    assert properties(traces.with_xmp("JPEG", traces.GROWING)).person


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")
def test_broken_camera_properties_hide_no_packet() -> None:
    data = traces.with_xmp("JPEG", traces.CREATOR)
    broken = data[:2] + b"\xff\xe1\x00\x10Exif\x00\x00II*\x00\xff\xff\xff\xff" + data[2:]
    assert properties(broken).person


@pytest.mark.parametrize("name", TELLING)
def test_nothing_of_it_is_left_of_what_is_taken_in(tmp_path: Path, name: str) -> None:
    ending, made = TELLING[name]
    picture = media.store(tmp_path, f"media/a.{ending}", made())
    stored = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert stored == [media.original(tmp_path, picture.as_json())]
    assert not properties(stored[0]).personal
    for trace in (NAME.encode(), b"GPS", b"xmp", b"8BIM", b"Author", b"Raw profile", b"eXIf", b"Exif"):
        assert trace not in stored[0]
    with Image.open(io.BytesIO(stored[0])) as image:
        assert image.size == (8, 8)


@pytest.mark.parametrize("data", [SVG, SVG_AT_HOME])
def test_a_drawing_that_tells_of_somebody_is_kept_only_as_it_is_served(tmp_path: Path, data: bytes) -> None:
    picture = media.store(tmp_path, "media/a.svg", data)
    (stored,) = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert not properties(stored).personal
    assert media.store(tmp_path, "media/a.svg", stored) == picture  # an export that comes back
    silent = pieces.SVG.replace(b"><rect", b"><!-- drawn by hand --><rect", 1)
    other = media.store(tmp_path, "media/b.svg", silent)
    assert media.original(tmp_path, other.as_json()) == silent


def kept_before(files_dir: Path, data: bytes, ending: str) -> Picture:
    """A picture as it was stored before it was drawn anew: under the hash of what was sent."""
    picture = media.store(files_dir, f"media/door.{ending}", data)
    path = files_dir / "media" / f"0123456789abcdef.{ending}"
    path.write_bytes(data)
    return Picture(path.name, f"media/{path.name}", picture.sha256[::-1], picture.width, picture.height)


def written(session: Session, settings: Settings, name: str, by: int, now: datetime) -> Revision:
    """A draft that shows such a picture; without a name one that tells of nobody."""
    ending, made = TELLING.get(name, ("png", partial(traces.image, "PNG")))
    picture = kept_before(settings.files_dir, made(), ending)
    draft = pieces.draft(pieces.text(body=BODY.format(ending)), {f"media/door.{ending}": picture})
    revision = lifecycle.save(session, draft, by=by, now=now)
    assert revision is not None
    return revision


WRONG = pytest.mark.parametrize(("name", "wrong"), [("PNG author", True), ("IPTC 80", True), ("", False)])


@WRONG
def test_what_was_kept_before_stops_the_way_to_review(
    entered: Callable[[str], FlaskClient], database: Database, settings: Settings, name: str, wrong: bool
) -> None:
    with database.transaction() as session:
        editor = session.exec(select(Staff).where(Staff.login == factories.EDITOR)).one()
        number = written(session, settings, name, editor.id or 0, NOW).id or 0
    client = entered(factories.EDITOR)
    said = client.get("/desk/pieces/stop-first").get_data(as_text=True)
    assert ("拍摄地点或者人的姓名" in said) is wrong
    client.post("/desk/pieces/stop-first/1/submit", data={})
    with database.reading() as session:
        assert history.get(session, number).state == ("draft" if wrong else "submitted")


@WRONG
def test_what_was_kept_before_is_seen_on_the_site(
    command: CliRunner, database: Database, settings: Settings, name: str, wrong: bool
) -> None:
    with database.transaction() as session:
        editor, reviewer = pieces.people(session, NOW)
        revision = written(session, settings, name, editor.id or 0, NOW)
        pieces.onward(session, revision, editor, reviewer, NOW)
    assert command.invoke(content, ["check"]).exit_code == (2 if wrong else 0)


def test_the_same_file_given_once_more_is_drawn_anew(tmp_path: Path) -> None:
    data = TELLING["PNG author"][1]()
    old = tmp_path / "media" / f"{hashlib.sha256(data).hexdigest()[:16]}.png"
    old.parent.mkdir()
    old.write_bytes(data)
    picture = media.store(tmp_path, "media/door.png", data)
    assert picture.file != old.name
    assert not properties((tmp_path / "media" / picture.file).read_bytes()).personal
