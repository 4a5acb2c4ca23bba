"""The page's own script in a real Chromium: what reading half, reading all and leaving open tell the server."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core.settings import Settings
from tests import servers
from tests.browser import PHONE, chromium
from tests.tracking import writing
from tests.tracking.writing import LINK, PAGE, WritePath
from tracking.collector import Collector

pytestmark = pytest.mark.browser
SCRIPT = Path(__file__).resolve().parent.parent.parent / "static" / "js" / "reach.js"


class Pages:
    """A long page with sealed keys, its script, and the collector in front of both."""

    def __init__(self, path: WritePath) -> None:
        self.path = path
        self.full = False
        self.collector = Collector(self.below, path.recorder)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if self.full and environ["PATH_INFO"] == "/r":
            self.full = False
            start_response("503 Service Unavailable", [("Content-Length", "0")])
            return ()
        return self.collector(environ, start_response)

    def below(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        if environ["PATH_INFO"] == "/reach.js":
            start_response("200 OK", [("Content-Type", "text/javascript")])
            return [SCRIPT.read_bytes()]
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [
            f"""<!doctype html><title>x</title><script type="module" src="/reach.js"></script>
            <body data-keys="{self.path.attributions.seal(PAGE)}"><main>{"<p>字</p>" * 300}
            <button data-share>转发</button></main>""".encode()
        ]


@pytest.fixture
def pages(settings: Settings) -> Iterator[tuple[Pages, str]]:
    port = servers.free_port()
    pages = Pages(WritePath(settings))
    with servers.listening(pages, port):
        yield pages, f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    """A reader's telephone whose clock the test moves."""
    size = {"width": PHONE[0], "height": PHONE[1]}
    context = browser.new_context(user_agent=writing.PHONE, viewport=size)  # type: ignore[arg-type]
    page = context.new_page()
    page.clock.install()
    yield page
    context.close()


def kinds(pages: Pages, number: int) -> list[str]:
    """The kinds told so far, once there are at least `number`; a little later, so that one too many shows."""
    for _ in range(100):
        if len(pages.path.events()) >= number:
            break
        time.sleep(0.05)
    time.sleep(0.2)
    return [event["kind"] for event in pages.path.events()]


def test_leaving_a_page_open_for_half_a_minute_is_engaged(pages: tuple[Pages, str], phone: Page) -> None:
    phone.goto(pages[1])
    phone.clock.run_for(1000 * 29)
    assert kinds(pages[0], 0) == []
    phone.clock.run_for(1000 * 2)
    assert kinds(pages[0], 1) == ["engaged"]


def test_half_is_engaged_and_the_end_is_completed_once_each(pages: tuple[Pages, str], phone: Page) -> None:
    token = pages[0].path.attributions.sign(LINK)
    phone.goto(f"{pages[1]}?a={token}")
    phone.evaluate("scrollTo(0, document.body.scrollHeight * 0.6)")
    phone.clock.run_for(1000 * 6)
    assert kinds(pages[0], 1) == ["engaged"]
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    phone.clock.run_for(1000 * 3)
    phone.evaluate("scrollTo(0, 0)")
    phone.clock.run_for(1000 * 60)
    assert kinds(pages[0], 2) == ["engaged", "completed"]
    assert {event["outlet"] for event in pages[0].path.events()} == {LINK.outlet}


def test_a_fling_to_the_end_and_away_is_nothing(pages: tuple[Pages, str], phone: Page) -> None:
    phone.goto(pages[1])
    phone.evaluate("scrollTo(0, document.body.scrollHeight)")
    phone.clock.run_for(1000 * 3)
    phone.goto("about:blank")
    assert kinds(pages[0], 0) == []


def test_passing_it_on_is_shared_once(pages: tuple[Pages, str], phone: Page) -> None:
    phone.add_init_script("navigator.share = (what) => Promise.resolve(what)")
    phone.goto(pages[1])
    for _ in range(2):
        phone.click("[data-share]")
        phone.clock.run_for(1000 * 1)
    assert kinds(pages[0], 1) == ["shared"]


def test_what_the_server_could_not_keep_is_told_again(pages: tuple[Pages, str], phone: Page) -> None:
    pages[0].full = True
    phone.goto(pages[1])
    with phone.expect_response("**/r?*") as answer:
        phone.clock.run_for(31_000)
    assert answer.value.status == 503
    assert kinds(pages[0], 0) == []
    phone.clock.run_for(1000 * 6)
    assert kinds(pages[0], 1) == ["engaged"]
