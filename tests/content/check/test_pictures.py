"""What a picture's file tells beside the picture."""

import io
from datetime import date

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from content.check import checking
from tests.content import pieces

ON = date(2026, 11, 26)


def jpeg(*, gps: bool = False, artist: str = "", software: str = "") -> bytes:
    """A small photograph with these properties."""
    exif = Image.Exif()
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitude] = (39.0, 54.0, 20.0)
    if artist:
        exif[ExifTags.Base.Artist] = artist
    if software:
        exif[ExifTags.Base.Software] = software
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#abc").save(out, "JPEG", exif=exif)
    return out.getvalue()


def png(**words: str) -> bytes:
    """A small drawing with these text chunks."""
    info = PngImagePlugin.PngInfo()
    for name, value in words.items():
        info.add_text(name, value)
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "#abc").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def found(data: bytes, **meta: object) -> list[tuple[str, str]]:
    """Rule and picture of what is found in a piece with this one picture."""
    findings = checking.check("a.md", "文字。", meta, on=ON, pictures={"media/x.jpg": data})
    return [(one.rule, one.excerpt) for one in findings]


@pytest.mark.parametrize(
    "data",
    [
        jpeg(gps=True),
        jpeg(artist="王小明"),
        png(Author="王小明"),
        b'<svg xmlns="x"><metadata><dc:creator>Wang</dc:creator></metadata></svg>',
    ],
    ids=["gps", "artist", "png", "svg"],
)
def test_a_place_or_a_name_is_found(data: bytes) -> None:
    assert found(data) == [("picture-data", "media/x.jpg")]


@pytest.mark.parametrize("data", [jpeg(), png(Title="x"), pieces.SVG, b"no picture", b""])
def test_a_picture_that_tells_nothing_is_clean(data: bytes) -> None:
    assert found(data) == []


@pytest.mark.parametrize("data", [png(AIGC='{"Label":"1"}'), jpeg(software="Midjourney 7")])
def test_what_a_machine_drew_needs_the_label(data: bytes) -> None:
    assert found(data) == [("ai-label", "media/x.jpg")]
    label = {"what": ["pictures"], "tool": "某工具", "editor": "王编辑"}
    assert found(data, ai_generated=label) == []
