"""Work done beside this process, by a process of its own on another core: an object there, whose verbs are asked here.

Python runs one thread at a time, so what is long and nothing but computing takes half as long in two processes. The
object is made there of a class and what it needs, which go through a private line as all that is asked: nothing of it
stands in a command, in the environment or on disk. The process ends with whoever started it, however that ends.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Any, Self

from core.steadying import spare_rounds

# Modules are looked for where this process looks for them, and nowhere before that.
_BEGIN = """
import sys
number, sys.path[:] = int(sys.argv[1]), sys.argv[2:]
from multiprocessing.connection import Connection
from core import beside
try:
    beside.serve(Connection(number))
except (EOFError, OSError):
    pass
"""


class Lost(Exception):
    """The process beside did not start or ended, or its object failed: then the message names the kind of error, and
    nothing of data."""


def has_room() -> bool:
    """Whether there is a second core to work on."""
    return (os.cpu_count() or 1) > 1


class Beside:
    """`made(*given)` in a process of its own. Used as a context: behind it the process is gone."""

    def __init__(self, made: Callable[..., Any], *given: Any) -> None:
        here, there = socket.socketpair()
        with here, there:
            command = [sys.executable, "-c", _BEGIN, str(there.fileno()), *sys.path]
            try:
                self._process = subprocess.Popen(  # noqa: S603  (our own interpreter and module)
                    command, pass_fds=[there.fileno()], stdin=subprocess.DEVNULL
                )
            except OSError as error:
                raise Lost("not started") from error
            self._line = Connection(here.detach())
        self._turns = ThreadPoolExecutor(1, "beside")
        self._begun = self._turns.submit(self._answered, made, given)

    @property
    def has_begun(self) -> bool:
        """Whether the object is there, for which modules must be loaded first: what is asked before may be cancelled."""
        return self._begun.done()

    def ask(self, verb: str, *given: Any) -> "Future[Any]":
        """What a verb of the object answers, in turn behind what was asked before; its result raises Lost."""
        return self._turns.submit(self._answered, verb, given)

    def _answered(self, asked: Callable[..., Any] | str, given: tuple[Any, ...]) -> Any:
        try:
            self._line.send((asked, given))
            answer, error = self._line.recv()
        except (EOFError, OSError) as gone:
            raise Lost("ended") from gone
        if error:
            raise Lost(error)
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self._process.kill()  # what it may be at, nobody asks for any more
        self._process.wait()
        self._turns.shutdown(cancel_futures=True)
        self._line.close()


def serve(line: Connection) -> None:
    """Make the object, and answer as long as somebody asks."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it is told, and ends it
    made, given = line.recv()
    spare_rounds()  # which took a fifth of the time in which a large file of contacts is read
    about = made(*given)
    line.send((None, ""))
    while True:
        verb, given = line.recv()
        try:
            said = getattr(about, verb)(*given), ""
        except Exception as error:  # whatever it is, the one who asked is told
            said = None, type(error).__name__
        line.send(said)
