"""Files between their upload and the decision to apply them: under home, per person, for a day."""

import re
import secrets
from datetime import datetime
from pathlib import Path

from core.errors import NotFound
from core.i18n import mark

_TOKEN = re.compile(r"^[A-Za-z0-9_-]{22}$")
_KEPT_SECONDS = 24 * 3600


def keep(folder: Path, owner: int, data: bytes, now: datetime) -> str:
    """Store an upload of one person (readable by this installation alone); returns its token."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    clear(folder, now)
    token = secrets.token_urlsafe(16)
    path = folder / f"{owner}-{token}"
    path.touch(mode=0o600)
    path.write_bytes(data)
    return token


def clear(folder: Path, now: datetime) -> int:
    """Delete uploads older than a day; returns how many. A job does so too, for who never comes back."""
    late = [
        old
        for old in (folder.iterdir() if folder.is_dir() else ())
        if now.timestamp() - old.stat().st_mtime > _KEPT_SECONDS
    ]
    for old in late:
        old.unlink(missing_ok=True)
    return len(late)


def content(folder: Path, owner: int, token: str) -> bytes:
    """The bytes of one's own upload; NotFound for anybody else's and for one that is gone."""
    path = folder / f"{owner}-{token}"
    if not _TOKEN.match(token) or not path.is_file():
        raise NotFound(mark("这份上传的文件已经过期，请重新上传。"))
    return path.read_bytes()
