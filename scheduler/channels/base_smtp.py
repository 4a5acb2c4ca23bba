"""Lines to mail servers that are kept for the next batch: opening one takes longer than sending ten letters."""

import smtplib
import socket
import struct
import sys
import threading
import time
from contextlib import suppress

from scheduler.channels.base import Account

IDLE = 45.0  # seconds; servers end a silent line after minutes
KEPT = 8  # lines for an account


class Lines:
    """Open lines that nobody uses now, by account; safe to use from many threads.

    At most `kept` for an account and none longer than `idle` seconds. A line that does not answer is not given out.
    """

    def __init__(self, kept: int = KEPT, idle: float = IDLE) -> None:
        self._kept = kept
        self._idle = idle
        self._waiting: dict[tuple[object, ...], list[tuple[float, smtplib.SMTP]]] = {}
        self._lock = threading.Lock()

    def take(self, account: Account) -> smtplib.SMTP | None:
        """The line that was used last, if it still answers."""
        while True:
            with self._lock:
                self._expire()
                waiting = self._waiting.get(_key(account))
                if not waiting:
                    return None
                _since, server = waiting.pop()
            if _answers(server):
                return server
            let_go(server)

    def give(self, account: Account, server: smtplib.SMTP) -> None:
        """Keep a line that is as good as new, or let it go where enough are kept."""
        with self._lock:
            self._expire()
            waiting = self._waiting.setdefault(_key(account), [])
            if len(waiting) < self._kept:
                waiting.append((time.monotonic(), server))
                return
        let_go(server)

    def close(self) -> None:
        """Let all of them go."""
        with self._lock:
            found = [one for waiting in self._waiting.values() for _since, one in waiting]
            self._waiting.clear()
        for server in found:
            let_go(server)

    def _expire(self) -> None:
        """Let go what waited too long; under the lock, so without waiting for an answer."""
        oldest = time.monotonic() - self._idle
        for key, waiting in list(self._waiting.items()):
            for since, server in waiting:
                if since < oldest:
                    server.close()
            self._waiting[key] = [one for one in waiting if one[0] >= oldest]
            if not self._waiting[key]:
                del self._waiting[key]


def let_go(server: smtplib.SMTP) -> None:
    """End a line politely, whatever state it is in."""
    with suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def timed_below(server: smtplib.SMTP, seconds: float) -> None:
    """Let the system watch the time of a line that is not encrypted: Python would ask before each step whether the line
    is ready, and hand the interpreter over once more, which together is a sixth of sending a letter."""
    if sys.platform != "linux" or server.sock is None:
        return
    most = struct.pack("ll", int(seconds), int(seconds % 1 * 1_000_000))  # a timeval
    for one in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
        server.sock.setsockopt(socket.SOL_SOCKET, one, most)
    server.sock.settimeout(None)


def _answers(server: smtplib.SMTP) -> bool:
    try:
        return server.noop()[0] == 250
    except (smtplib.SMTPException, OSError):
        return False


def _key(account: Account) -> tuple[object, ...]:
    """Lines differ by what opened them: another password is another line."""
    return (account.address, account.port, account.tls, account.login, account.secrets)
