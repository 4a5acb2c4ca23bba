"""Pages come through beside Python code that computes; without the setting they wait for it each time."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BESIDE = """
import gc, sys, threading, time
from core.steadying import steady
if sys.argv[1] == "steady":
    steady()
    assert gc.get_freeze_count() > 1000 and gc.get_threshold()[0] >= 10_000
ended, turns = False, 0
def compute():
    while not ended:
        {number: str(number) for number in range(200)}
worker = threading.Thread(target=compute)
worker.start()
until = time.perf_counter() + 1.0
while time.perf_counter() < until:
    time.sleep(0)  # lets go of the interpreter, as waiting for the next request does
    turns += 1
ended = True
worker.join()
print(turns)
"""


def turns(how: str) -> int:
    """How often a thread got the interpreter back within a second, beside one that computes."""
    command = [sys.executable, "-c", BESIDE, how]
    return int(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout)


def test_a_page_gets_the_interpreter_soon_and_without_the_setting_it_does_not() -> None:
    assert turns("steady") > 4 * turns("usual")
