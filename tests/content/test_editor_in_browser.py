"""The editor of pieces in a real browser: blocks by keyboard, fields, the look, a pasted picture, unsaved work."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from core import clock
from core.settings import Settings
from institution.models import Staff
from tests import browser, factories, servers
from tests.browser import Site
from tests.content import pieces
from tests.content.rooms.hands import serving

PANEL = "/// panel | 一\n\n话。\n///\n"
ASKING = """/// quiz | 先做什么？

- [ ] 先转账
- [x] 先挂断

骗子怕您停下来。
///

/// finder | 当面问
    city: 杭州市
///
"""
HELP = 'help: [{label: 反诈, phone: "96110"}]\n'
PASTE = """(field) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 40, height: 30 });
  return new Promise((done) => canvas.toBlob((blob) => {
    const data = new DataTransfer();
    data.items.add(new File([blob], "image.png", { type: "image/png" }));
    field.focus();
    field.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    done();
  }));
}"""


def _write(session: Session, _settings: Settings, editor: Staff, reviewer: Staff) -> None:
    now = clock.now()
    pieces.saved(session, pieces.text(body=PANEL), editor.id or 0, now)
    pieces.saved(session, pieces.text("line", kind="guide", more="way: phone\n"), editor.id or 0, now)
    for kind in ("article", "long_graphic"):
        text = pieces.text(f"asks-{kind[:4]}", kind=kind, body=ASKING, more=HELP)
        pieces.to_the_site(session, text, editor, reviewer, now)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """The site with a draft, and published pieces with a quiz."""
    home = tmp_path_factory.mktemp("home")
    with serving(home, database_template, _write, second_factor="off") as found:
        yield found


def typed(page: Page) -> str:
    """What stands in the text."""
    return page.locator("#f-text").input_value()


def caret(page: Page, words: str) -> None:
    """Put the caret behind these words of the text."""
    script = "(field, words) => { field.focus(); const at = field.value.indexOf(words) + words.length; field.setSelectionRange(at, at) }"
    page.locator("#f-text").evaluate(script, words)


def _insert_by_keyboard(page: Page) -> None:
    before = typed(page)
    caret(page, "话。")
    page.keyboard.press("Control+.")
    page.keyboard.press("q")
    page.keyboard.press("q")
    expect(page.locator("[data-palette] [data-name=quiz]")).to_be_focused()
    page.keyboard.press("Enter")
    assert "话。\n\n//// quiz | " in typed(page), "inside a block it takes another number of slashes"
    page.keyboard.press("Control+z")
    assert typed(page) == before
    page.keyboard.press("Control+Shift+z")
    expect(page.frame_locator("[data-phone]").locator(".quiz summary")).to_have_count(3)


def _fields_and_text_keep_step(page: Page) -> None:
    page.click(".fact-panel > summary")
    page.fill("[name='fact.title']", "再问一问")
    page.keyboard.press("Tab")
    expect(page.locator("#f-text")).to_have_value(re.compile(r"\ntitle: 再问一问\n"))
    expect(page.locator("[name='fact.heading']")).to_be_focused()
    caret(page, "summary: 三句话记住")
    page.keyboard.type("，少一句")
    expect(page.locator("[name='fact.summary']")).to_have_value("三句话记住，少一句")


def _a_pasted_picture_needs_words(page: Page) -> None:
    caret(page, "话。")
    page.locator("#f-text").evaluate(PASTE)
    expect(page.locator("[data-picture-name]")).to_have_text("media/image.png")
    expect(page.locator("[data-picture-insert]")).to_be_disabled()
    page.fill("#f-picture-alt", "奶奶: 挂断电话")
    assert browser.faults(page, browser.ALL) == []
    page.click("[data-picture-insert]")
    assert '//// picture | media/image.png\n    alt: "奶奶: 挂断电话"\n////\n' in typed(page)
    expect(page.frame_locator("[data-phone]").locator("img[alt='奶奶: 挂断电话']")).to_have_count(1)


def test_somebody_writes_leaves_and_goes_on(chromium: Browser, site: Site) -> None:
    path = f"{site.address}/desk/pieces/stop-first/edit"
    with browser.visitor(chromium, site, browser.DESKTOP) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("dialog", lambda dialog: dialog.accept())
        browser.sign_in(page, site, factories.EDITOR)
        page.goto(path)
        expect(page.frame_locator("[data-phone]").locator("h1")).to_have_text("先停一停")
        _insert_by_keyboard(page)
        _fields_and_text_keep_step(page)
        _a_pasted_picture_needs_words(page)
        page.keyboard.press("Control+Shift+e")
        expect(page.frame_locator("[data-phone]").locator("html[data-elder]")).to_have_count(1)
        assert browser.faults(page, browser.ALL) == []
        page.fill("#f-text", typed(page) + "/// card\n")
        expect(page.locator("[data-live-faults] button")).to_have_count(1)
        expect(page.locator("[data-kept]")).to_contain_text("已暂存")
        written = typed(page)
        page.goto(path)
        page.click(".offer a")
        assert typed(page) == written
        assert said == []
        page.fill("#f-text", written.replace("/// card\n", ""))
        page.keyboard.press("Control+s")
        expect(page.locator(".state-line")).to_contain_text("第 2 版")
        page.goto(path)
        expect(page.locator(".offer")).to_have_count(0)


def test_the_fields_of_a_guide_and_its_text_keep_step(chromium: Browser, site: Site) -> None:
    with browser.visitor(chromium, site, browser.DESKTOP) as page:
        page.on("dialog", lambda dialog: dialog.accept())
        browser.sign_in(page, site, factories.EDITOR)
        page.goto(f"{site.address}/desk/pieces/line/edit")
        page.click(".fact-panel > summary")
        page.select_option("[name='fact.way']", "visit")
        expect(page.locator("#f-text")).to_have_value(re.compile(r"\nway: visit\n"))
        page.fill("[name='fact.bring']", "保单\n身份证")
        page.keyboard.press("Tab")
        expect(page.locator("#f-text")).to_have_value(re.compile(r"\nbring: \[保单, 身份证\]\n"))
        page.fill("#f-text", typed(page).replace("[保单, 身份证]", "[银行卡]"))
        expect(page.locator("[name='fact.bring']")).to_have_value("银行卡")
        assert browser.faults(page, browser.ALL) == []


def test_on_a_phone_text_and_look_are_two_tabs(chromium: Browser, site: Site) -> None:
    with browser.visitor(chromium, site) as page:
        browser.sign_in(page, site, factories.EDITOR)
        page.goto(f"{site.address}/desk/pieces/new")
        page.click(".fact-panel > summary")
        assert (browser.overflow(page), browser.small_targets(page, 24)) == ([], [])
        assert browser.faults(page, browser.ALL) == []
        page.click("[data-tab=look]")
        expect(page.locator("#f-text")).to_be_hidden()
        expect(page.frame_locator("[data-phone]").locator("ol.steps")).to_be_visible()
        assert browser.overflow(page) == []


@pytest.mark.parametrize("elder", [False, True])
def test_a_quiz_is_answered_by_keyboard_and_printed_with_its_answer(
    chromium: Browser, site: Site, elder: bool
) -> None:
    with browser.visitor(chromium, site, elder=elder, java_script_enabled=not elder) as page:
        page.goto(f"{site.address}/p/{'asks-arti' if elder else 'asks-long'}")
        page.locator(".quiz summary").nth(1).focus()
        page.keyboard.press("Enter")
        expect(page.locator(".quiz .right .verdict")).to_contain_text("对了。")
        expect(page.locator(".quiz > .answer")).to_be_hidden()
        expect(page.locator(".near a")).to_have_attribute("href", "/o?text=%E6%9D%AD%E5%B7%9E%E5%B8%82")
        box = page.locator(".quiz summary").first.bounding_box()
        assert box and box["height"] >= (60 if elder else 44)
        if not elder:
            assert browser.faults(page, browser.ALL) == []
            assert browser.overflow(page) == []
        page.emulate_media(media="print")
        expect(page.locator(".quiz > .answer")).to_contain_text("答案：先挂断")
        expect(page.locator(".quiz > .answer")).to_contain_text("骗子怕您停下来")
