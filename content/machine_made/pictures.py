"""The label in PNG, JPEG, WebP and SVG: put in and taken out without touching a pixel."""

import io
import re
import zlib
from collections.abc import Iterator

from PIL import Image

from content.machine_made.label import FIELD, Label

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_XMP = b"XML:com.adobe.xmp"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\x00"
_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="w"?>'
_IN_SVG = re.compile(rb'<metadata id="aigc">.*?</metadata>', re.DOTALL)
_ROOT = re.compile(rb"""<svg\b(?:[^>"']|"[^"]*"|'[^']*')*>""")
_XMP_FLAG, _ALPHA_FLAG = 0x04, 0x10


def labelled(data: bytes, kind: str, label: Label) -> bytes:
    """The picture (`kind`: png, jpg, webp, svg) with this label and no other."""
    return {"png": _png, "jpg": _jpeg, "webp": _webp, "svg": _svg}[kind](bare(data, kind), label)


def bare(data: bytes, kind: str) -> bytes:
    """The picture without a label of ours; what never had one comes back as it is."""
    if kind == "svg":
        return _IN_SVG.sub(b"", data)
    if FIELD.encode() not in data:
        return data
    try:
        return {"png": _bare_png, "jpg": _bare_jpeg, "webp": _bare_webp}[kind](data)
    except (ValueError, IndexError):
        return data  # it is broken: whoever reads it says so


def chunk(name: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return len(body).to_bytes(4, "big") + name + body + zlib.crc32(name + body).to_bytes(4, "big")


def png_chunks(label: Label) -> bytes:
    """The label as chunks of a PNG; they stand before the picture's data."""
    text = chunk(b"tEXt", FIELD.encode() + b"\x00" + label.json.encode())
    return text + chunk(b"iTXt", _PNG_XMP + bytes(5) + _packet(label))


def _packet(label: Label) -> bytes:
    return _PACKET.format(label.xmp).encode()


def _png(data: bytes, label: Label) -> bytes:
    head = 8 + 25  # signature and IHDR
    return data[:head] + png_chunks(label) + data[head:]


def _bare_png(data: bytes) -> bytes:
    kept, at = [data[:8]], 8
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4], "big")
        name, word = data[at + 4 : at + 8], data[at + 8 : end].partition(b"\x00")[0]
        if not (name in (b"tEXt", b"iTXt") and word in (FIELD.encode(), _PNG_XMP)):
            kept.append(data[at:end])
        at = end
    return b"".join(kept)


def _jpeg(data: bytes, label: Label) -> bytes:
    body = _JPEG_XMP + _packet(label)
    at = 2
    if data[2:4] == b"\xff\xe0":  # JFIF wants to stand first
        at += 2 + int.from_bytes(data[4:6], "big")
    return data[:at] + b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body + data[at:]


def _bare_jpeg(data: bytes) -> bytes:
    kept, at = [data[:2]], 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:  # up to the scan
        end = at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if not (data[at + 1] == 0xE1 and data[at + 4 : end].startswith(_JPEG_XMP)):
            kept.append(data[at:end])
        at = end
    return b"".join([*kept, data[at:]])


def _riff(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield data[at : at + 4], data[at + 8 : at + 8 + size]
        at += 8 + size + size % 2


def _as_riff(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"".join(
        name + len(part).to_bytes(4, "little") + part + b"\x00" * (len(part) % 2) for name, part in chunks
    )
    return b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body


def _webp(data: bytes, label: Label) -> bytes:
    chunks = list(_riff(data))
    if chunks[0][0] == b"VP8X":
        head = bytearray(chunks.pop(0)[1])
    else:
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
            width, height, clear = *image.size, "A" in image.mode
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        head = bytearray(bytes([_ALPHA_FLAG * clear, 0, 0, 0]) + sides)
    head[0] |= _XMP_FLAG
    return _as_riff([(b"VP8X", bytes(head)), *chunks, (b"XMP ", _packet(label))])


def _bare_webp(data: bytes) -> bytes:
    """Back to the simple form where only the label had made it an extended one."""
    chunks = [(name, body) for name, body in _riff(data) if name != b"XMP "]
    if chunks and chunks[0][0] == b"VP8X":
        head = bytearray(chunks[0][1])
        head[0] &= ~_XMP_FLAG
        simple = len(chunks) == 2 and chunks[1][0] in (b"VP8 ", b"VP8L")
        chunks[0:1] = [] if simple else [(b"VP8X", bytes(head))]
    return _as_riff(chunks)


def _svg(data: bytes, label: Label) -> bytes:
    root = _ROOT.search(data)
    if root is None:
        return data
    inside = f'<metadata id="aigc">{label.xmp}</metadata>'.encode()
    if root[0].endswith(b"/>"):
        return data[: root.end() - 2] + b">" + inside + b"</svg>" + data[root.end() :]
    return data[: root.end()] + inside + data[root.end() :]
