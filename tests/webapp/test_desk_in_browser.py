"""The desk under the hand: Ctrl+K, the keys, bulk ticks, and a conflict that keeps both versions, in real Chromium."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from core import clock
from core.database import Database
from core.settings import Settings
from institution import outlets
from tests import browser, factories, servers
from tests.browser import DESKTOP, PHONE, Site

pytestmark = pytest.mark.browser
EDIT = f"/desk/outlets/{factories.OUTLET_B}/edit"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("desk")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home,
            "database_url": url,
            "secret_key": "of-no-value",
            "second_factor": "off",
        }
        with browser.running(Settings(_env_file=None, **values), clock.now()) as site:
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.fixture
def desk(site: Site, chromium: Browser) -> Iterator[Page]:
    with browser.visitor(chromium, site, DESKTOP) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        page.goto(f"{site.address}/desk")
        yield page


def test_ctrl_k_finds_and_opens_without_the_mouse(desk: Page) -> None:
    desk.keyboard.press("Control+k")
    desk.keyboard.type("古荡")
    first = desk.locator("#finder-hits [role=option]").first
    expect(first).to_contain_text("西湖古荡柜面")
    expect(first).to_have_attribute("aria-selected", "true")
    assert browser.faults(desk, browser.ALL) == []
    desk.keyboard.press("Enter")
    desk.wait_for_url(f"**/desk/outlets/{factories.OUTLET_B}")


def test_ctrl_k_knows_the_pages_of_the_menu_and_escape_closes_it(desk: Page) -> None:
    desk.keyboard.press("/")
    desk.keyboard.type("操作记")
    expect(desk.locator("#finder-hits [role=option]").first).to_contain_text("操作记录")
    desk.keyboard.press("Escape")
    desk.keyboard.press("Escape")
    expect(desk.locator("#finder")).to_be_hidden()


def test_keys_lead_to_pages_and_are_left_alone_while_typing(desk: Page) -> None:
    desk.keyboard.press("?")
    expect(desk.locator("#keys")).to_be_visible()
    assert browser.faults(desk, browser.ALL) == []
    desk.keyboard.press("Escape")
    desk.keyboard.press("g")
    desk.keyboard.press("o")
    desk.wait_for_url("**/desk/outlets")
    desk.fill("#f-q", "")
    desk.locator("#f-q").press_sequentially("go?/j")
    assert desk.input_value("#f-q") == "go?/j"
    expect(desk.locator("#keys")).to_be_hidden()


def test_j_and_k_walk_the_rows_and_x_ticks_one(desk: Page, site: Site) -> None:
    desk.goto(f"{site.address}/desk/outlets?sort=code")
    expect(desk.locator("[data-bulk] button").first).to_be_disabled()
    for key in ("j", "j", "j", "k"):
        desk.keyboard.press(key)
    assert desk.evaluate("document.activeElement.closest('tr').rowIndex") == 2
    desk.keyboard.press("x")
    expect(desk.locator("tr.picked")).to_have_count(1)
    expect(desk.locator("[data-bulk-count]")).to_contain_text("1")
    expect(desk.locator("[data-bulk] button").first).to_be_enabled()
    desk.locator("[data-pick-all] input").check()
    assert desk.locator("input[name=pick]:checked").count() == desk.locator("input[name=pick]").count()


def test_two_who_edit_one_outlet_see_both_versions(desk: Page, site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, PHONE) as other:
        browser.sign_in(other, site, factories.ADMINISTRATOR)
        for page, phone, address in ((desk, "0571-11111111", None), (other, "0571-22222222", "新址 2 号")):
            page.goto(site.address + EDIT)
            page.fill("[name=phone]", phone)
            if address:
                page.fill("[name=address]", address)
        desk.click("main form .submit button")
        desk.wait_for_url(f"**/desk/outlets/{factories.OUTLET_B}")
        with other.expect_response(lambda answer: answer.request.method == "POST") as answered:
            other.click("main form .submit button")
        assert answered.value.status == 409
        assert browser.overflow(other) == [] and browser.faults(other, browser.ALL) == []
        expect(other.locator("input[name=phone]:checked")).to_have_value("0571-22222222")
        other.locator("input[name=phone][value='0571-11111111']").check()
        other.click("main form .submit button")
        other.wait_for_url(f"**/desk/outlets/{factories.OUTLET_B}")
    with site.runtime.service(Database).reading() as session:
        kept = outlets.get(session, factories.OUTLET_B)
        assert (kept.phone, kept.address) == ("0571-11111111", "新址 2 号")


def test_the_search_page_works_without_javascript(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, PHONE, java_script_enabled=False) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        page.get_by_role("banner").get_by_role("link", name="查找").click()
        page.fill("main [name=q]", "西湖")
        page.click("main form button")
        expect(page.locator("main .found a").first).to_be_visible()
        page.locator("main .found a").first.click()
        assert "/desk/outlets/" in page.url
