"""Two phones at the door of one occurrence, in a real browser: the network cut, everything comes home once."""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import segno
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from sqlmodel import col, select

from campaign.checkin import doors
from campaign.checkin.models import Scan
from campaign.events.models import Occurrence
from campaign.registration.models import RegisteredPerson, Registration
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import people
from tests import browser, factories
from tests.browser import Site
from tests.campaign.registration import making


@dataclass
class Air:
    """What lies between the phones and the site: of a phone that is cut off nothing comes through.

    A browser that was set offline lets a page that is loaded again ask for a moment, now and then, and does not even
    say its own name in it: so each phone has a link of its own, and what bears the key of one that is away ends here.
    """

    app: Any = None
    away: set[str] = field(default_factory=set)
    down: bool = False  # the site answers nobody

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if not self.down and environ.get("HTTP_X_DOOR_KEY") not in self.away:
            return self.app(environ, start_response)  # type: ignore[no-any-return]
        start_response("503 Service Unavailable", [("Content-Type", "text/html"), ("Content-Length", "0")])
        return [b""]

    def before(self, app: Any) -> "Air":
        self.app = app
        return self

    def cut(self, page: Page) -> None:
        """Cut the network of a phone, and wait until its page is cut off."""
        self.away.add(_key(page))
        page.context.set_offline(True)
        page.wait_for_function(
            "!navigator.onLine && fetch('/t/x?' + Math.random()).then(() => false, () => true)"
        )

    def back(self, page: Page) -> None:
        self.away.remove(_key(page))
        page.context.set_offline(False)


def _key(page: Page) -> str:
    return str(page.evaluate("localStorage.getItem('door-key')"))


@pytest.fixture
def air() -> Air:
    return Air()


@pytest.fixture
def site(settings: Settings, air: Air) -> Iterator[Site]:
    with browser.running(settings, clock.now(), air.before) as running:
        yield running


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture
def doors_open(site: Site) -> tuple[list[str], int]:
    """The links of two doors, and the occurrence: a party of three, one more, and one who waits."""
    runtime, now = site.runtime, clock.now()
    with runtime.service(Database).transaction() as session:
        where = making.occurrence(session, now, capacity=4, code="doorstep", outlet_code=factories.OUTLET_A)
        for number, size, minors in ((41, 3, 1), (42, 1, 0), (43, 1, 0)):
            making.party(session, runtime.service(Vault), where, number, size, now=now, minors=minors)
            now += timedelta(seconds=1)
        by = people.by_login(session, factories.EDITOR)
        assert by is not None
        keys = [doors.make(session, where, label="", by=by.id or 0, now=now)[1] for _ in range(2)]
    return [f"{site.address}{doors.PATH}#{key}" for key in keys], where.id or 0


@pytest.fixture
def door(doors_open: tuple[list[str], int]) -> tuple[str, int]:
    """The link of one door, and the occurrence."""
    (link, _other), number = doors_open
    return link, number


# What the phone keeps: asks its store and gives the answer once it is written.
_ACTS = """((mode, act) => new Promise((done) => { const opened = indexedDB.open("door");
  opened.onsuccess = () => { const all = opened.result.transaction("acts", mode);
    const asked = act(all.objectStore("acts")); all.oncomplete = () => done(asked.result); }; }))"""


def _phone(chromium: Browser, link: str) -> Page:
    page = chromium.new_page(viewport={"width": 390, "height": 844}, locale="zh-CN")
    page.goto(link)
    expect(page.locator("#work")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-kept", "1")
    return page


def _find(page: Page, text: str) -> None:
    page.fill("#text", text)
    page.press("#text", "Enter")


def _inside(site: Site, number: int) -> int:
    with site.runtime.service(Database).reading() as session:
        query = select(RegisteredPerson).join(Registration).where(Registration.occurrence_id == number)
        return sum(one.arrived_at is not None for one in session.exec(query))


def test_two_phones_without_network_lose_and_double_nothing(
    site: Site, air: Air, chromium: Browser, doors_open: tuple[list[str], int]
) -> None:
    links, number = doors_open
    first, second = (_phone(chromium, link) for link in links)
    assert "#" not in first.url, "the key does not stay in the address"
    air.cut(first)
    air.cut(second)
    first.reload()  # the page itself opens without network
    expect(first.locator("#work")).to_be_visible()
    _find(first, "0041")
    expect(first.locator("#verdict")).to_contain_text("请进")
    first.click("text=全部签到")
    _find(second, "0041")
    second.locator("#party button.go").first.click()  # the same person at the other door
    _find(second, "0042")
    expect(second.locator("#verdict")).to_contain_text("请进")
    second.click("summary:has-text('现场加入')")
    second.click("#walk button")
    first.reload()  # what is written down outlives the page
    expect(first.locator("#net")).to_contain_text("还有 3 条没有传回")
    assert _inside(site, number) == 0
    air.back(first)
    expect(first.locator("#net")).to_have_text("已联网", timeout=15_000)
    assert _inside(site, number) == 3
    air.back(second)
    expect(second.locator("#net")).to_have_text("已联网", timeout=15_000)
    assert _inside(site, number) == 5
    with site.runtime.service(Database).reading() as session:
        query = select(Scan.verdict).where(Scan.occurrence_id == number).order_by(col(Scan.id))
        assert sorted(session.exec(query)) == ["again", "in", "in", "in", "in", "over"]
        assert session.get_one(Occurrence, number).taken == 4
    expect(first.locator("#came")).to_have_text("5", timeout=20_000)


def test_refusals_and_undoing_on_the_phone(site: Site, chromium: Browser, door: tuple[str, int]) -> None:
    link, number = door
    page = _phone(chromium, link)
    with site.runtime.service(Database).reading() as session:
        waits = session.exec(
            select(Registration).where(Registration.occurrence_id == number, Registration.state == "waiting")
        ).one()
    _find(page, waits.code)
    expect(page.locator("#verdict")).to_have_text("还在候补，没有位置")
    _find(page, "9999")
    expect(page.locator("#verdict")).to_have_text("没有找到，请核对")
    _find(page, "0042")
    expect(page.locator("#came")).to_have_text("1")
    page.locator("#log button").first.click()
    expect(page.locator("#came")).to_have_text("0")
    expect(page.locator("#net")).to_have_text("已联网")
    assert _inside(site, number) == 0
    assert browser.overflow(page) == [] and browser.faults(page) == []


def test_a_phone_that_forgets_what_it_did_offline_is_caught(
    site: Site, air: Air, chromium: Browser, door: tuple[str, int]
) -> None:
    """The control: without its own store a phone that reloads offline brings nothing home."""
    link, number = door
    page = _phone(chromium, link)
    air.cut(page)
    _find(page, "0042")
    expect(page.locator("#net")).to_contain_text("还有 1 条")
    page.wait_for_function(f"{_ACTS}('readonly', (store) => store.count()).then((number) => number === 1)")
    page.evaluate(f"{_ACTS}('readwrite', (store) => store.clear())")
    page.reload()
    air.back(page)
    expect(page.locator("#net")).to_have_text("已联网", timeout=15_000)
    assert _inside(site, number) == 0


def test_a_link_that_was_shut_says_so(site: Site, chromium: Browser, door: tuple[str, int]) -> None:
    link, _number = door
    page = _phone(chromium, link)
    with site.runtime.service(Database).transaction() as session:
        doors.end(session, 1, clock.now())
    page.reload()
    expect(page.locator("#stop")).to_contain_text("已经停用或过期")


def test_a_site_that_is_down_is_as_good_as_no_network(
    site: Site, air: Air, chromium: Browser, door: tuple[str, int]
) -> None:
    link, number = door
    page = _phone(chromium, link)
    page.reload()  # ruled by the worker from here on
    expect(page.locator("#work")).to_be_visible()
    air.down = True
    page.reload()
    expect(page.locator("#work")).to_be_visible()
    _find(page, "0042")
    expect(page.locator("#verdict")).to_contain_text("请进")
    expect(page.locator("#net")).to_contain_text("还有 1 条")
    assert _inside(site, number) == 0
    air.down = False
    expect(page.locator("#net")).to_have_text("已联网", timeout=20_000)
    assert _inside(site, number) == 1


def test_a_ticket_held_before_the_camera_is_read(site: Site, door: tuple[str, int], tmp_path: Path) -> None:
    """Chromium here has no reader of its own, as most phones in China: the library beside us reads it."""
    link, number = door
    with site.runtime.service(Database).reading() as session:
        code = session.exec(
            select(Registration.code).where(Registration.occurrence_id == number, Registration.size == 1)
        ).first()
    film = tmp_path / "ticket.mjpeg"
    film.write_bytes(_frame(f"{site.address}/t/{code}") * 30)
    camera = [
        "--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={film}",
    ]  # fmt: skip
    with browser.chromium(*camera) as chromium:
        page = _phone(chromium, link)
        page.click("#scan")
        expect(page.locator("#verdict")).to_contain_text("请进", timeout=20_000)
        expect(page.locator("#came")).to_have_text("1")
        page.click("#scan")
        expect(page.locator("#camera")).to_be_hidden()


def _frame(text: str) -> bytes:
    """A picture of 640 × 480 with the code in the middle."""
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=8, border=4)
    ticket, frame = Image.open(drawn).convert("RGB"), Image.new("RGB", (640, 480), "#d8d8d8")
    frame.paste(ticket, ((640 - ticket.width) // 2, (480 - ticket.height) // 2))
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=90)
    return out.getvalue()
