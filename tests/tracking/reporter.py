"""A process that makes reports and carries them out until it is killed: `python -m tests.tracking.reporter '{…}'`."""

import json
import sys
import time
from datetime import datetime

from core.settings import Settings
from institution import letters
from scheduler.mailroom import Mailroom
from tracking.report_sender import Reports
from webapp.runtime import build


def main(given: dict[str, str]) -> None:
    """Work in rounds; the clock stands where the test says."""
    at = datetime.fromisoformat(given.pop("at"))
    if given.pop("forgetful", ""):  # the control: nobody remembers what was in the hands of the mail server
        letters.handing = lambda *_all: None  # type: ignore[assignment]
    runtime = build(Settings(_env_file=None, **given))  # type: ignore[arg-type]
    made = runtime.service(Reports)
    sender = Reports(
        made.settings, made.database, made.vault, made.keys, made.store, lambda: at, made.campaigns
    )
    room = Mailroom(made.settings, made.database, made.vault, lambda: at)
    for _round in range(400):
        sender.run_once()
        room.run_once()
        time.sleep(0.02)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
