"""content.raster: what is served was drawn here; metadata, tails, second files and bombs stay outside."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from content import media, raster
from core.errors import Invalid

PAYLOAD = b"<script>alert(1)</script><?php system('id'); ?>PK\x03\x04"
KINDS = [("PNG", "a.png"), ("JPEG", "a.jpg"), ("WEBP", "a.webp")]


def drawn(kind: str, size: tuple[int, int] = (24, 12), mode: str = "RGB", **options: Any) -> bytes:
    image = Image.new(mode, size, (200, 30, 40, 128)[: len(mode)] if mode != "L" else 90)
    image.paste((0, 0, 255, 255)[: len(mode)] if mode != "L" else 0, (0, 0, 4, 4))
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def with_everything(kind: str) -> bytes:
    """A picture with a place, a comment, a script in both, and another file behind it."""
    exif = Image.Exif()
    exif[0x010E] = PAYLOAD.decode("latin-1")
    exif.get_ifd(0x8825)[1] = "N"
    options: dict[str, Any] = {"exif": exif.tobytes()}
    if kind == "JPEG":
        options["comment"] = PAYLOAD
    if kind == "WEBP":
        options["xmp"] = PAYLOAD
    data = drawn(kind, **options)
    if kind == "PNG":
        text = b"Comment\x00" + PAYLOAD
        chunk = struct.pack(">I", len(text)) + b"tEXt" + text + struct.pack(">I", zlib.crc32(b"tEXt" + text))
        data = data[:33] + chunk + data[33:]
    return data + PAYLOAD


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_nothing_but_pixels_comes_through(tmp_path: Path, kind: str, name: str) -> None:
    sent = with_everything(kind)
    assert PAYLOAD in sent
    picture = media.store(tmp_path, f"media/{name}", sent)
    kept = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(kept) == 1
    for part in (b"script", b"php", b"PK\x03\x04", b"Exif", b"EXIF", b"XMP", b"tEXt"):
        assert part not in kept[0]
    with Image.open(io.BytesIO(kept[0])) as image:
        assert not image.getexif() and image.size == (24, 12) == (picture.width, picture.height)


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_what_was_drawn_here_comes_back_unchanged(tmp_path: Path, kind: str, name: str) -> None:
    first = media.store(tmp_path, f"media/{name}", with_everything(kind))
    exported = media.original(tmp_path, first.as_json())
    assert media.store(tmp_path, f"media/{name}", exported) == first
    assert media.prepare(f"media/{name}", with_everything(kind)).picture == first


def test_a_telephone_held_sideways_is_put_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = media.prepare("media/a.jpg", drawn("JPEG", exif=exif.tobytes()))
    assert (picture.picture.width, picture.picture.height) == (12, 24)
    (served,) = picture.files.values()
    with Image.open(io.BytesIO(served)) as image:
        red, _green, blue = image.convert("RGB").getpixel((11, 0))  # type: ignore[misc]
        assert blue > red


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "L", "1", "I;16", "RGB"])
def test_every_mode_of_png_is_taken_and_what_is_clear_stays_clear(mode: str) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).convert("RGBA" if mode == "I;16" else mode).save(out, "PNG")
    if mode == "I;16":
        out = io.BytesIO()
        Image.new("I;16", (8, 8)).save(out, "PNG")
    served, size = raster.redrawn("a", out.getvalue(), "png", ours=False)
    assert size == (8, 8)
    with Image.open(io.BytesIO(served)) as image:
        assert (image.mode == "RGBA" and image.getpixel((0, 0))[3] == 0) == (mode in ("RGBA", "LA", "P"))  # type: ignore[index]


def test_colours_of_another_space_are_brought_to_srgb_and_cmyk_is_taken() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for data in (
        drawn("JPEG", icc_profile=profile),
        drawn("JPEG", mode="CMYK"),
        drawn("JPEG", icc_profile=b"x"),
    ):
        served, _size = raster.redrawn("a", data, "jpg", ours=False)
        with Image.open(io.BytesIO(served)) as image:
            assert image.mode == "RGB" and "icc_profile" not in image.info


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_moves_is_refused_in_a_sentence(kind: str) -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    out = io.BytesIO()
    frames[0].save(out, kind, save_all=True, append_images=frames[1:])
    name = "media/a.png" if kind == "PNG" else "media/a.webp"
    with pytest.raises(Invalid, match="会动"):
        media.prepare(name, out.getvalue())


def bomb(width: int, height: int) -> bytes:
    """A PNG of some kilobytes that claims to be huge."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(b"\x00" * 100_000, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(9_999, 9_999), (60_000, 60_000), (2_000_000_000, 2), (20_000, 10)])
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    with pytest.raises(Invalid):
        media.prepare("media/a.png", bomb(*size))


@pytest.mark.parametrize(("kind", "name"), KINDS)
def test_a_picture_cut_off_is_refused(kind: str, name: str) -> None:
    data = drawn(kind, size=(400, 300))
    for length in (9, 20, len(data) // 2):
        with pytest.raises(Invalid):
            media.prepare(f"media/{name}", data[:length])


def test_a_polyglot_of_two_kinds_is_taken_for_what_it_begins_as() -> None:
    both = drawn("PNG") + drawn("JPEG")
    with pytest.raises(Invalid):
        media.prepare("media/a.jpg", both)
    (served,) = media.prepare("media/a.png", both).files.values()
    assert b"\xff\xd8\xff" not in served
