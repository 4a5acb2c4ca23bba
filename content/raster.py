"""Raster pictures drawn anew: only pixels come through, never metadata, tails or a second file inside.

The picture is turned as its camera said, brought to sRGB, and written by us: what is served was never sent.
"""

import io
from typing import Any

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from PIL.JpegImagePlugin import get_sampling

from core.errors import Invalid
from core.i18n import mark

LARGEST_SIDE = 10_000
MOST_PIXELS = 40_000_000
_FORMATS = {"png": "PNG", "jpg": "JPEG", "webp": "WEBP"}
_BROKEN = (
    UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, MemoryError, OverflowError,
    Image.DecompressionBombError, Image.DecompressionBombWarning,
)  # fmt: skip
_SRGB = ImageCms.createProfile("sRGB")


def redrawn(name: str, data: bytes, kind: str, *, ours: bool) -> tuple[bytes, tuple[int, int]]:
    """The picture written anew, and its width and height; Invalid names what is wrong.

    `ours`: these bytes were written here before; they are only measured.
    """
    try:
        with Image.open(io.BytesIO(data), formats=(_FORMATS[kind],)) as image:
            _check(name, image)  # before a pixel is unpacked
            if ours:
                return data, image.size
            options = _options(image, kind, data)
            clean = _pixels(image, kind)
    except _BROKEN as error:
        raise Invalid(mark("图片“%(name)s”读不出来，可能已经损坏。"), field=name, name=name) from error
    out = io.BytesIO()
    clean.save(out, _FORMATS[kind], **options)
    return out.getvalue(), clean.size


def drawn(name: str, data: bytes, kind: str, longest: int) -> Image.Image:
    """The bare pixels of a picture, upright and in sRGB, no side longer than `longest`; Invalid as above."""
    try:
        with Image.open(io.BytesIO(data), formats=(_FORMATS[kind],)) as image:
            _check(name, image)
            if max(image.size) > 2 * longest:
                image.draft("RGB", (longest, longest))  # a JPEG is unpacked small: an eighth of the work
            clean = _pixels(image, "jpg")
    except _BROKEN as error:
        raise Invalid(mark("图片“%(name)s”读不出来，可能已经损坏。"), field=name, name=name) from error
    clean.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return clean


def _check(name: str, image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > LARGEST_SIDE:
        raise Invalid(mark("图片“%(name)s”的边长超过 10000 像素，请缩小。"), field=name, name=name)
    if width * height > MOST_PIXELS:
        raise Invalid(mark("图片“%(name)s”超过 4000 万像素，请缩小。"), field=name, name=name)
    if getattr(image, "is_animated", False):
        raise Invalid(mark("图片“%(name)s”会动，请换成静止的图片：动画打扰阅读。"), field=name, name=name)


def _pixels(image: Image.Image, kind: str) -> Image.Image:
    """The bare pixels, upright, in sRGB, in a mode that the format can hold."""
    profile = image.info.get("icc_profile")
    upright = ImageOps.exif_transpose(image)
    clear = "A" in upright.mode or "transparency" in upright.info
    if kind == "jpg" and upright.mode != "L":
        found = _in_srgb(upright, profile, "RGB")
    elif upright.mode in ("1", "L") and not clear:
        found = upright.convert("L")
    else:
        found = _in_srgb(upright, profile, "RGBA" if clear else "RGB")
    bare = Image.new(found.mode, found.size)
    bare.paste(found)
    return bare


def _in_srgb(image: Image.Image, profile: bytes | None, mode: str) -> Image.Image:
    """The picture with its colours as seen, if its profile can be read; else as numbers stand."""
    if profile and image.mode in ("RGB", "RGBA", "CMYK"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            colours = image.convert("RGB") if image.mode == "RGBA" else image
            seen = ImageCms.profileToProfile(colours, source, _SRGB, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError, ValueError):
            return image.convert(mode)
        if seen is not None:
            if image.mode == "RGBA":
                seen.putalpha(image.getchannel("A"))
            return seen.convert(mode)
    return image.convert(mode)


def _options(image: Image.Image, kind: str, data: bytes) -> dict[str, Any]:
    """How to write it: as finely as it came."""
    if kind == "png":
        return {}
    if kind == "webp":
        return {"lossless": True} if b"VP8L" in data[12:4096] else {"quality": 88, "method": 4}
    tables: dict[int, list[int]] = getattr(image, "quantization", {})
    fine = bool(tables) and all(0 < step < 256 for table in tables.values() for step in table)
    found: dict[str, Any] = {"qtables": tables} if fine and image.mode in ("L", "RGB") else {"quality": 90}
    sampling = get_sampling(image)
    if sampling >= 0:
        found["subsampling"] = sampling
    return {**found, "optimize": True, "progressive": True}
