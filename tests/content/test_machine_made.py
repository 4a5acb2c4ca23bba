"""The label of what a machine made: in every kind of file, read back by others, and gone again from what comes back."""

import io
import json
import re
from datetime import datetime
from html import unescape
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image

from content import history, library, media
from content.machine_made import label, pdf, pictures
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces

META = {"key": "a-voice", "ai_generated": {"what": ["pictures"], "tool": "画图工具", "editor": "林编辑"}}
MORE = "ai_generated: {what: [pictures], tool: 画图工具, editor: 林编辑}\n"
FIELDS = {
    "Label", "ContentProducer", "ProduceID", "ReservedCode1", "ContentPropagator", "PropagateID", "ReservedCode2"
}  # fmt: skip


def raster(form: str, mode: str = "RGB", **options: object) -> bytes:
    out = io.BytesIO()
    Image.new(mode, (40, 30), "#3a7").save(out, form, **options)
    return out.getvalue()


def said(data: bytes, kind: str) -> dict[str, str]:
    """What Pillow (or the text of an SVG) finds of the label; empty when there is none."""
    if kind == "svg":
        packet = data.decode()
    else:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            found = image.info.get("xmp", b"")
            packet = found.decode() if isinstance(found, bytes) else found
            if kind == "png" and packet:
                assert json.loads(image.info["AIGC"])["Label"] == "1"
    text = re.search(r"<TC260:AIGC>(.*?)</TC260:AIGC>", packet)
    return json.loads(unescape(text[1])) if text else {}


KINDS = [
    ("png", raster("PNG")), ("jpg", raster("JPEG")), ("webp", raster("WEBP", lossless=True)),
    ("webp", raster("WEBP", "RGBA", lossless=True)), ("webp", raster("WEBP", quality=80)), ("svg", pieces.SVG),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "data"), KINDS)
def test_each_kind_carries_it_once_and_gives_it_back(kind: str, data: bytes) -> None:
    made = label.of(META, "示范<人寿>&公司")
    assert made is not None and not said(data, kind)
    labelled = pictures.labelled(data, kind, made)
    assert set(said(labelled, kind)) == FIELDS
    assert said(labelled, kind)["ContentProducer"] == "画图工具"
    assert said(labelled, kind)["ContentPropagator"] == "示范<人寿>&公司"
    assert pictures.labelled(labelled, kind, made) == labelled
    assert pictures.bare(labelled, kind) == data
    if kind != "svg":
        with Image.open(io.BytesIO(labelled)) as one, Image.open(io.BytesIO(data)) as other:
            assert (one.mode, one.tobytes()) == (other.mode, other.tobytes())


def test_a_broken_picture_is_left_to_who_reads_it() -> None:
    assert pictures.bare(b"\x89PNG\r\n\x1a\nAIGC", "png").startswith(b"\x89PNG")
    assert pictures.bare(b"\xff\xd8\xffAIGC", "jpg").startswith(b"\xff\xd8")
    with pytest.raises(ValueError, match="PDF"):
        pdf.labelled(b"%PDF-1.4 nothing", label.Label("", "", "", ""))


def test_only_what_a_machine_made_is_labelled() -> None:
    assert label.of({"key": "x"}, "") is None
    words = {"key": "x", "ai_generated": {"what": ["text"], "tool": "t", "editor": "e"}}
    assert label.of(words, "") is not None
    assert label.of(words, "", only="pictures") is None


def test_pictures_are_served_and_exported_with_it_and_come_back_unchanged(
    app: Flask, database: Database, cast: dict[str, Staff], now: datetime, tmp_path: Path
) -> None:
    files = app.extensions["signpost"].service(Settings).files_dir
    shown = "\n/// picture | media/one.{}\n    alt: 一幅画\n///\n"
    given = [
        pieces.text("a-voice", body=pieces.BODY + shown.format("svg") + shown.format("png"), more=MORE),
        pieces.text("by-hand", body=pieces.BODY + "\n/// picture | media/two.png\n    alt: 一幅画\n///\n"),
    ]
    drawn = {
        "media/one.svg": pieces.SVG, "media/one.png": raster("PNG"), "media/two.png": raster("PNG", "L")
    }  # fmt: skip
    folder = pieces.folder(tmp_path / "in", *given, pictures=drawn)
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    with database.transaction() as session:
        pieces.publish_folder(session, files, folder, (editor, reviewer), now)
    client = app.test_client()
    with database.reading() as session:
        known = {one.piece_key: one.media for one in history.newest_of_all(session)}
        library.save_folder(session, files, tmp_path / "out", institution="示范人寿")
    for name, picture in known["a-voice"].items():
        kind = name.rpartition(".")[2]
        answer = client.get(f"/media/{picture['file']}", headers={"Accept-Encoding": "identity"})
        assert said(answer.data, kind)["ProduceID"] == "a-voice", name
        assert said((tmp_path / "out" / name).read_bytes(), kind)["ContentPropagator"] == "示范人寿"
    other = known["by-hand"]["media/two.png"]["file"]
    assert not said(client.get(f"/media/{other}").data, "png")
    assert not said((tmp_path / "out" / "media/two.png").read_bytes(), "png")
    with database.transaction() as session:
        again = library.load_folder(session, files, tmp_path / "out", by=editor.id or 0, now=now)
    assert (again.created, again.changed, len(again.unchanged)) == ((), (), 2)
    assert media.original(files, known["a-voice"]["media/one.svg"]) == pieces.SVG
