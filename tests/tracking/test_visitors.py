"""Visitors without a name: an id of their own, or a hash that ends with the day."""

import threading
from pathlib import Path

import pytest

from core.settings import Settings
from tests.tracking.writing import PAGE, PHONE, WritePath
from tracking.visitors import DailyHash, address_of, from_cookie, new_visitor


@pytest.fixture
def path(settings: Settings) -> WritePath:
    return WritePath(settings)


def test_the_cookie_cannot_be_read_by_scripts_and_is_secure_on_https(settings: Settings) -> None:
    def flags(url: str) -> str:
        path = WritePath(settings.model_copy(update={"public_url": url}))
        request = {"REQUEST_METHOD": "GET", "HTTP_USER_AGENT": PHONE}
        return path.recorder.visit(request, PAGE)[0][1].partition("; ")[2]

    plain = "Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax"
    assert flags("http://127.0.0.1:8000") == plain
    assert flags("https://edu.example.com") == plain + "; Secure"


@pytest.mark.parametrize("cookie", ["sp_v=zz", "sp_v=0000000000000000", "xsp_v=00000000000000aa", "sp_v="])
def test_an_id_that_is_not_ours_is_replaced(path: WritePath, cookie: str) -> None:
    assert set(path.get(cookies=cookie)) == {"sp_v"}


def test_a_forwarded_address_is_believed_only_from_trusted_proxies() -> None:
    environ = {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "6.6.6.6, 203.0.113.7, 10.0.0.2"}
    assert address_of(environ, 0) == "10.0.0.1"
    assert address_of(environ, 1) == "10.0.0.2"
    assert address_of(environ, 2) == "203.0.113.7"
    assert address_of({"REMOTE_ADDR": "10.0.0.1"}, 2) == "10.0.0.1"


def test_an_id_travels_in_its_cookie() -> None:
    for _ in range(100):
        visitor = new_visitor()
        assert 0 < visitor < 2**64
        assert from_cookie(f"sp_v={visitor:016x}") == visitor


def test_threads_and_processes_of_a_day_agree_on_its_salt(tmp_path: Path) -> None:
    hashes = [DailyHash(tmp_path / "salts") for _ in range(8)]
    found: list[int] = []
    threads = [
        threading.Thread(target=lambda one=one: found.append(one.visitor("2026-09-15", "203.0.113.7", "x")))
        for one in hashes
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1
    assert [file.name for file in (tmp_path / "salts").iterdir()] == ["salt-2026-09-15"]


def test_yesterdays_salt_is_thrown_away(tmp_path: Path) -> None:
    first = DailyHash(tmp_path / "salts")
    before = first.visitor("2026-09-15", "203.0.113.7", "x")
    assert first.visitor("2026-09-16", "203.0.113.7", "x") != before
    assert [file.name for file in (tmp_path / "salts").iterdir()] == ["salt-2026-09-16"]
    assert first.visitor("2026-09-16", "", "x") == 0


def test_a_folder_that_cannot_be_written_does_not_stop_the_counting(tmp_path: Path) -> None:
    (tmp_path / "salts").write_text("in the way")
    assert DailyHash(tmp_path / "salts").visitor("2026-09-15", "203.0.113.7", "x") != 0


@pytest.mark.parametrize(
    ("cookies", "visitor"),
    [
        ("sp_v=00c0ffee00c0ffee", 0xC0FFEE00C0FFEE), ("sp_v=1234567890123456; a=b", 0x1234567890123456),
        ("a=b; sp_v=00c0ffee00c0ffee", 0xC0FFEE00C0FFEE), ("a=b;sp_v=00c0ffee00c0ffee;c=d", 0xC0FFEE00C0FFEE),
        ("sp_v=00C0FFEE00C0FFEE", 0), ("sp_v=c0ffee", 0), ("sp_v=00c0ffee00c0ffee0", 0), ("sp_v=0x00c0ffee00c0ff", 0),
        ("sp_v= 0c0ffee00c0ffe ", 0), ("sp_v=00c0_fee00c0ffee", 0), ("sp_v=00c0ffee00c0ffe", 0), ("sp_v=00c0ffee00c0ff\xe9e", 0),
        ("xsp_v=00c0ffee00c0ffee; sp_v=00c0ffee00c0ffef", 0xC0FFEE00C0FFEF), ("", 0),
        ("sp_v=zzzzzzzzzzzzzzzz; sp_v=00c0ffee00c0ffee", 0xC0FFEE00C0FFEE),
    ],
)  # fmt: skip
def test_the_quick_look_at_the_cookie_is_as_strict_as_the_pattern(cookies: str, visitor: int) -> None:
    assert from_cookie(cookies) == visitor
