"""A process that makes archives of plaques until it is killed: `python -m tests.campaign.base.making HOME`."""

import sys
from pathlib import Path

from campaign.base.carrying import Archives
from core import clock
from core.database import Database
from core.settings import Settings
from core.signing import Keys
from tracking.attribution import Attributions


def main(home: Path) -> None:
    settings = Settings(_env_file=None, home=home)
    Archives(
        settings, Database(settings.relational_url), Attributions(Keys(b"of the tests")), clock.now
    ).run_once()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
