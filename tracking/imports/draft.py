"""A file between its upload and the decision to hand it in: read once, kept with its cells.

Reading a large XLSX takes ten seconds and its cells a tenth of one, and a dry run is asked for several times.
"""

import json
import zlib
from dataclasses import dataclass

from tracking.imports import sources, table
from tracking.imports.table import Table


@dataclass(frozen=True, slots=True)
class Draft:
    """A file of a source: its name, its bytes, its cells."""

    source: str
    file_name: str
    data: bytes
    table: Table


def read(source: str, file_name: str, data: bytes) -> Draft:
    """A file just uploaded; Invalid when it is no table, NotFound for an unknown source."""
    name = "".join(letter for letter in file_name.strip() if letter.isprintable())[:200]
    return Draft(sources.get(source).key, name or "—", data, table.read(data))


def packed(draft: Draft) -> bytes:
    """The draft as bytes, to be kept on the disk for a day."""
    found = draft.table
    about = [draft.source, draft.file_name, found.headings, found.rows, found.hash]
    head = zlib.compress(json.dumps(about, ensure_ascii=False).encode("utf-8", "surrogatepass"), 1)
    return len(head).to_bytes(8, "big") + head + draft.data


def unpacked(content: bytes) -> Draft:
    """The draft of these bytes."""
    end = 8 + int.from_bytes(content[:8], "big")
    about = json.loads(zlib.decompress(content[8:end]).decode("utf-8", "surrogatepass"))
    source, file_name, headings, rows, its_hash = about
    cells = Table(tuple(headings), [(number, cells) for number, cells in rows], its_hash)
    return Draft(source, file_name, content[end:], cells)
