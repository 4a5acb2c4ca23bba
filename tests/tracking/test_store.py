"""The embedded store: one process holds the folder. What every store promises is in `contract`."""

import subprocess
import sys
from pathlib import Path

import pytest

from core.settings import Settings
from tracking.store import ReachStore, StoreBusy

ROOT = Path(__file__).resolve().parent.parent.parent


def test_another_process_is_told_that_the_store_is_busy(store: ReachStore, settings: Settings) -> None:
    if settings.reach_url:
        pytest.skip("a server has no folder to hold")
    script = (
        "import sys; from core.settings import Settings; from tracking.store import ReachStore, StoreBusy\n"
        "try: ReachStore.open(Settings(_env_file=None, home=sys.argv[1], secret_key='x'))\n"
        "except StoreBusy: print('busy')"
    )
    command = [sys.executable, "-c", script, str(settings.home)]
    busy = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert busy.stdout == "busy\n"
    with pytest.raises(StoreBusy):
        ReachStore.open(settings)


def test_closing_lets_go_of_the_folder(settings: Settings) -> None:
    ReachStore.open(settings).close()
    ReachStore.open(settings).close()
