"""What a web process of the embedded shape does besides answering: the drain and the scheduler.

`server.json` under home tells the command line how to ask this process, because the embedded reach engine
lets only one process hold its folder.
"""

import json
import multiprocessing.util
import os
import secrets
import threading
from pathlib import Path

import structlog

from core.settings import Settings
from scheduler.jobs import Outgoing
from scheduler.runner import Runner
from tracking.reports import InternalToken
from tracking.store import ReachStore
from webapp.jobs import jobs
from webapp.runtime import Runtime

log = structlog.get_logger()


def start(runtime: Runtime) -> Runner:
    """Open the store, write `server.json`, start every periodic job; all end with the process."""
    settings = runtime.service(Settings)
    runtime.service(ReachStore)
    token = InternalToken(secrets.token_urlsafe(24))
    runtime.offer(InternalToken, lambda _r: token)
    _announce(settings, token)
    runner = Runner(jobs(runtime))
    runner.start()
    # A worker process of the server ends without atexit; this hook runs in both kinds of process.
    multiprocessing.util.Finalize(None, stop, args=(runtime, runner), exitpriority=10)
    return runner


def work(runtime: Runtime, told: threading.Event) -> None:
    """Send what is claimed until told to end, and do nothing else: another machine helps a server this way."""
    line = runtime.service(Outgoing)
    runner = Runner(line.sending_jobs())
    runner.start()
    told.wait()
    runner.stop()
    runtime.close()


def stop(runtime: Runtime, runner: Runner) -> None:
    """Stop the jobs, let go of the store; whatever is in the spool is shipped after the next start."""
    runner.stop()
    _server_file(runtime.service(Settings)).unlink(missing_ok=True)
    runtime.close()


def _server_file(settings: Settings) -> Path:
    return settings.home / "server.json"


def _announce(settings: Settings, token: InternalToken) -> None:
    path = _server_file(settings)
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        json.dump({"url": f"http://{settings.host}:{settings.port}", "token": token.value}, file)
