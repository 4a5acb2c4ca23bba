"""Keeps the threads that answer from memory on one core, and lets everything else roam.

Only one thread at a time runs Python, but a server wakes several; when they lie on different cores the
interpreter is handed from core to core with every answer, which costs more than the answer (on two cores a
quarter more beacons a second without it). What takes long, Flask and the engine below it, uses all cores.
"""

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def _cores() -> set[int]:
    return os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()


class Roaming:
    """WSGI middleware: the calling thread may use all cores while `app` answers, and goes home afterwards.

    Until `settle` is called home is everywhere. What `stays` names is answered at home: short work of which much
    comes at once, where going and coming would cost more than it gains (registrations: twice as many a second).
    """

    def __init__(
        self, app: "WSGIApplication", stays: "Callable[[WSGIEnvironment], bool] | None" = None
    ) -> None:
        self._app, self._stays = app, stays
        self._everywhere = self._home = _cores()

    def settle(self) -> None:
        """Keep this thread, and those started from it, to one core; nothing where there is only one.

        Worker processes started one after the other take different cores.
        """
        if len(self._everywhere) > 1:
            self._home = {sorted(self._everywhere)[os.getpid() % len(self._everywhere)]}
            os.sched_setaffinity(0, self._home)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Hand the request through with all cores."""
        if self._home is self._everywhere or (self._stays and self._stays(environ)):
            return self._app(environ, start_response)
        os.sched_setaffinity(0, self._everywhere)
        try:
            return self._app(environ, start_response)
        finally:
            os.sched_setaffinity(0, self._home)
