"""Only one process at a time, also when the one before was killed."""

import os
import signal
import subprocess
import sys

from core.alone import alone
from core.database import Database
from tests import forked

_HOLD = """
import sys
from core.alone import alone
from core.database import Database
from tests import forked
with alone(Database(sys.argv[1]), "close") as held:
    print(held, flush=True)
    sys.stdin.read()
"""


def holder(database: Database) -> "subprocess.Popen[str]":
    url = database.engine.url.render_as_string(hide_password=False)
    return forked.Popen(
        [sys.executable, "-c", _HOLD, url], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )


def test_a_second_process_is_told_to_leave_it_and_a_dead_one_holds_nothing(database: Database) -> None:
    first = holder(database)
    assert first.stdout
    assert first.stdout.readline() == "True\n"
    second = holder(database)
    assert second.communicate("", timeout=60)[0] == "False\n"
    with alone(database, "close") as held:
        assert not held
    with alone(database, "another") as held:
        assert held, "the control: another name is free"
    os.kill(first.pid, signal.SIGKILL)
    first.communicate(timeout=60)
    for _again in range(2):
        with alone(database, "close") as held:
            assert held
