"""A process made to be killed while it carries imports: `python -m tests.tracking.imports.crashing MOMENT [careless]`.

`before` dies between taking an import up and depositing it, `after` between the deposit and the note of it,
`shipped` after the store has the lines and before the note; `none` carries all and ships it. `careless` names
each deposit anew, which shows what the names are for. The installation is that of the environment.
"""

import os
import signal
import sys
from collections.abc import Iterable

from core.database import Database
from core.settings import Settings
from tests.tracking.imports.cast import Path
from tracking.drain import Drain
from tracking.events import ReachEvent, new_id
from tracking.imports import deciding
from tracking.store import ReachStore


def main(moment: str, careless: bool) -> None:
    settings = Settings(_env_file=None)
    assert deciding.PERMISSION
    store = ReachStore.open(settings)
    path = Path(settings, Database(settings.relational_url))
    keep = path.recorder.deposit

    def deposit(name: str, events: Iterable[ReachEvent]) -> None:
        if moment == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        keep(f"{name}-{new_id()}" if careless else name, events)
        if moment == "shipped":
            Drain(path.spool, store).run_once()
        if moment in ("after", "shipped"):
            os.kill(os.getpid(), signal.SIGKILL)

    path.recorder.deposit = deposit  # type: ignore[method-assign]
    path.carry(store)
    store.close()


if __name__ == "__main__":
    main(sys.argv[1], "careless" in sys.argv)
