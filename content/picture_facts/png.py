"""The chunks of a PNG that hold words or properties, also those behind the picture, which a reader may never reach."""

import zlib
from collections.abc import Iterator

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_MOST = 1024 * 1024  # of one text, unpacked
PROFILE = "Raw profile type "


def is_png(data: bytes) -> bool:
    """Whether a file begins as one."""
    return data.startswith(_SIGNATURE)


def texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Keyword and words of every text chunk."""
    for name, body in _chunks(data):
        if name not in (b"tEXt", b"zTXt", b"iTXt"):
            continue
        keyword, _, rest = body.partition(b"\x00")
        if name == b"zTXt":
            rest = _unpacked(rest[1:])
        elif name == b"iTXt":
            packed, words = rest[:1] == b"\x01", rest[2:].split(b"\x00", 2)[-1]
            rest = _unpacked(words) if packed else words
        yield keyword.decode("latin-1"), rest


def exif(data: bytes) -> Iterator[bytes]:
    """The camera's properties, where they stand as a chunk of their own."""
    return (body for name, body in _chunks(data) if name == b"eXIf")


def profile(words: bytes) -> bytes:
    """What ImageMagick keeps of another format: a name and a length, then everything in hexadecimal."""
    try:
        return bytes.fromhex(b"".join(words.split(b"\n")[3:]).decode("ascii"))
    except ValueError:
        return b""


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        yield data[at + 4 : at + 8], data[at + 8 : at + 8 + size]
        at += 12 + size


def _unpacked(packed: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(packed, _MOST)
    except zlib.error:
        return b""
