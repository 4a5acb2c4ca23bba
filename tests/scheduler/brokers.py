"""A Redis of our own on loopback, for the tests of the broker."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.servers import free_port


@contextmanager
def redis(folder: Path, port: int | None = None) -> Iterator[str]:
    """The address of a server that keeps nothing; without the program the test is left out, and says so."""
    program, port = shutil.which("redis-server"), port or free_port()
    if program is None:
        pytest.skip("redis-server is not installed: nothing is tried with a broker")
    log = (folder / "redis.log").open("wb")
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        _wait(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait(10)
        log.close()


def _wait(port: int) -> None:
    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise RuntimeError("Redis did not answer within 10 s")
