"""A process that makes reports and carries them out until it is killed: `python -m tests.tracking.reporter '{…}'`."""

import json
import sys
import time
from datetime import datetime

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from institution import letters
from scheduler.mailroom import Mailroom
from tracking.report_sender import Reports
from tracking.store import ReachStore


def main(given: dict[str, str]) -> None:
    """Work in rounds; the clock stands where the test says."""
    at = datetime.fromisoformat(given.pop("at"))
    if given.pop("forgetful", ""):  # the control: nobody remembers what was in the hands of the mail server
        letters.handing = lambda *_all: None
    settings = Settings(_env_file=None, **given)  # type: ignore[arg-type]
    database, keys = Database(settings.relational_url), Keys(load_secret(settings))
    vault, opened = Vault(keys), ReachStore.open(settings)
    reports = Reports(settings, database, vault, keys, lambda: opened, lambda: at, lambda _session: [])
    room = Mailroom(settings, database, vault, lambda: at)
    while True:
        reports.run_once()
        room.run_once()
        time.sleep(0.02)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
