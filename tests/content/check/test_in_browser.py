"""The check at the desk in a real browser: a finding leads to its passage, and the pages keep the rules of all pages."""

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

URGING = "## 讲座\n\n😀😀 名额有限，先到先得。\n\n我们的产品保本。\n"
PIECE = "/desk/pieces/stop-first"


def _write(session: Session, _settings: Settings, editor: Staff, reviewer: Staff) -> None:
    now = clock.now()
    pieces.saved(session, pieces.text(body=URGING), editor.id or 0, now)
    made = "ai_generated: {what: [pictures], tool: 某绘图工具, editor: 林编辑}\n"
    for kind, more in (("article", ""), ("long_graphic", ""), ("guide", ""), ("diary", "number: 1\n")):
        text = pieces.text(
            f"drawn-{kind.replace('_', '-')}", kind=kind, more=f"{made}{more}review_by: 2026-10-01\n"
        )
        pieces.to_the_site(session, text, editor, reviewer, now)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """The site with a draft that breaks rules, and pieces with pictures that a machine drew."""
    home = tmp_path_factory.mktemp("home")
    with serving(home, database_template, _write, second_factor="off") as found:
        yield found


def selected(page: Page) -> str:
    script = "() => { const t = document.querySelector('textarea[name=text]'); return t.value.slice(t.selectionStart, t.selectionEnd) }"
    return str(page.evaluate(script))


def test_a_finding_selects_its_passage_and_pages_hold(chromium: Browser, site: Site) -> None:
    for size in (browser.DESKTOP, browser.PHONE):
        with browser.visitor(chromium, site, size) as page:
            browser.sign_in(page, site, factories.EDITOR)
            page.goto(f"{site.address}{PIECE}/edit")
            spots = page.locator("button.passage")
            words = []
            for number in range(spots.count()):
                spots.nth(number).focus()
                page.keyboard.press("Enter")
                words.append(selected(page))
            assert words == ["名额有限", "先到先得", "保本"]
            for path in (f"{PIECE}/edit", PIECE, "/desk/due?days=365"):
                page.goto(site.address + path)
                assert browser.overflow(page) == []
                assert browser.small_targets(page, 24) == []
                assert browser.faults(page, browser.ALL) == []


def test_a_reason_is_given_by_keyboard_and_taken_back(chromium: Browser, site: Site) -> None:
    with browser.visitor(chromium, site) as page:
        browser.sign_in(page, site, factories.EDITOR)
        page.goto(f"{site.address}{PIECE}")
        page.locator("details.overrule summary").first.focus()
        page.keyboard.press("Enter")
        page.locator("details.overrule textarea").first.fill("场地只有四十个座位")
        page.get_by_role("button", name="保留这一处").first.click()
        expect(page.locator("#check")).to_contain_text("场地只有四十个座位")
        page.get_by_role("button", name="取消保留").click()
        expect(page.locator("#check")).not_to_contain_text("场地只有四十个座位")


@pytest.mark.parametrize("kind", ["article", "long-graphic", "guide", "diary"])
def test_what_a_machine_made_says_so_before_it_is_seen(chromium: Browser, site: Site, kind: str) -> None:
    for elder in (False, True):
        with browser.visitor(chromium, site, elder=elder) as page:
            page.goto(f"{site.address}/p/drawn-{kind}")
            label = page.locator(".ai-label")
            expect(label).to_have_text(
                "AI 生成 本页的图片由人工智能生成（工具：某绘图工具），责任编辑：林编辑"
            )
            body = page.locator(".prose, .sheet .pane:not(.cover)").first
            above, below = label.bounding_box(), body.bounding_box()
            assert above and below and above["y"] < below["y"]
            assert browser.faults(page, "color-contrast") == []
            assert browser.overflow(page) == []
