"""A process that wants the token of account 1: once told to (a line on its input), in several threads at once.

Arguments: database address, ledger (a line is added for each token fetched), stale token, what it does (`race`, or
`die` in the middle of fetching), seconds of the lease. It prints the tokens that its threads got.
"""

import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from core import clock
from core.database import Database
from core.privacy import Vault
from core.signing import Keys
from scheduler.tokens import Patience, SharedTokens

THREADS = 4
KEYS = Keys(b"test-secret-of-no-value")


def main(url: str, ledger: str, stale: str, what: str, lease: str) -> None:
    tokens = SharedTokens(Database(url), Vault(KEYS), clock.now, Patience(float(lease), 20.0))

    def fetch() -> tuple[str, float]:
        with Path(ledger).open("a", encoding="ascii") as file:
            file.write(f"{os.getpid()}\n")
        if what == "die":
            _say("fetching")
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.1)
        return f"token-{os.getpid()}-{time.time_ns()}", 7200.0

    def want(_number: int) -> str:
        return tokens.renew(1, stale, fetch) if stale else tokens.get(1, fetch)

    _say("ready")
    sys.stdin.readline()
    with ThreadPoolExecutor(THREADS) as pool:
        _say(" ".join(pool.map(want, range(THREADS))))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
