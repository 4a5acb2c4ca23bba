"""The reach store for commands: opened here, or asked of the running server that holds it."""

import json
import urllib.error
import urllib.request
from typing import Any

from core.errors import Conflict, DomainError
from core.i18n import mark
from core.settings import Settings
from tracking.store import ReachStore, StoreBusy
from webapp.commands import runtime

_WAIT = 600.0


def store() -> ReachStore:
    """The reach store; StoreBusy while a server holds it."""
    return runtime().service(ReachStore)


def ask_server(path: str, busy: StoreBusy, *, post: bool = False) -> bytes:
    """Ask the server that holds the store; its address and token are in `server.json`, readable by its owner."""
    file = runtime().service(Settings).home / "server.json"
    if not file.exists():
        raise busy
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    ask = urllib.request.Request(  # noqa: S310  (the address is the one our own server wrote)
        f"{known['url']}/internal/reach/{path}",
        method="POST" if post else "GET",
        headers={"X-Signpost-Token": known["token"], "Accept": "application/json"},
    )
    try:
        with urllib.request.urlopen(ask, timeout=_WAIT) as answer:  # noqa: S310
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        raise DomainError(_sentence(error)) from error
    except urllib.error.URLError as error:
        raise Conflict(
            mark("运行中的服务没有应答（%(url)s），请检查它是否在运行。"), url=known["url"]
        ) from error


def _sentence(error: urllib.error.HTTPError) -> str:
    try:
        return str(json.loads(error.read())["error"]["message"])
    except (ValueError, KeyError):
        return f"HTTP {error.code}"
