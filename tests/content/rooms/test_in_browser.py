"""The sample room in a real browser: by mouse on the picture, by keyboard alone, in elder mode; axe finds nothing."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlmodel import Session

from content.rooms.envelope import Envelopes
from core import clock
from core.settings import Settings
from institution.models import Staff
from tests import browser, servers
from tests.browser import Site
from tests.content.rooms.conftest import KEY, publish
from tests.content.rooms.hands import Press, click, key, serving

Spoken = list[tuple[str, str]]
# What is done, and what it is done to: the way to the good ending through all kinds of lock.
ANSWERS = {
    "first": ["先停一停，不转账"],
    "message": ["您的账户将在今天 18 点冻结，", "请点开链接，填写卡号和验证码。"],
    "cards": ["把银行卡租给别人", "把电话卡卖掉"],
}
PARTNERS = ["反诈专线", "银行保险投诉", "报警"]
ORDER = ["停", "问", "办"]


def _publish(session: Session, settings: Settings, editor: Staff, reviewer: Staff) -> None:
    publish(session, settings, editor, reviewer, clock.now())


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """The site with the sample room."""
    with serving(tmp_path_factory.mktemp("home"), database_template, _publish) as found:
        yield found


def choose(page: Page, lock: str, press: Press) -> None:
    """Mark the right options, by mouse or with the space bar."""
    for words in ANSWERS[lock]:
        option = page.get_by_label(words)
        if press is click:
            option.check()
        else:
            option.focus()
            page.keyboard.press("Space")
    press(page, f"answer:{lock}")


def sort(page: Page, press: Press) -> None:
    """Move each piece up with its button until it is where it belongs."""
    pieces = page.locator("ol.order li.piece")
    for at, words in enumerate(ORDER):
        while words not in pieces.nth(at).inner_text().split("：")[0]:
            here = next(n for n in range(3) if words in pieces.nth(n).inner_text().split("：")[0])
            up = pieces.nth(here).locator('button[data-way="-1"]')
            if press is click:
                up.click()
            else:
                up.focus()
                page.keyboard.press("Enter")


def play(page: Page, press: Press, looked: Callable[[Page], None]) -> None:
    """From the first scene to the good ending; `looked` sees every page on the way."""

    def go(*dos: str) -> None:
        for do in dos:
            press(page, do)
            looked(page)

    go("look:photo", "look:granny", "say:0:2", "look:phone")
    choose(page, "first", press)
    go("look:phone")
    hang = page.get_by_role("button", name="我挂了").get_attribute("value") or ""
    go(hang, "look:drawer")
    page.locator("#code").fill("一九五八")
    go("answer:drawer", "look:mobile")
    choose(page, "message", press)
    go("go:out", "look:poster")
    choose(page, "cards", press)
    go("go:on", "look:board")
    for number, words in enumerate(PARTNERS):
        page.locator("ul.match select").nth(number).select_option(label=words)
    go("answer:numbers", "look:clerk", "say:0:1")
    sort(page, press)
    go("answer:steps")


def sound(page: Page, least: int) -> None:
    """Nothing that axe finds, nothing cut off, every target large enough."""
    assert browser.faults(page) == []
    assert browser.overflow(page) == []
    assert browser.small_targets(page, least) == []


def begin(page: Page, site: Site) -> None:
    """From the cover to the first scene."""
    page.goto(f"{site.address}/p/{KEY}")
    page.get_by_role("button", name="开始探索").click()
    expect(page.locator("#room-title")).to_have_text("客厅")


@pytest.mark.parametrize(
    ("press", "elder", "size"),
    [(click, False, browser.PHONE), (key, False, browser.DESKTOP), (click, True, browser.PHONE)],
    ids=["mouse", "keyboard", "elder"],
)
def test_it_is_played_to_the_end(
    site: Site, chromium: Browser, press: Press, elder: bool, size: tuple[int, int]
) -> None:
    problems: list[str] = []
    with browser.visitor(chromium, site, size, elder=elder) as page:
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        page.goto(f"{site.address}/p/{KEY}")
        sound(page, 60 if elder else 44)
        begin(page, site)
        play(page, press, lambda shown: sound(shown, 60 if elder else 44))
        expect(page.locator("#panel-title")).to_have_text("钱都在")
        assert page.evaluate("document.activeElement !== document.body"), "the focus is never lost"
        assert "钱都在" in page.locator("#room-live").inner_text()
        page.fill("#nickname", "小林")
        page.get_by_role("button", name="看我的证书").click()
        expect(page.locator("h1")).to_have_text("一通电话")
        sound(page, 60 if elder else 44)
    assert problems == []


def test_a_lost_request_is_sent_again_and_the_scene_is_exchanged_without_leaving(
    site: Site, chromium: Browser
) -> None:
    with browser.visitor(chromium, site) as page:
        begin(page, site)
        page.evaluate("window.here = 1")
        tries: list[str] = []

        def lose(route: Route) -> None:
            tries.append(route.request.post_data or "")
            if len(tries) < 3:
                route.abort()
            else:
                route.continue_()

        page.route("**/play/*", lose)
        page.locator('button[value="look:photo"]').first.click()
        expect(page.locator(".room-bag")).to_contain_text("小本子（1）")
        assert len(tries) == 3 and len(set(tries)) == 1, "the very same content"
        assert page.evaluate("window.here") == 1


def test_offline_it_says_so_and_goes_on_when_asked(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site) as page:
        begin(page, site)
        page.clock.install()
        page.route("**/play/*", lambda route: route.abort())
        page.locator('button[value="look:photo"]').first.click()
        for _turn in range(8):
            page.clock.run_for(3000)
        expect(page.locator("#room-lost")).to_be_visible()
        page.unroute("**/play/*")
        page.get_by_role("button", name="再送一次").click()
        expect(page.locator(".room-bag")).to_contain_text("小本子（1）")


def test_a_reload_shows_the_same_scene_and_the_cover_offers_to_go_on(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site) as page:
        begin(page, site)
        click(page, "look:photo")
        page.reload()
        expect(page.locator(".room-bag")).to_contain_text("小本子（1）")
        page.goto(f"{site.address}/p/{KEY}")
        page.get_by_role("link", name="继续上次的").click()
        expect(page.locator(".room-bag")).to_contain_text("小本子（1）")


def test_a_state_that_cannot_go_on_leads_to_a_page_that_says_so(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site) as page:
        begin(page, site)
        other = Envelopes.__name__
        page.evaluate("name => { document.querySelector('#play [name=state]').value = name }", other)
        page.locator('button[value="look:photo"]').first.click()
        expect(page.locator("h1")).to_contain_text("重新开始吧")
        page.get_by_role("button", name="重新开始").click()
        expect(page.locator("#room-title")).to_have_text("客厅")


def test_it_fits_a_narrow_phone_in_large_letters_and_english(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, browser.NARROW, elder=True, locale="en") as page:
        page.goto(f"{site.address}/p/{KEY}")
        assert browser.overflow(page) == []
        page.locator('button[value="start"]').click()
        page.wait_for_selector("#room-title")
        for do in ("look:phone", "leave", "look:granny"):
            click(page, do)
            assert browser.overflow(page) == []
