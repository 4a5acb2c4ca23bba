"""A process made to be killed while it books returns: `python -m tests.campaign.returns.crashing MOMENT [careless]`.

`before` dies between the commit that verified and the deposit, `after` between the deposit and the note of it,
`shipped` after the store has the lines and before the note; `none` books all and ships it. `careless` names each
deposit anew, which shows what the names are for. The installation is that of the environment.
"""

import os
import signal
import sys
from collections.abc import Iterable

from core.database import Database
from core.settings import Settings
from tests.campaign.returns.cast import Books
from tracking.drain import Drain
from tracking.events import ReachEvent, new_id
from tracking.store import ReachStore


def main(moment: str, careless: bool) -> None:
    settings = Settings(_env_file=None)
    store = ReachStore.open(settings)
    books = Books(settings, Database(settings.relational_url))
    keep = books.recorder.deposit

    def deposit(name: str, events: Iterable[ReachEvent]) -> None:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        keep(f"{name}-{new_id()}" if careless else name, events)
        if moment == "shipped":
            Drain(books.spool, store).run_once()
        if moment in ("after", "shipped"):
            os.kill(os.getpid(), signal.SIGKILL)

    books.recorder.deposit = deposit  # type: ignore[method-assign]
    books.keeper.run_once()
    Drain(books.spool, store).run_once()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], "careless" in sys.argv)
