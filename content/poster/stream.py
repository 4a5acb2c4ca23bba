"""PNG as a stream: what stands above is compressed once, and what differs is added at its end.

A PNG's pixels are rows in one zlib stream. Flushed after the upper rows, that stream can be kept and used as it is; the
rows below are compressed alone and follow, and the checksum of the whole goes on from the one kept (RFC 1950 §9).
"""

import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from content.machine_made.pictures import chunk

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_UP = 2  # a row as its difference from the one above: flat colours become zeros
LEVEL, QUICK = 6, 3


@dataclass(frozen=True, slots=True)
class Upper:
    """The upper rows: their part of the stream as a finished IDAT chunk, its running checksum, width and height."""

    idat: bytes
    checksum: int
    width: int
    height: int


class Packer:
    """Compresses the upper rows stretch by stretch, as they come."""

    def __init__(self, level: int = QUICK) -> None:
        self._packer, self._packed = zlib.compressobj(level), bytearray()
        self._checksum, self._width, self._height = 1, 0, 0

    def add(self, image: Image.Image) -> None:
        """The next rows, an RGB picture."""
        rows = _rows(image)
        self._packed += self._packer.compress(rows)
        self._checksum = zlib.adler32(rows, self._checksum)
        self._width, self._height = image.width, self._height + image.height

    def done(self) -> Upper:
        """All of them, so that more can follow."""
        self._packed += self._packer.flush(zlib.Z_FULL_FLUSH)
        return Upper(chunk(b"IDAT", bytes(self._packed)), self._checksum, self._width, self._height)


def begin(image: Image.Image) -> Upper:
    """Compress an RGB picture so that more rows can follow."""
    packer = Packer(LEVEL)
    packer.add(image)
    return packer.done()


def finish(upper: Upper, below: Image.Image, more: bytes = b"", level: int = QUICK) -> bytes:
    """The whole PNG: the upper rows, and an RGB picture of the same width below; `more` are chunks before the pixels."""
    rows = _rows(below)
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    tail = packer.compress(rows) + packer.flush()
    tail += zlib.adler32(rows, upper.checksum).to_bytes(4, "big")
    return b"".join(
        (_head(upper.width, upper.height + below.height), more, upper.idat, chunk(b"IDAT", tail), _END)
    )


def whole(image: Image.Image, more: bytes = b"", level: int = LEVEL) -> bytes:
    """A PNG of an RGB picture at once."""
    return b"".join((_head(*image.size), more, chunk(b"IDAT", zlib.compress(_rows(image), level)), _END))


def _head(width: int, height: int) -> bytes:
    size = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return _SIGNATURE + chunk(
        b"IHDR", size + bytes((8, 2, 0, 0, 0))
    )  # 8 bits of red, green, blue; not interlaced


_END = chunk(b"IEND", b"")


def _rows(image: Image.Image) -> memoryview:
    """The filtered rows of a picture; the first leans on nothing, so that it may follow any other."""
    pixels = np.asarray(image, dtype=np.uint8).reshape(image.height, image.width * 3)
    found = np.empty((image.height, 1 + image.width * 3), dtype=np.uint8)
    found[0, 0], found[0, 1:] = 0, pixels[0]
    found[1:, 0] = _UP
    np.subtract(pixels[1:], pixels[:-1], out=found[1:, 1:])
    return found.data
