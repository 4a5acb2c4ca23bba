"""The spool keeps whole lines or says that it did not; what a dead process left is taken over."""

import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tracking.spool import DROPS, REJECTED, TORN, Recovered, Spool, SpoolError

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", seal_seconds=60)


def contents(spool: Spool) -> list[bytes]:
    return [path.read_bytes() for path in spool.sealed()]


def open_files(spool: Spool) -> list[Path]:
    return sorted(spool.folder.glob("*.open"))


def leave_orphan(spool: Spool, content: bytes, name: str = "seg-0001-1-x") -> Path:
    """The segment of a process that died: nobody holds its lock."""
    path = spool.folder / f"{name}.open"
    path.write_bytes(content)
    return path


def test_a_line_is_in_the_file_when_append_returns(spool: Spool) -> None:
    spool.append(b"one\n")
    spool.append(b"two\n")
    assert [path.read_bytes() for path in open_files(spool)] == [b"one\ntwo\n"]
    assert spool.sealed() == []
    assert spool.waiting() == 8


def test_sealing_gives_the_name_that_is_shipped(spool: Spool) -> None:
    spool.append(b"one\n")
    spool.seal_if_due()
    assert spool.sealed() == []  # not old enough
    spool.seal_if_due(now=True)
    assert contents(spool) == [b"one\n"]
    assert open_files(spool) == []
    spool.append(b"two\n")
    spool.close()
    assert contents(spool) == [b"one\n", b"two\n"]


def test_age_seals_also_when_nothing_more_comes(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", seal_seconds=0.01)
    spool.append(b"one\n")
    threading.Event().wait(0.02)
    spool.seal_if_due()
    assert contents(spool) == [b"one\n"]


def test_size_ends_a_segment(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", seal_seconds=60, seal_bytes=100)
    for number in range(25):
        spool.append(b"line %05d\n" % number)
    spool.seal_if_due()
    assert [len(content) for content in contents(spool)] == [110, 110]
    spool.close()
    assert b"".join(contents(spool)) == b"".join(b"line %05d\n" % number for number in range(25))


def test_threads_never_mix_or_lose_lines(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool", seal_seconds=0.001, seal_bytes=2000)
    stop = threading.Event()

    def seal() -> None:
        while not stop.is_set():
            spool.seal_if_due()

    def write(who: int) -> None:
        for number in range(2000):
            spool.append(b"%d-%d\n" % (who, number))

    sealer = threading.Thread(target=seal)
    writers = [threading.Thread(target=write, args=(who,)) for who in range(4)]
    sealer.start()
    for thread in writers:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    sealer.join()
    spool.close()
    lines = b"".join(contents(spool)).splitlines()
    assert sorted(lines) == sorted(b"%d-%d" % (who, number) for who in range(4) for number in range(2000))


def test_recovery_takes_over_orphans_and_leaves_the_living_alone(tmp_path: Path) -> None:
    living, finder = Spool(tmp_path / "spool"), Spool(tmp_path / "spool")
    living.append(b"mine\n")
    leave_orphan(finder, b"left\n")
    assert finder.recover() == Recovered(sealed=1, torn=0)
    assert contents(finder) == [b"left\n"]
    assert len(open_files(finder)) == 1
    living.append(b"still mine\n")
    living.close()
    assert sorted(contents(finder)) == [b"left\n", b"mine\nstill mine\n"]


def test_a_torn_last_line_is_set_aside_not_guessed(spool: Spool) -> None:
    leave_orphan(spool, b"whole\nhal")
    assert spool.recover() == Recovered(sealed=1, torn=1)
    assert contents(spool) == [b"whole\n"]
    assert [path.read_bytes() for path in (spool.folder / TORN).iterdir()] == [b"hal"]
    assert spool.recover() == Recovered()


def test_an_orphan_of_nothing_disappears(spool: Spool) -> None:
    leave_orphan(spool, b"")
    leave_orphan(spool, b"only torn", "seg-0002-1-x")
    assert spool.recover() == Recovered(sealed=0, torn=1)
    assert open_files(spool) == []
    assert spool.sealed() == []


def test_a_deposit_is_whole_idempotent_and_leaves_nothing_else(spool: Spool) -> None:
    spool.deposit("push-7-1", [b"one\n", b"two\n"])
    spool.deposit("push-7-1", [b"another\n"])
    assert [path.name for path in spool.sealed()] == ["push-7-1.tsv"]
    assert contents(spool) == [b"one\ntwo\n"]
    assert sorted(path.name for path in spool.folder.iterdir()) == ["push-7-1.tsv", REJECTED, TORN]
    spool.deposit("push-8-1", [])
    assert len(spool.sealed()) == 1


@pytest.mark.parametrize("name", ["", "../out", "a/b", ".hidden", "with space", "换行\n"])
def test_a_deposit_stays_in_the_folder(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        spool.deposit(name, [b"one\n"])


def test_drops_go_under_a_name_of_their_own(spool: Spool) -> None:
    spool.deposit_drops([b"2026-09-15\tbot\t1\trun\n"])
    assert [path.name.startswith(DROPS) for path in spool.sealed()] == [True]


def test_a_folder_that_is_gone_is_said(spool: Spool) -> None:
    for part in (TORN, REJECTED):
        (spool.folder / part).rmdir()
    spool.folder.rmdir()
    with pytest.raises(SpoolError):
        spool.append(b"one\n")
    with pytest.raises(SpoolError):
        spool.deposit("push-1-1", [b"one\n"])
    spool.folder.mkdir()
    spool.append(b"two\n")  # and it goes on as soon as there is room again


FULL = """
import sys
from pathlib import Path
from tracking.spool import Spool, SpoolError
spool = Spool(Path(sys.argv[1]), 60, 1 << 20)
for number in range(20):
    try:
        spool.append(b"line %04d\\n" % number)
        print(number)
    except SpoolError:
        pass
spool.close()
"""


def test_a_disk_that_fills_up_keeps_exactly_what_was_acknowledged(tmp_path: Path) -> None:
    """The file may hold 64 bytes: the seventh line of 10 is taken only in part, and must not stay so."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    told = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / "spool")],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout.split()
    assert [int(number) for number in told] == [0, 1, 2, 3, 4, 5]
    assert contents(Spool(tmp_path / "spool")) == [b"".join(b"line %04d\n" % n for n in range(6))]
