"""Python processes that start at once: forked from one that has loaded the application, not loaded anew.

`Popen` and `run` are `subprocess`'s, for commands of this interpreter (`python -m module …`, `python -c text …`). What they
start is a process like any other, with its own pid, pipes, environment and end, and can be killed at any moment; only
the seconds in which it would import the application are saved. What starts servers of its own goes on as before.
"""

import atexit
import ctypes
import gc
import importlib
import json
import os
import runpy
import socket
import subprocess
import sys
import threading
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
_LOADED = ("webapp.create_app", "webapp.wsgi", "webapp.jobs", "webapp.commands.reach", "webapp.commands.push",
           "webapp.commands.privacy", "scheduler.jobs", "tests.factories")  # fmt: skip
_LONGEST, _FDS = 1 << 20, 3
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): whose parent ended becomes a child of ours
_PIPES = ("in_read", "in_write", "out_read", "out_write", "error_read", "error_write")
_GIVEN = (
    "executable",
    "preexec_fn",
    "close_fds",
    "pass_fds",
    "cwd",
    "env",
    "startupinfo",
    "creationflags",
    "shell",
    *_PIPES,
)
_one_at_a_time = threading.Lock()


class Popen(subprocess.Popen[Any]):
    """`subprocess.Popen` whose process is forked from the one that has loaded everything."""

    def _execute_child(self, args: Any, *more: Any) -> None:
        given = dict(zip(_GIVEN, more, strict=False))
        command = [str(word) for word in args]
        assert command[0] == sys.executable and command[1] in ("-m", "-c"), command
        wish = {
            "command": command[1:],
            "cwd": str(given["cwd"] or Path.cwd()),
            "env": dict(os.environ if given["env"] is None else given["env"]),
        }
        ends = [given[name] for name in _PIPES]
        self.pid = _ask(
            wish, [number if fd == -1 else fd for number, fd in enumerate((ends[0], ends[3], ends[5]))]
        )
        self._child_created = True
        close: Any = getattr(self, "_close_pipe_fds")  # noqa: B009  (not in the stubs)
        close(*ends)


def run(command: list[str], *, timeout: float | None = None, **more: Any) -> subprocess.CompletedProcess[Any]:
    """`subprocess.run` with such a process: `capture_output`, `check` and the rest as there."""
    check = more.pop("check", False)
    if more.pop("capture_output", False):
        more |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with Popen(command, **more) as process:
        try:
            out, err = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    done = subprocess.CompletedProcess(command, process.returncode, out, err)
    if check:
        done.check_returncode()
    return done


def _ask(wish: dict[str, Any], fds: list[int]) -> int:
    with _one_at_a_time:
        line = _loaded()
        adopt(True)
        try:
            socket.send_fds(line, [json.dumps(wish).encode()], fds)
            return int(line.recv(32))
        finally:
            adopt(False)


def adopt(whether: bool) -> None:
    """Become the parent of grandchildren whose parent ends, so that their end is told to us; or no more."""
    assert ctypes.CDLL(None).prctl(_SUBREAPER, int(whether), 0, 0, 0) == 0


@cache
def _loaded() -> socket.socket:
    """The line to the process that has loaded everything; it ends with us."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SIGNPOST_")}
    process = subprocess.Popen(
        [sys.executable, "-m", __name__, str(theirs.fileno())], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()], env={**kept, "PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    theirs.close()
    assert ours.recv(32) == b"ready"

    def end() -> None:
        ours.close()
        process.wait(10)

    atexit.register(end)
    return ours


def _serve(line: socket.socket) -> dict[str, Any] | None:
    """Fork for each wish: in the child return the wish; at the end return None."""
    line.send(b"ready")
    while True:
        text, fds, _flags, _address = socket.recv_fds(line, _LONGEST, _FDS)
        if not text:
            return None
        told, tell = os.pipe()
        middle = os.fork()
        if middle == 0:
            child = os.fork()
            if child == 0:
                line.close()
                for number, fd in enumerate(fds):
                    os.dup2(fd, number)
                os.closerange(3, max(*fds, told, tell) + 1)
                return dict(json.loads(text))
            os.write(tell, str(child).encode())
            os._exit(0)
        os.waitpid(middle, 0)
        line.send(os.read(told, 32))
        for fd in (*fds, told, tell):
            os.close(fd)


def _become(wish: dict[str, Any]) -> None:
    os.chdir(wish["cwd"])
    os.environ.clear()
    os.environ.update(wish["env"])
    kind, what, *arguments = wish["command"]
    sys.argv = [kind, *arguments]
    if kind == "-m":
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


if __name__ == "__main__":
    for name in _LOADED:
        importlib.import_module(name)
    gc.freeze()  # what is loaded is shared with all children: nobody need look through it
    wished = _serve(socket.socket(fileno=int(sys.argv[1])))
    if wished is not None:
        _become(wished)
