"""The rows of an import between reading and writing: files under home that only this installation opens, sealed.

The folder of an import holds `upload` until it is read, then `page-0000-0 …` (good rows, by page and by who put them
there) and `faults` (bad ones, as they were written). Each line of those is one ciphertext of many rows.
"""

import json
import marshal
import os
import shutil
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from campaign.audience_columns import BadRow
from campaign.audience_rows import ContactRow
from core.errors import Invalid
from core.privacy import Vault

_TOGETHER = 100  # rows in one ciphertext
_WRITERS = 2  # this process, and one beside it
_PIECE = 1 << 20


class Staged:
    """The folder of one import. Who puts rows into its pages beside another has a number of its own, below _WRITERS."""

    def __init__(self, folder: Path, vault: Vault, writer: int = 0) -> None:
        self.folder, self._vault, self._writer = folder, vault, writer
        self._waiting: dict[str, list[list[Any]]] = {}
        self._pages: dict[int, list[bytes]] = {}

    def of(self, writer: int) -> "Staged":
        """The same folder for another one who puts rows into it."""
        return Staged(self.folder, self._vault, writer)

    @property
    def upload(self) -> Path:
        """The file as it came; gone once it was read."""
        return self.folder / "upload"

    def save(self, stream: BinaryIO) -> int:
        """Keep an upload, for the eyes of this installation alone; its bytes."""
        self.folder.mkdir(parents=True, mode=0o700)
        handle = os.open(self.upload, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            shutil.copyfileobj(stream, file, _PIECE)
            file.flush()
            os.fsync(file.fileno())
            return file.tell()

    def begin(self) -> None:
        """Forget what an interrupted reading left."""
        self._waiting.clear()
        self._pages.clear()
        for path in self._files():
            path.unlink()

    def put_header(self, header: list[str]) -> None:
        """The columns as the file calls them, for the file of bad rows."""
        self._add("header", header)
        self._flush("header")

    def header(self) -> list[str]:
        """The columns as the file calls them."""
        return next(self._lines("header"), [])

    def put(self, page: int, row: ContactRow) -> None:
        """Add a good row to a page."""
        rows = self._pages.setdefault(page, [])
        rows.append(_packed(row))
        if len(rows) >= _TOGETHER:
            self._put_down(page)

    def put_bad(self, row: BadRow) -> None:
        """Add a bad row."""
        self._add("faults", [row.line, row.column, row.error.message, row.error.params, row.cells])

    def finish(self) -> None:
        """Everything on disk, whoever put it there, also when the power goes; the upload is deleted by `forget_upload`."""
        self.flush()
        for path in self._files():
            with path.open("rb") as file:
                os.fsync(file.fileno())

    def forget_upload(self) -> None:
        """The file was read, and is needed no longer."""
        self.upload.unlink(missing_ok=True)

    def page(self, number: int) -> list[ContactRow]:
        """The good rows of a page, in the order of the file."""
        older, *files = _page_names(number)
        rows = [_of_json(cells) for cells in self._lines(older)]
        rows += [cells for name in files for text in self._texts(name) for cells in _unpacked(text)]
        moments: dict[str, datetime] = {}
        return sorted(_row(cells, moments) for cells in rows)

    def replace(self, number: int, rows: Sequence[ContactRow]) -> None:
        """Write a page anew."""
        for name in _page_names(number):
            (self.folder / name).unlink(missing_ok=True)
        for row in rows:
            self.put(number, row)
        self.flush()

    def faults(self, limit: int | None = None) -> list[BadRow]:
        """The first bad rows, in the order of the file."""
        found = sorted(self._lines("faults"), key=lambda one: int(one[0]))[:limit]
        return [
            BadRow(line, column, Invalid(message, **params), tuple(cells))
            for line, column, message, params, cells in found
        ]

    def forget_rows(self) -> None:
        """The good rows stand in the database: only the bad ones are kept, to be downloaded."""
        for path in self._files():
            if path.name.startswith("page-"):
                path.unlink()

    def _files(self) -> list[Path]:
        return [path for path in self.folder.iterdir() if path.name != "upload"]

    def _add(self, name: str, cells: list[Any]) -> None:
        waiting = self._waiting.setdefault(name, [])
        waiting.append(cells)
        if len(waiting) >= _TOGETHER:
            self._flush(name)

    def flush(self) -> None:
        """What was put here, for others to read."""
        for name in list(self._waiting):
            self._flush(name)
        for page in list(self._pages):
            self._put_down(page)

    def _flush(self, name: str) -> None:
        waiting = self._waiting.pop(name, None)
        if waiting:
            self._write(name, json.dumps(waiting, ensure_ascii=False))

    def _put_down(self, page: int) -> None:
        together = marshal.dumps(self._pages.pop(page)).decode("latin-1")
        self._write(_page_names(page)[1 + self._writer], together)

    def _write(self, name: str, text: str) -> None:
        handle = os.open(self.folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(handle, "a", encoding="ascii") as file:
            file.write(self._vault.encrypt(text) + "\n")

    def _lines(self, name: str) -> Iterator[list[Any]]:
        for text in self._texts(name):
            yield from json.loads(text)

    def _texts(self, name: str) -> Iterator[str]:
        path = self.folder / name
        if path.is_file():
            with path.open(encoding="ascii") as file:
                for line in file:
                    yield self._vault.decrypt(line.strip())


def _page_names(number: int) -> tuple[str, ...]:
    """The files of a page: of an older version, then by who put the rows there."""
    name = f"page-{number:04}"
    return (name, *(f"{name}-{writer}" for writer in range(_WRITERS)))


def _packed(row: ContactRow) -> bytes:
    """A good row as it is kept: in the form of Python's own modules, which takes a tenth of the time of JSON. At once,
    because many wait for their page to be full, and as objects they would be more than a processor has at hand."""
    return marshal.dumps((*row[:-3], row.given_at.isoformat(), *row[-2:]))


def _unpacked(text: str) -> Iterator[tuple[Any, ...]]:
    """The rows again; a former version kept them together. Only what was sealed here is ever read."""
    for one in marshal.loads(text.encode("latin-1")):  # noqa: S302
        yield marshal.loads(one) if isinstance(one, bytes) else one  # noqa: S302


def _of_json(cells: list[Any]) -> tuple[Any, ...]:
    """A row as an older version kept it: an import may wait for a person while the program is replaced."""
    addresses, words = tuple(map(tuple, cells[2])), map(tuple, cells[6:9])
    return (*cells[:2], addresses, *cells[3:6], *words, *cells[9:])


def _row(cells: Sequence[Any], moments: dict[str, datetime]) -> ContactRow:
    at = moments.get(cells[-3])
    if at is None:
        at = moments[cells[-3]] = datetime.fromisoformat(cells[-3])
    return ContactRow._make((*cells[:-3], at, *cells[-2:]))
