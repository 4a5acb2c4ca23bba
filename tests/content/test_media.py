"""content.media and content.svg: pictures are what they say they are, and harmless."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from content import media, svg
from core.errors import Invalid, NotFound
from tests.content.pieces import SVG

HEAD = (
    b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 40 30">'
)


def drawn(inside: bytes) -> str:
    return svg.clean(HEAD + inside + b"</svg>")[0].decode()


@pytest.mark.parametrize(
    ("inside", "gone"),
    [
        (b"<script>alert(1)</script>", "alert"),
        (b'<rect onclick="x()"/>', "onclick"),
        (b"<foreignObject><p xmlns='http://www.w3.org/1999/xhtml'>x</p></foreignObject>", "<p"),
        (b'<image href="https://e.example/x.png"/>', "e.example"),
        (b'<use xlink:href="https://e.example/x.svg#a"/>', "e.example"),
        (b'<use href="data:image/svg+xml,x"/>', "data:"),
        (b'<rect style="fill:url(https://e.example)"/>', "e.example"),
        (b'<rect fill="url(//e.example/#a)"/>', "e.example"),
        (b"<style>@import url(https://e.example);</style>", "e.example"),
        (b"<style>rect{fill:u\\72l(https://e.example)}</style>", "e.example"),
        (b'<a href="javascript:x"><rect/></a>', "javascript"),
        (b'<animate attributeName="href" to="javascript:x"/>', "javascript"),
        (b'<set attributeName="onclick" to="x"/>', "onclick"),
        (b'<feImage href="https://e.example"/>', "e.example"),
        (b"<!-- <script> --><?xml-stylesheet href='https://e.example'?>", "e.example"),
    ],
)
def test_what_runs_or_loads_is_left_out(inside: bytes, gone: str) -> None:
    assert gone not in drawn(inside)


def test_what_draws_is_kept() -> None:
    inside = b'<defs><linearGradient id="g"><stop offset="0" stop-color="red"/></linearGradient></defs>'
    inside += b'<style>.a{fill:url(#g)}</style><path class="a" d="M0 0h4" fill="url(#g)"/><text>A &amp; &lt;B</text>'
    made = drawn(inside)
    for kept in (
        'id="g"',
        "linearGradient",
        'fill="url(#g)"',
        ".a{fill:url(#g)}",
        "A &amp; &lt;B",
        'viewBox="0 0 40 30"',
    ):
        assert kept in made
    assert svg.clean(made.encode())[0].decode() == made


@pytest.mark.parametrize(
    "data",
    [
        b"not a picture",
        b"<svg>",
        b'<svg viewBox="0 0 1 1"/>',
        b'<!DOCTYPE svg [<!ENTITY a "b">]>' + SVG,
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        HEAD + b"<g>" * 100 + b"</g>" * 100 + b"</svg>",
    ],
)
def test_what_cannot_be_read_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid):
        svg.clean(data)


@settings(deadline=None)
@given(st.text(max_size=60))
def test_no_text_in_an_attribute_escapes_from_it(value: str) -> None:
    quoted = value.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;").encode("utf-8", "ignore")
    try:
        made = drawn(b'<rect id="' + quoted + b'"/>')
    except Invalid:
        return
    assert made.count("<") == 4
    assert made.count(">") - value.count(">") <= 4


def raster(kind: str, size: tuple[int, int] = (20, 10)) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", size).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg"), ("JPEG", "a.jpeg"), ("WEBP", "a.webp")]
)
def test_rasters_are_known_by_their_signature_and_have_a_size(kind: str, name: str) -> None:
    picture = media.prepare(f"media/{name}", raster(kind)).picture
    assert (picture.width, picture.height) == (20, 10)


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("media/a.png", SVG),
        ("media/a.svg", raster("PNG")),
        ("media/a.png", b"\x89PNG\r\n\x1a\n"),
        ("media/../a.svg", SVG),
        ("media/a.gif", b"GIF89a"),
        ("media/a.svg", SVG + b" " * media.LARGEST["svg"]),
    ],
)
def test_a_picture_that_is_not_what_it_says_is_refused(name: str, data: bytes) -> None:
    with pytest.raises(Invalid):
        media.prepare(name, data)


def test_the_original_is_kept_and_only_the_harmless_one_is_served(tmp_path: Path) -> None:
    wild = HEAD + b"<script>x</script><rect/></svg>"
    picture = media.store(tmp_path, "media/a.svg", wild)
    served, kind = media.served(tmp_path, picture.file)
    assert b"script" not in served
    assert kind == "image/svg+xml"
    assert media.original(tmp_path, picture.as_json()) == wild


@pytest.mark.parametrize("name", ["../secret.key", "0123456789abcdef.html", "0123456789abcdef.svg", "", ".."])
def test_no_other_file_is_served(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.key").write_text("secret")
    (tmp_path / "media").mkdir()
    with pytest.raises(NotFound):
        media.served(tmp_path, name)
