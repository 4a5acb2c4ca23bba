"""Starts, stops and kills HTTP fronts of the engine, and gives each test a database of its own on one."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests import servers
from tests.tracking import http_front

ROOT = Path(__file__).resolve().parent.parent.parent
CLUSTER = "front"
KINDS = ("embedded", "server", "cluster")


@dataclass
class FrontServer:
    """A front on a port and folder that it keeps when it is started again."""

    folder: Path
    cluster: str = ""
    port: int = field(default_factory=servers.free_port)
    password: str = field(default_factory=lambda: secrets.token_hex(8))
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Run it; returns when it answers."""
        command = [sys.executable, "-m", http_front.__name__, str(self.folder), str(self.port)]
        self.process = subprocess.Popen(
            [*command, *([self.cluster] if self.cluster else [])],
            cwd=ROOT,
            env={**os.environ, "FRONT_PASSWORD": self.password},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == b"ready\n"

    def kill(self) -> None:
        """As a power cut would."""
        if self.process is None:
            return
        self.process.kill()
        self.process.wait(20)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()
        self.process = None

    def url(self, database: str = "", password: str = "") -> str:
        """The address for SIGNPOST_REACH_URL; a fresh database unless named."""
        database = database or f"t{secrets.token_hex(6)}"
        options = f"?cluster={self.cluster}" if self.cluster else ""
        return f"clickhouse://{http_front.USER}:{password or self.password}@127.0.0.1:{self.port}/{database}{options}"


@contextmanager
def front(folder: Path, cluster: str = "") -> Iterator[FrontServer]:
    """A running front."""
    server = FrontServer(folder, cluster)
    server.start()
    try:
        yield server
    finally:
        server.kill()


Fronts = dict[str, FrontServer]
