"""Work in a process of its own: it keeps what it is told, fails in one word, ends with whoever started it."""

import gc
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from core.beside import Beside, Lost
from core.steadying import YOUNG


class Adding:
    """What stands beside in these tests."""

    def __init__(self, begins: int, secret: str) -> None:
        self._sum, self._secret = begins, secret

    def add(self, number: int) -> int:
        self._sum += number
        return self._sum

    def where(self) -> int:
        return os.getpid()

    def large(self, size: int) -> bytes:
        return b"x" * size

    def rounds(self) -> int:
        return gc.get_threshold()[0]

    def refuse(self) -> None:
        raise ValueError(f"with {self._secret} in it")


def ended(pid: int) -> bool:
    """Whether a process is gone, within ten seconds."""
    end = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        if time.monotonic() > end or b"State:\tZ" in Path(f"/proc/{pid}/status").read_bytes():
            return time.monotonic() <= end
        time.sleep(0.02)
    return True


def test_it_answers_in_turn_and_is_gone_behind_the_block() -> None:
    with Beside(Adding, 1, "13812345678") as other:
        assert not other.has_begun and other.ask("add", 100).cancel(), (
            "what waits for the start can be taken back"
        )
        asked = [other.ask("add", number) for number in (1, 2, 3)]
        large = other.ask("large", 4 << 20)
        assert [one.result() for one in asked] == [2, 4, 7]
        assert len(large.result()) == 4 << 20
        assert other.ask("rounds").result() == YOUNG, "it is spared the collector's rounds"
        assert other.has_begun
        pid = other.ask("where").result()
        assert pid != os.getpid()
        for name in ("cmdline", "environ"):
            assert b"13812345678" not in Path(f"/proc/{pid}/{name}").read_bytes()
        other.ask("large", 64 << 20)  # nobody waits for it
    assert ended(pid)


def test_what_goes_wrong_is_told_in_a_word_without_data(capfd: pytest.CaptureFixture[str]) -> None:
    with Beside(Adding, 0, "13812345678") as other:
        with pytest.raises(Lost, match=r"^ValueError$"):
            other.ask("refuse").result()
        with pytest.raises(Lost, match=r"^AttributeError$"):
            other.ask("multiply", 2).result()
        assert other.ask("add", 5).result() == 5, "it goes on"
    assert "1381" not in "".join(capfd.readouterr())


def test_a_process_that_dies_is_noticed() -> None:
    with Beside(Adding, 0, "") as other:
        os.kill(other.ask("where").result(), signal.SIGKILL)
        for _ in range(2):
            with pytest.raises(Lost, match=r"^ended$"):
                other.ask("add", 1).result()


def test_one_that_cannot_start_is_lost_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(Lost, match=r"^not started$"):
        Beside(Adding, 0, "")


_HOLD = """
import sys
from core.beside import Beside
from tests.core.test_beside import Adding
with Beside(Adding, 0, "") as other:
    print(other.ask("where").result(), flush=True)
    sys.stdin.read()
"""


def test_it_ends_with_who_started_it_also_when_that_is_killed() -> None:
    command = [sys.executable, "-c", _HOLD]
    with subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout
        pid = int(holder.stdout.readline())
        assert Path(f"/proc/{pid}").exists()
        holder.kill()
    assert ended(pid)
