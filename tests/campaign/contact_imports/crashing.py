"""Carries imports in a process that kills itself: `python -m tests.campaign.contact_imports.crashing MOMENT [PAGE] [careless] [beside]`.

MOMENT: `staged` (all rows staged, the import not moved on), `before` or `after` the commit of a page, `finish` (the list
made, not committed), `none`. `careless` moves the mark in a transaction of its own, behind the page's.
`beside` has a second process at work, as a large file has.
"""

import os
import signal
import sys
from datetime import timedelta
from typing import Any

from campaign.audience_ready import Ready
from campaign.contact_imports import applying, carrying, reading
from campaign.contact_imports.carrying import Imports
from campaign.contact_imports.models import ContactImport
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret

PAGE_ROWS = 100


def main(moment: str, page: int = 0, *, careless: bool = False) -> None:
    """Carry on what waits, until the moment."""
    settings = Settings(_env_file=None)
    database = Database(settings.relational_url)
    vault = Vault(Keys(load_secret(settings)), settings.privacy_ring)
    kind = Careless if careless else Imports
    beside = {"beside_from": 0} if "beside" in sys.argv else {}
    kind(settings, database, vault, clock.now, lease=timedelta(0), page_rows=PAGE_ROWS, **beside).carry(1)


class Careless(Imports):
    """The control."""

    def _write(self, one: ContactImport, page: int, rows: Ready, database: Database) -> None:
        real, moves = applying._move, []
        applying._move = lambda *arguments: moves.append(arguments)
        super()._write(one, page, rows, database)
        applying._move = real
        die("after", page)
        with self._database.transaction() as session:
            for _session, *arguments in moves:
                real(session, *arguments)


def die(moment: str, page: int | None = None) -> None:
    """Kill this process with -9, if this is the moment."""
    if sys.argv[1] == moment and (page is None or page == int(sys.argv[2])):
        os.kill(os.getpid(), signal.SIGKILL)


def _behind(module: Any, name: str, moment: str) -> None:
    real = getattr(module, name)

    def wrapped(*arguments: Any, **more: Any) -> Any:
        answer = real(*arguments, **more)
        die(moment, arguments[2] if name in ("write_page", "_write") and moment != "staged" else None)
        return answer

    setattr(module, name, wrapped)


if __name__ == "__main__":
    _behind(reading.Reading, "run", "staged")
    _behind(applying, "write_page", "before")
    _behind(applying, "finish", "finish")
    if "careless" not in sys.argv:
        _behind(carrying.Imports, "_write", "after")
    main(sys.argv[1], careless="careless" in sys.argv)
