"""The sandbox beside the demo institution: `serve` runs it, so that a newcomer sees a push arrive without any account.

Only while the demo's tree is loaded, only on loopback, and never beside a tree of one's own.
"""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from sqlmodel import Session, col, select
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from core.settings import Settings
from institution.models import Outlet
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.inbox import Inbox
from scheduler.sandbox.kept import Kept
from scheduler.sandbox.registry import besides, filled

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    """Addresses of calls hold keys: they are not written down."""

    def log(self, type: str, message: str, *args: Any) -> None:
        """Say nothing."""


def is_wanted(session: Session, settings: Settings) -> bool:
    """Whether `serve` runs the sandbox: the setting allows it and the demo institution is loaded."""
    if not settings.sandbox_port:
        return False
    return session.exec(select(Outlet.code).where(col(Outlet.demo)).limit(1)).first() is not None


def server(port: int, app: Any) -> BaseWSGIServer:
    """A server on loopback; OSError when the port is taken."""
    try:
        return make_server(HOST, port, app, threaded=True, request_handler=_Quiet)
    except SystemExit as error:
        raise OSError("the port is taken") from error


@contextmanager
def running(settings: Settings) -> Iterator[Sandbox]:
    """The stand-ins on the port of the settings for the length of a block, in a thread; OSError when it is taken."""
    platforms = filled(Kept(settings.home / "sandbox.jsonl"))
    with ExitStack() as stack:
        ports = stack.enter_context(besides(platforms, settings.sandbox_port + 1))
        inbox = Inbox(platforms, locale=settings.locale, zone=settings.zone, ports=ports)
        listening = server(settings.sandbox_port, inbox)
        stack.callback(listening.server_close)
        thread = threading.Thread(target=listening.serve_forever, args=(0.2,), name="sandbox", daemon=True)
        thread.start()
        stack.callback(listening.shutdown)
        yield platforms
