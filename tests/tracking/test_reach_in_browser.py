"""The report page in real Chromium: late parts arrive, the calendar is walked by keys, links are copied, phone."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core import clock
from core.settings import Settings
from tests import browser, factories, servers
from tests.browser import DESKTOP, NARROW, PHONE, Site
from tests.tracking.rows import event, ship
from tracking import desk
from tracking.store import ReachStore

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """A site with reach of two years."""
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        with browser.running(Settings(_env_file=None, second_factor="off", **values), clock.now()) as site:
            events = [
                event(f"{year}-{month:02d}-05", outlet=outlet, visitor=visitor, channel=channel)
                for year, more in ((2022, 2), (2023, 4))
                for month in range(1, 13)
                for outlet in (factories.OUTLET_A, factories.OUTSIDE_OUTLET)
                for visitor in range(1, more + month % 3)
                for channel in ("web", "wechat")
            ]
            ship(site.runtime.service(ReachStore), "seg-1", events)
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def opened(page: Page, site: Site, path: str) -> list[str]:
    """Open a page of the report; what the browser complains about gathers in the list."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: said.append(str(error)))
    browser.sign_in(page, site, factories.ADMINISTRATOR)
    page.goto(site.address + path, timeout=60_000)  # the first chart of a process takes its time
    return said


def least(size: tuple[int, int], path: str) -> int:
    """The height of targets: less for figures in a matrix, and for a whole country on 320 pixels (WCAG 2.5.8: 24)."""
    return 24 if size == NARROW else 28 if "by2" in path else 36


@pytest.mark.parametrize("size", [PHONE, DESKTOP, NARROW], ids=["phone", "desktop", "narrow"])
def test_nothing_overflows_and_axe_finds_nothing(
    site: Site, chromium: Browser, size: tuple[int, int]
) -> None:
    with browser.visitor(chromium, site, size) as page:
        said = opened(page, site, "/desk/reach?wait=1")
        for path in (
            "/desk/reach?wait=1", "/desk/reach?by=outlet&by2=channel&wait=1", "/desk/reach?pick=channel&channel=web&wait=1",
            "/desk/reach/rows?by=channel&key=web&group=rows", "/desk/reach/rows",
        ):  # fmt: skip
            page.goto(site.address + path)
            assert browser.overflow(page) == [], path
            assert browser.small_targets(page, least(size, path)) == [], path
            assert size == NARROW or browser.faults(page, browser.ALL) == [], path
        assert said == []


def test_english_and_dark(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, PHONE, locale="en", color_scheme="dark") as page:
        assert opened(page, site, "/desk/reach?by=outlet&by2=channel&wait=1") == []
        assert browser.overflow(page) == []
        assert browser.faults(page, "color-contrast") == []
        assert "Calendar" in page.inner_text("main")


def test_late_parts_arrive_by_themselves(
    site: Site, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "SOON", -1.0)
    with browser.visitor(chromium, site, DESKTOP) as page:
        said = opened(page, site, "/desk/reach?by=kind&compare=none")
        page.wait_for_selector(".late", state="detached")
        assert page.locator("svg.heat rect[data-d]").count() == 365
        assert "统计中" not in page.inner_text(".kpis")
        assert said == []


def test_without_javascript_it_waits_by_itself(
    site: Site, chromium: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk, "SOON", -1.0)
    with browser.visitor(chromium, site, DESKTOP, java_script_enabled=False) as page:
        opened(page, site, "/desk/reach?by=quarter")
        page.wait_for_url("**wait=1*")
        assert "统计中" not in page.inner_text(".kpis")


def test_the_calendar_is_walked_by_keys_and_opens_a_day(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, DESKTOP) as page:
        opened(page, site, "/desk/reach?wait=1")
        page.locator("[data-heat]").first.focus()
        for key in ("ArrowDown", "ArrowRight", "ArrowUp"):
            page.keyboard.press(key)
        assert page.inner_text(".heat-said").startswith("2023-01-07"), "first day, a week on, a day back"
        page.keyboard.press("Enter")
        page.wait_for_url("**from=2023-01-07&to=2023-01-07*")


def test_a_link_is_copied_and_opens_the_same(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, DESKTOP, permissions=["clipboard-read", "clipboard-write"]) as page:
        opened(page, site, "/desk/reach?by=outlet&channel=web&span=quarter&at=2023-Q3&wait=1")
        page.get_by_text("分享与保存").click()
        page.get_by_role("button", name="复制链接").click()
        page.get_by_role("button", name="已复制").wait_for()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == f"{site.address}/desk/reach?span=quarter&at=2023-Q3&by=outlet&channel=web"
        page.keyboard.press("Escape")
        assert not page.locator("#f-link").is_visible()
        title = page.inner_text("h1")
        page.goto(copied)
        assert page.inner_text("h1") == title


def test_from_the_province_to_the_rows_by_clicks(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, PHONE) as page:
        opened(page, site, "/desk/reach")
        for name in ("浙江省分公司", "杭州中心支公司", "西湖支公司", "西湖文三路柜面"):
            page.locator("#table").get_by_role("link", name=name).click()
        assert "西湖文三路柜面触达" in page.inner_text("h1")
        page.locator("#table td.k-gross a").first.click()
        assert "人次背后的记录" in page.inner_text("h1")
        assert page.get_by_text("与报告一致").is_visible()
