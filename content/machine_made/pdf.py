"""The label in a PDF: the file grows by a new catalogue and new properties, as ISO 32000-1 §7.5.6 lets it."""

import re

from content.machine_made.label import FIELD, Label

_PACKET = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>{}<?xpacket end="w"?>'
_START = re.compile(rb"startxref\s+(\d+)\s+%%EOF\s*$")


def labelled(data: bytes, label: Label) -> bytes:
    """The PDF (with a table of references, as Chromium writes it) with this label; ValueError for another."""
    start = _START.search(data)
    trailer = data[data.rindex(b"trailer") :] if start else b""
    root, size = _number(trailer, b"/Root (\\d+) 0 R"), _number(trailer, b"/Size (\\d+)")
    if start is None or root is None or size is None:
        raise ValueError("not a PDF with a table of references")
    info = _number(trailer, b"/Info (\\d+) 0 R")
    packet = _PACKET.format(label.xmp).encode()
    properties = _inside(data, info) if info is not None else b""
    text = b"<FEFF" + label.json.encode("utf-16-be").hex().upper().encode() + b">"
    objects = {
        root: b"<<" + _inside(data, root) + b" /Metadata %d 0 R>>" % size,
        size: b"<</Type /Metadata /Subtype /XML /Length %d>>\nstream\n%s\nendstream" % (len(packet), packet),
        size + 1: b"<<" + properties + b" /%s %s>>" % (FIELD.encode(), text),
    }
    grown, table = bytearray(data if data.endswith(b"\n") else data + b"\n"), []
    for number, body in sorted(objects.items()):
        table.append(b"%d 1\n%010d 00000 n \n" % (number, len(grown)))
        grown += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    grown += (
        b"xref\n%strailer\n<</Size %d /Root %d 0 R /Info %d 0 R /Prev %s>>\nstartxref\n%d\n%%%%EOF\n"
        % (b"".join(table), size + 2, root, size + 1, start[1], len(grown))
    )  # fmt: skip
    return bytes(grown)


def _number(text: bytes, pattern: bytes) -> int | None:
    found = re.search(pattern, text)
    return int(found[1]) if found else None


def _inside(data: bytes, number: int) -> bytes:
    """What stands in the dictionary of an object."""
    found = re.search(rb"(?:^|[\r\n])%d 0 obj\s*<<(.*?)>>\s*endobj" % number, data, re.DOTALL)
    if found is None:
        raise ValueError("not a PDF with a table of references")
    return found[1]
