"""A process that runs the scheduler until it is killed: `python -m tests.scheduler.pusher '{settings}'`."""

import json
import sys

from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys, load_secret
from scheduler.channels.email import Email
from scheduler.jobs import outgoing
from scheduler.patience import Limits
from scheduler.runner import Runner
from tests.scheduler.platform import CallChannel
from tracking.attribution import Attributions
from tracking.recorder import Recorder
from tracking.spool import Spool


def main(given: dict[str, object]) -> None:
    """Run until stdin closes (a clean stop) or somebody kills us."""
    limits = Limits(lease_seconds=2.0, backoff_first=0.2, backoff_most=1.0, most_attempts=20)
    if given.pop("pretend_keys", False):
        Email.idempotent = True  # the control: claim what no mail server does
    calls = given.pop("calls", None)  # the fields of a channel that sends by calls
    channels = (CallChannel(**calls),) if isinstance(calls, dict) else ()
    settings = Settings(_env_file=None, **given)  # type: ignore[arg-type]
    keys = Keys(load_secret(settings))
    attributions = Attributions(keys)
    line = outgoing(
        settings=settings,
        database=Database(settings.relational_url),
        keys=keys,
        vault=Vault(keys),
        attributions=attributions,
        recorder=Recorder(Spool(settings.spool_dir, 2.0, 1 << 20), attributions, settings),
        clock=clock.now,
        limits=limits,
        channels=channels,
    )
    runner = Runner(line.jobs())
    runner.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    runner.stop()


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
