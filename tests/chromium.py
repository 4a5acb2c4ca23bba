"""One Chromium for all tests of a process, started when the first wants it; each visitor has a context of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from playwright.sync_api import Browser, Playwright, sync_playwright

PLACES = ("/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome")


@contextmanager
def chromium(*more: str) -> Iterator[Browser]:
    """The system's Chromium, headless, quiet, with no page open; one of its own with more arguments of the command line."""
    browser = _launched(*more) if more else _shared()
    try:
        yield browser
    finally:
        for context in browser.contexts:
            context.close()
        if more:
            browser.close()


def end() -> None:
    """Close what was started."""
    if _playwright.cache_info().currsize:
        if _shared.cache_info().currsize:
            _shared().close()
        _playwright().stop()
    _shared.cache_clear()
    _playwright.cache_clear()


@cache
def _playwright() -> Playwright:
    return sync_playwright().start()


@cache
def _shared() -> Browser:
    return _launched()


def _launched(*more: str) -> Browser:
    path = next(name for name in PLACES if Path(name).exists())
    arguments = ["--no-sandbox", "--disable-background-networking", *more]
    return _playwright().chromium.launch(executable_path=path, args=arguments)
