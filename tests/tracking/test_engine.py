"""The engine in this process steps back behind the pages; who asks it does not."""

import os
import sys
from pathlib import Path

import pytest

from core.settings import Settings
from tracking.store import ReachStore

MERGES = "MergeMutate"


def _priorities() -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for task in Path("/proc/self/task").iterdir():
        try:
            name = (task / "comm").read_text(encoding="ascii").strip()
            found.setdefault(name, set()).add(os.getpriority(os.PRIO_PROCESS, int(task.name)))
        except (FileNotFoundError, ProcessLookupError):
            continue  # it ended meanwhile
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere priorities are of processes")
def test_merges_come_after_pages_and_who_asks_keeps_its_place(settings: Settings) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    store = ReachStore.open(settings)
    try:
        assert store.query("SELECT sum(number) FROM numbers_mt(1000000)") == [(499999500000,)]
        assert os.getpriority(os.PRIO_PROCESS, 0) == before
        assert _priorities()[MERGES] == {10}
    finally:
        store.close()
