"""Lines that the drain could not take, set aside: looked at, handed in again once they fit, or thrown away.

Handing in again is a deposit whose name comes from the lines themselves, so doing it twice counts them once.
Nobody mends a line here: what a line should have said is not known.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlmodel import Session

from core.errors import Conflict, NotFound
from core.i18n import gettext, mark
from institution import audit
from tracking.events import COLUMNS, DROP_COLUMNS, KINDS, are_drop_lines, grown, is_line
from tracking.files import write_durably
from tracking.spool import DROPS, REJECTED, TORN, Spool

audit.declare({"reach.resubmit": mark("重新提交搁置的触达"), "reach.discard": mark("丢弃搁置的触达")})

_NAME = re.compile(r"[\w.-]{1,200}", re.ASCII)
_SHOWN = 50
_LONGEST = 65_536  # bytes of a file that are shown
_DATE = re.compile(rb"20\d\d-\d\d-\d\d")
_TIME = re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,3})?")


@dataclass(frozen=True, slots=True)
class Aside:
    """A file of lines set aside: where (`torn` or `rejected`), its name, lines, bytes, Unix time."""

    where: str
    name: str
    lines: int
    size: int
    at: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it can be shown, its number in the file, and what is wrong with it ("": it would be taken)."""

    number: int
    text: str
    fault: str


def every(folder: Path) -> list[Aside]:
    """What was set aside, the latest first."""
    found = []
    for where in (REJECTED, TORN):
        for path in (folder / where).glob("[!.]*"):
            with suppress(FileNotFoundError):
                content, at = path.read_bytes(), path.stat().st_mtime
                found.append(Aside(where, path.name, len(content.splitlines()), len(content), at))
    return sorted(found, key=lambda one: (-one.at, one.name))


def look(folder: Path, where: str, name: str) -> list[Line]:
    """The first lines of a file set aside, each with its fault in words; NotFound."""
    content = _path(folder, where, name).read_bytes()[:_LONGEST]
    drops = name.startswith(DROPS)
    return [
        Line(number, line.rstrip(b"\n").decode("utf-8", "backslashreplace"), fault(line, drops=drops))
        for number, line in enumerate(content.splitlines(keepends=True)[:_SHOWN], 1)
    ]


def resubmit(session: Session, spool: Spool, where: str, name: str) -> int:
    """Hand those lines in again that would be taken now; how many. Conflict when there is none. Audited."""
    path = _path(spool.folder, where, name)
    lines = path.read_bytes().splitlines(keepends=True)
    drops = name.startswith(DROPS)
    good = [grown(line) for line in lines if not fault(line, drops=drops)]
    bad = [line for line in lines if fault(line, drops=drops)]
    if not good:
        raise Conflict(mark("这些行仍然不能入库：每一行的问题都写在旁边。升级之后可以再试，或者丢弃。"))
    content = b"".join(good)
    prefix = DROPS if drops else "again-"
    audit.record(session, "reach.resubmit", "reach", name, after={"lines": len(good), "left": len(bad)})
    audit.settle(session)  # what the database refuses is refused before anything is handed in
    spool.deposit(f"{prefix}{hashlib.sha256(content).hexdigest()[:24]}", [content])
    if bad:
        write_durably(path, b"".join(bad))
    else:
        path.unlink()
    return len(good)


def discard(session: Session, folder: Path, where: str, name: str, *, note: str) -> int:
    """Throw a file of lines away, with the reason why in the audit log; how many lines."""
    path = _path(folder, where, name)
    lines = len(path.read_bytes().splitlines())
    audit.record(session, "reach.discard", "reach", name, before={"lines": lines}, note=note)
    audit.settle(session)
    path.unlink()
    return lines


def fault(line: bytes, *, drops: bool = False) -> str:
    """What the store would not take of a line, naming the column; "" if it would take it."""
    if are_drop_lines(line) if drops else is_line(grown(line)):
        return ""
    if not line.endswith(b"\n"):
        return gettext(mark("没有写完：行尾缺换行符"))
    columns = DROP_COLUMNS if drops else COLUMNS
    fields = line[:-1].split(b"\t")
    if len(fields) != len(columns):
        return gettext(mark("应有 %(wanted)s 列，却有 %(found)s 列")) % {
            "wanted": len(columns),
            "found": len(fields),
        }
    first = next(_faults(dict(zip(columns, fields, strict=True)), drops=drops), None)
    if first is None:
        return gettext(mark("有不能出现的字符，或不是 UTF-8"))
    number = columns.index(first[0]) + 1
    return gettext(mark("第 %(number)s 列 %(name)s：%(rule)s")) % {
        "number": number,
        "name": first[0],
        "rule": gettext(first[1]),
    }


def _faults(given: dict[str, bytes], *, drops: bool) -> Iterator[tuple[str, str]]:
    if not drops and not given["id"]:
        yield "id", mark("不能为空")
    if not drops and not _TIME.fullmatch(given["at"]):
        yield "at", mark("不是时间，应如 2026-09-15 06:30:00.000")
    if not _DATE.fullmatch(given["day"]):
        yield "day", mark("不是日期，应如 2026-09-15")
    if not drops and given["kind"] not in {kind.encode() for kind in KINDS}:
        yield "kind", mark("不认识的种类")
    if not re.fullmatch(rb"-?\d{1,9}", given["quantity"]):
        yield "quantity", mark("不是整数，或超过九位")
    if not drops and not re.fullmatch(rb"\d{1,20}", given["visitor"]):
        yield "visitor", mark("不是编号")


def _path(folder: Path, where: str, name: str) -> Path:
    path = folder / where / name
    if (
        where not in (REJECTED, TORN)
        or not _NAME.fullmatch(name)
        or name.startswith(".")
        or not path.is_file()
    ):
        raise NotFound(mark("没有这份搁置的行，它可能已经处理过了。"))
    return path
