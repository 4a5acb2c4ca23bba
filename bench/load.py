"""Programs that the benchmarks start on loopback: nginx, our server, wrk. Each is ended by its own id."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from core.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
_RESTING = 0.3  # seconds of processor within two
THREADS = int(Settings.model_fields["threads"].default)


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder on the same disk as /tmp, removed afterwards."""
    path = Path(tempfile.mkdtemp(prefix="signpost-bench-"))
    path.chmod(0o755)  # nginx drops its powers and could not read a folder of root's
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@dataclass
class Server:
    """A started program that listens on loopback."""

    process: "subprocess.Popen[bytes]"
    port: int

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def kill_now(self) -> None:
        """SIGKILL to the whole process group at once, as when the power of the process is cut."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self._wait_until_gone()

    def stop(self) -> None:
        """End it, and its children, and wait for that."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self._wait_until_gone()
            except subprocess.TimeoutExpired:
                self.kill_now()

    def settle(self, seconds: float = 300) -> None:
        """Wait until what it does by itself after a start (pictures of long graphics) is done: it rests for 4 s."""
        deadline, rested, before = time.monotonic() + seconds, 0, _spent(self.process.pid)
        while rested < 2:
            if time.monotonic() > deadline:
                raise RuntimeError(f"it does not come to rest in {seconds:.0f} s")
            time.sleep(2)
            now = _spent(self.process.pid)
            rested, before = (rested + 1 if now - before < _RESTING else 0), now

    def _wait_until_gone(self) -> None:
        """Wait also for the workers: their files and locks are free only then."""
        self.process.wait(20)
        deadline = time.monotonic() + 20
        while _living(self.process.pid):
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.process.args, 20)
            time.sleep(0.02)


def _spent(root: int) -> float:
    """Seconds of processor that a process and all that descend from it have used."""
    seen = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            said = path.read_text().rpartition(")")[2].split()
            seen[int(path.parent.name)] = (int(said[1]), int(said[11]) + int(said[12]))
    family = {root}
    for number in sorted(seen):
        family |= {number} if seen[number][0] in family else set()
    return sum(seen[number][1] for number in family & seen.keys()) / os.sysconf("SC_CLK_TCK")


def _living(group: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _parent, its_group = path.read_text().rpartition(")")[2].split()[:3]
            threads = len(list((path.parent / "task").iterdir()))
        except (FileNotFoundError, ProcessLookupError):
            continue
        # the first thread of a dying process is a zombie while others still hold its files
        if int(its_group) == group and (state not in "ZX" or threads > 1):
            found.append(int(path.parent.name))
    return found


def start(command: list[str], port: int, environment: Mapping[str, str] | None = None) -> Server:
    """Start a program in a process group of its own and wait until it listens."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **(environment or {})},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    server = Server(process, port)
    try:
        _wait(server)
    except BaseException:
        server.stop()
        raise
    return server


def _wait(server: Server) -> None:
    for _ in range(600):
        if server.process.poll() is not None:
            raise RuntimeError(f"{server.process.args!r} ended with {server.process.returncode}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{server.process.args!r} does not listen on {server.port}")


@contextmanager
def nginx(home: Path, location: str) -> Iterator[Server]:
    """nginx as Debian sets it up, with one worker, a buffered access log and `location` lines."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = home / "nginx.conf"
    config.write_text(
        f"""daemon off; worker_processes 1; pid {home}/nginx.pid; error_log {home}/error.log;
events {{ worker_connections 1024; }}
http {{
  types {{ text/html html; text/css css; text/javascript js; image/svg+xml svg; }}
  access_log {home}/access.log combined buffer=64k flush=1s;
  client_body_temp_path {home}/body; proxy_temp_path {home}/proxy; fastcgi_temp_path {home}/fastcgi;
  uwsgi_temp_path {home}/uwsgi; scgi_temp_path {home}/scgi;
  keepalive_requests 100000000; sendfile on; tcp_nopush on;
  server {{ listen 127.0.0.1:{port}; {location} }}
}}
""",
        encoding="utf-8",
    )
    program = shutil.which("nginx") or "/usr/sbin/nginx"
    server = start([program, "-c", str(config), "-p", str(home)], port)
    try:
        yield server
    finally:
        server.stop()


def serve(target: str, environment: Mapping[str, str]) -> Server:
    """Granian as `signpost serve` starts it: one worker, WSGI, as many threads; `target` is a factory; it
    has come to rest."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--factory"]
    command += ["--blocking-threads", str(THREADS), "--host", "127.0.0.1", "--port", str(port)]
    command += ["--no-ws", "--http", "1", "--log-level", "warning", target]
    server = start(command, port, environment)
    server.settle()
    return server


@dataclass(frozen=True)
class Measured:
    """What wrk saw: answers per second, how many were not 2xx/3xx or failed, how many there were, the slowest 1 %."""

    per_second: float
    bad: int
    answers: int
    p99_ms: float


def wrk(url: str, seconds: int, script: str = "", connections: int = 32) -> Measured:
    """Drive an address for at most 10 seconds, with a Lua script if given."""
    if seconds > 10:
        raise ValueError("a round is at most 10 s")
    with folder() as scratch:
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency"]
        if script:
            path = scratch / "load.lua"
            path.write_text(script, encoding="utf-8")
            command += ["-s", str(path)]
        answer = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    rate = re.search(r"Requests/sec:\s+([\d.]+)", answer)
    answers = re.search(r"(\d+) requests in", answer)
    slow = re.search(r"99%\s+([\d.]+)(us|ms|s|m)\b", answer)
    if rate is None or answers is None or slow is None:
        raise RuntimeError(f"wrk said: {answer}")
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", answer)
    # what wrk calls a time-out (2 s) is answered all the same, and slows the rate down
    failed = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+)", answer)
    missed = sum(map(int, failed.groups())) if failed else 0
    return Measured(float(rate[1]), (int(bad[1]) if bad else 0) + missed, int(answers[1]), _ms(slow))


def _ms(slow: re.Match[str]) -> float:
    """wrk's way of writing a time, in milliseconds."""
    return float(slow[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}[slow[2]]
