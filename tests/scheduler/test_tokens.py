"""Of all workers one fetches the token: raced by threads and processes, killed while it fetches, with a control."""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from scheduler.channels.base import DeliveryError
from scheduler.token_models import ChannelToken
from scheduler.tokens import Patience, SharedTokens
from tests import forked
from tests.scheduler.conftest import Clock
from tests.scheduler.token_racer import KEYS, THREADS

ROOT = Path(__file__).resolve().parents[2]
WORKERS = 12


class Platform:
    """Gives tokens out, and counts them; another one ends the one before."""

    def __init__(self, seconds: float = 7200.0, takes: float = 0.05) -> None:
        self.given: list[str] = []
        self.seconds = seconds
        self.takes = takes

    def fetch(self) -> tuple[str, float]:
        time.sleep(self.takes)
        self.given.append(f"secret-token-{len(self.given) + 1}")
        return self.given[-1], self.seconds


class Unguarded(SharedTokens):
    """The control: everybody may fetch."""

    def _take(self, account: int, seen: int, owner: str) -> bool:
        super()._take(account, seen, owner)
        return True


@pytest.fixture
def tokens(database: Database, vault: Vault, clock: Clock) -> SharedTokens:
    return SharedTokens(database, vault, clock, Patience(wait=5.0))


def _race(tokens: SharedTokens, platform: Platform, stale: str = "") -> list[str]:
    """What each of many workers got that wanted a token at the same moment."""
    start = threading.Barrier(WORKERS)

    def want(_number: int) -> str:
        start.wait(10)
        if stale:
            return tokens.renew(1, stale, platform.fetch)
        return tokens.get(1, platform.fetch)

    with ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(want, range(WORKERS)))


def test_of_many_threads_one_fetches(tokens: SharedTokens) -> None:
    platform = Platform()
    assert _race(tokens, platform) == ["secret-token-1"] * WORKERS
    assert _race(tokens, platform) == ["secret-token-1"] * WORKERS
    assert platform.given == ["secret-token-1"]


def test_of_many_whose_token_is_refused_one_renews(tokens: SharedTokens) -> None:
    platform = Platform()
    stale = tokens.get(1, platform.fetch)
    assert _race(tokens, platform, stale) == ["secret-token-2"] * WORKERS
    assert tokens.renew(1, stale, platform.fetch) == "secret-token-2", "who comes late uses what there is"
    assert len(platform.given) == 2


def test_control_without_the_guard_they_end_each_others(
    database: Database, vault: Vault, clock: Clock
) -> None:
    platform = Platform()
    _race(Unguarded(database, vault, clock), platform)
    assert len(platform.given) > 1


def test_a_token_is_replaced_before_it_ends(tokens: SharedTokens, clock: Clock) -> None:
    platform = Platform()
    tokens.get(1, platform.fetch)
    clock.forward(minutes=114)
    assert tokens.get(1, platform.fetch) == "secret-token-1"
    clock.forward(minutes=2)
    assert tokens.get(1, platform.fetch) == "secret-token-2", "five minutes early"


def test_accounts_have_tokens_of_their_own(tokens: SharedTokens) -> None:
    platform = Platform()
    assert tokens.get(1, platform.fetch) != tokens.get(2, platform.fetch)


def test_who_fails_to_fetch_makes_room_at_once(tokens: SharedTokens) -> None:
    def fail() -> tuple[str, float]:
        raise DeliveryError("no", everyone=True)

    with pytest.raises(DeliveryError, match="no"):
        tokens.get(1, fail)
    began = time.monotonic()
    assert tokens.get(1, Platform().fetch) == "secret-token-1"
    assert time.monotonic() - began < 2


def test_the_token_lies_sealed_and_opens_with_its_key_alone(
    tokens: SharedTokens, database: Database, vault: Vault, clock: Clock
) -> None:
    platform = Platform()
    tokens.get(1, platform.fetch)
    with database.reading() as session:
        row = session.get_one(ChannelToken, 1)
    assert "secret-token" not in row.sealed and vault.decrypt(row.sealed) == "secret-token-1"
    other = SharedTokens(database, Vault(type(KEYS)(b"another")), clock)
    assert other.get(1, platform.fetch) == "secret-token-2", "what cannot be opened is fetched anew"


def test_no_transaction_is_open_while_the_platform_is_asked(tokens: SharedTokens, database: Database) -> None:
    def fetch() -> tuple[str, float]:
        with database.transaction() as session:  # on SQLite this waits 30 s for an open one
            session.add(ChannelToken(account=99))
        return "t", 7200.0

    began = time.monotonic()
    assert tokens.get(1, fetch) == "t"
    assert time.monotonic() - began < 5


def test_the_lease_of_who_died_ends_by_time_and_waiting_is_bounded(
    database: Database, vault: Vault, clock: Clock
) -> None:
    tokens, platform = SharedTokens(database, vault, clock, Patience(30.0, 0.3)), Platform()
    tokens._row(1)
    assert tokens._take(1, 0, "one that dies")
    with pytest.raises(DeliveryError) as caught:
        tokens.get(1, platform.fetch)
    assert caught.value.everyone and not caught.value.permanent and not caught.value.unknown
    clock.forward(seconds=31)
    assert tokens.get(1, platform.fetch) == "secret-token-1"


def test_who_lost_the_lease_while_fetching_uses_what_the_other_got(
    tokens: SharedTokens, clock: Clock
) -> None:
    inner = Platform()

    def slow() -> tuple[str, float]:
        clock.forward(seconds=31)
        assert tokens.get(1, inner.fetch) == "secret-token-1"
        return "too late", 7200.0

    assert tokens.get(1, slow) == "secret-token-1"


@contextmanager
def _racer(
    settings: Settings, ledger: Path, stale: str, what: str = "race", lease: float = 30.0
) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.scheduler.token_racer", settings.relational_url, str(ledger)]
    with forked.Popen(
        [*command, stale, what, str(lease)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None and process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def _got(*processes: "subprocess.Popen[str]") -> list[str]:
    """Tell them all to go, and what all their threads got."""
    for one in processes:
        assert one.stdin is not None
        one.stdin.write("go\n")
        one.stdin.flush()
    return [token for one in processes if one.stdout for token in one.stdout.readline().split()]


def test_of_two_processes_one_fetches_and_one_renews(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    ledger, stale = tmp_path / "ledger", ""
    for fetched in (1, 2):
        with ExitStack() as stack:
            racers = [stack.enter_context(_racer(settings, ledger, stale)) for _ in range(2)]
            got = _got(*racers)
        assert len(got) == 2 * THREADS and len(set(got)) == 1, got
        assert len(ledger.read_text().splitlines()) == fetched
        stale = got[0]


def test_a_process_killed_while_it_fetches_holds_nobody_up_for_longer_than_its_lease(
    database: Database, settings: Settings, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger"
    with (
        _racer(settings, ledger, "", "die", 1.0) as dying,
        _racer(settings, ledger, "", "race", 1.0) as next_one,
    ):
        assert dying.stdin is not None and dying.stdout is not None
        dying.stdin.write("go\n")
        dying.stdin.flush()
        assert dying.stdout.readline() == "fetching\n"
        began = time.monotonic()
        got = _got(next_one)
        assert 0.3 < time.monotonic() - began < 5
        assert dying.wait(5) == -9
    assert len(got) == THREADS and len(set(got)) == 1
    assert len(ledger.read_text().splitlines()) == 2
