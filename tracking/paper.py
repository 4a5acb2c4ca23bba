"""A page as PDF, printed by the system's Chromium from HTML in memory.

The page is handed over as a file of its own, complete with its style: nothing is fetched, its own policy lets no script run, and no
cookie and no address of the site is known to that process or stands on its command line.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
from contextlib import suppress
from pathlib import Path

from core.errors import Conflict
from core.i18n import mark

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
_SECONDS = 60
_FLAGS = (
    "--headless",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--no-pdf-header-footer",
)
# One browser at a time: each takes a core and some hundred megabytes.
_one = threading.Lock()


def chromium() -> str:
    """The path of the browser that prints, "" where none is installed."""
    return next((path for name in CHROMIUM if (path := shutil.which(name))), "")


def pdf(html: str) -> bytes:
    """The page as PDF; Conflict where there is no browser, another page is being printed, or it takes too long."""
    browser = chromium()
    if not browser:
        raise Conflict(
            mark("这台机器没有安装 Chromium，不能生成 PDF。请用浏览器的“打印”，再选“另存为 PDF”。")
        )
    if not _one.acquire(timeout=_SECONDS):
        raise Conflict(mark("正在生成别的 PDF，请稍后再试。"))
    try:
        with tempfile.TemporaryDirectory(prefix="signpost-pdf-") as folder:
            return _printed(browser, Path(folder), html)
    finally:
        _one.release()


def _printed(browser: str, folder: Path, html: str) -> bytes:
    page, target = folder / "page.html", folder / "page.pdf"
    page.write_text(html, encoding="utf-8")
    # who runs as root has no sandbox to give; what is printed is our own page without scripts
    flags = [*_FLAGS, *(("--no-sandbox",) if os.geteuid() == 0 else ())]
    command = [
        browser,
        *flags,
        f"--user-data-dir={folder / 'profile'}",
        f"--print-to-pdf={target}",
        page.as_uri(),
    ]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(  # noqa: S603  (our own words, and a path that we made)
        command, stdin=quiet, stdout=quiet, stderr=quiet, cwd=folder, start_new_session=True
    )
    try:
        process.wait(_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise Conflict(mark("生成 PDF 用时太长，已停止。请缩短时间范围，或用浏览器的“打印”。")) from error
    finally:
        _end(process)
    if not target.exists():
        raise Conflict(mark("Chromium 没有生成 PDF。请用浏览器的“打印”，再选“另存为 PDF”。"))
    return target.read_bytes()


def _end(process: subprocess.Popen[bytes]) -> None:
    """The browser and its children; what has ended is gone already."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
