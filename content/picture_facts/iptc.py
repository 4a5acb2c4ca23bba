"""The IPTC records of a photograph (IIM 4.2): who took it, whom to ask, where exactly it was."""

import re
from collections.abc import Iterator

_PEOPLE = frozenset({80, 118, 122})  # by-line, contact, writer of the caption
_PLACES = frozenset({92})  # sub-location; town and country alone are no trace of anybody
_MARK, _APPLICATION = 0x1C, 2
_BEGIN = re.compile(rb"\x1c[\x01\x02]")


def tells(data: bytes) -> tuple[bool, bool]:
    """Whether the records name a person, and a place."""
    given = {number for number, value in _records(data) if value.strip(b"\x00 ")}
    return not given.isdisjoint(_PEOPLE), not given.isdisjoint(_PLACES)


def _records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Number and value of each field of the application record; a torn one ends them."""
    found = _BEGIN.search(data)
    at = found.start() if found else len(data)
    while at + 5 <= len(data) and data[at] == _MARK:
        record, number = data[at + 1], data[at + 2]
        size, begin = int.from_bytes(data[at + 3 : at + 5], "big"), at + 5
        if size & 0x8000:  # a long field says in how many bytes its size follows
            begin += size & 0x7FFF
            size = int.from_bytes(data[at + 5 : begin], "big")
        at = begin + size
        if record == _APPLICATION:
            yield number, data[begin:at]
