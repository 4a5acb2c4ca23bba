"""The one Flask-aware corner of `core`: how views and desks reach what `webapp` composed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import Response, current_app, render_template, request
from sqlmodel import Session

from core.database import Database
from core.errors import Invalid
from core.i18n import mark

T = TypeVar("T")
_TYPES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
}


def service(kind: type[T]) -> T:
    """The one instance of `kind` that `webapp.runtime` put together (Settings, Database, ReachStore …)."""
    return cast(T, current_app.extensions["signpost"][kind])


@contextmanager
def transaction() -> Iterator[Session]:
    """A committing session on the application's database."""
    with service(Database).transaction() as session:
        yield session


@contextmanager
def reading() -> Iterator[Session]:
    """A read-only session on the application's database."""
    with service(Database).reading() as session:
        yield session


def render(template: str, page: Any, **extra: Any) -> str:
    """Render a template whose data is one small dataclass, known to it as `page`."""
    return render_template(template, page=page, **extra)


def safe_target(target: str | None, default: str) -> str:
    """`target` if it is a path of this site, else `default`: an open redirect is refused."""
    if not target or "\\" in target or not target.startswith("/") or target.startswith("//"):
        return default
    parts = urlsplit(target)
    return default if parts.scheme or parts.netloc or not target.isprintable() else target


def page_number() -> int:
    """The `?page=` of the request, from 1."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isdigit() and len(text) < 7 else 1


def uploaded(wanted: str = mark("请先选择一个 CSV 或 XLSX 文件。")) -> tuple[str, bytes]:
    """The name and the bytes of what a form brings as `file`; Invalid, in the words of `wanted`, when none was chosen,
    or an empty one."""
    file = request.files.get("file")
    data = file.read() if file else b""
    if file is None or not data:
        raise Invalid(wanted, field="file")
    return file.filename or "", data


def asked_export() -> str:
    """`csv` or `xlsx` where the address asks for the table as a file (`?export=`), else empty."""
    asked = request.args.get("export", "")
    return asked if asked in ("csv", "xlsx") else ""


def attachment(data: bytes, name: str) -> Response:
    """A file to be saved under `name`, whose ending says what it is."""
    answer = Response(data, mimetype=_TYPES.get(name.rpartition(".")[2], "application/octet-stream"))
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
