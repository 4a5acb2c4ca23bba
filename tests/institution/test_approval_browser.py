"""Approvals as people meet them: a guest on a phone, without JavaScript too; the desk's pages, large and small."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import Session

from content import review
from core import clock
from core.database import Database
from core.settings import Settings
from institution import approval_paths, people, stand_ins
from institution.approval_paths import Step
from tests import browser, factories, servers
from tests.browser import DESKTOP, NARROW, PHONE, Site
from tests.content import pieces
from tests.factories import ADMINISTRATOR, EDITOR, REVIEWER

pytestmark = pytest.mark.browser
KIND = review.APPROVAL_KIND


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        settings = Settings(_env_file=None, second_factor="off", **values)
        with browser.running(settings, clock.now()) as site:
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def number_of(session: Session, login: str) -> int:
    account = people.by_login(session, login)
    assert account is not None
    return account.id or 0


def asked(site: Site, key: str) -> int:
    """A new piece by the editor, submitted; the number of its request."""
    with site.runtime.service(Database).transaction() as session:
        by, now = number_of(session, EDITOR), clock.now()
        revision = pieces.saved(session, pieces.text(key), by, now)
        made = review.submit(session, revision.id or 0, by=by, now=now, due_at=now + timedelta(hours=5))
        return made.id or 0


def link_for_a_guest(page: Page, site: Site, number: int) -> str:
    """The reviewer asks a lawyer and copies the link."""
    browser.sign_in(page, site, REVIEWER)
    page.goto(f"{site.address}/desk/approvals/{number}")
    page.get_by_text("请没有账号的人来审").click()
    page.get_by_label("对方姓名").fill("方律师")
    page.get_by_role("button", name="生成链接").click()
    return page.locator(".secret-link").inner_text()


@pytest.mark.parametrize("scripts", [True, False], ids=["with", "without"])
def test_a_lawyer_reviews_on_a_phone(site: Site, chromium: Browser, scripts: bool) -> None:
    number = asked(site, f"for-the-lawyer-{scripts}".lower())
    with browser.visitor(chromium, site, DESKTOP) as page:
        link = link_for_a_guest(page, site, number)
    said: list[str] = []
    with browser.visitor(chromium, site, PHONE, java_script_enabled=scripts) as page:
        page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
        page.goto(link)
        assert page.get_by_role("heading", level=1).inner_text() == "先停一停"
        frame = page.frame_locator("iframe")
        assert frame.get_by_text("问一问，再转账").first.is_visible()
        assert page.locator("a[href*='/desk']").count() == 0
        if scripts:
            assert browser.faults(page, browser.ALL) == [] and browser.overflow(page) == []
            assert browser.small_targets(page, 44) == []
        page.get_by_role("button", name="不同意").click()
        assert page.locator(".error").inner_text().endswith("方便对方修改。")
        page.locator("textarea").fill("第二段没有写明期限")
        page.get_by_role("button", name="请修改").click()
        assert page.get_by_role("heading", level=1).inner_text() == "已收到您的意见"
        page.goto(link)
        assert "先停一停" not in page.content()
        if scripts:
            assert browser.faults(page, browser.ALL) == []
    assert [one for one in said if "400" not in one] == []  # the first answer lacked its reason
    with browser.visitor(chromium, site, PHONE) as page:
        browser.sign_in(page, site, EDITOR)
        page.goto(f"{site.address}/desk/approvals/{number}")
        assert "第二段没有写明期限" in page.locator(".steps").inner_text()
        assert "要求修改" in page.locator(".about").inner_text()


def test_a_guests_page_fits_320_pixels_the_dark_and_english(site: Site, chromium: Browser) -> None:
    number = asked(site, "narrow-and-dark")
    with browser.visitor(chromium, site, DESKTOP) as page:
        link = link_for_a_guest(page, site, number)
    with browser.visitor(chromium, site, NARROW, color_scheme="dark", locale="en") as page:
        page.goto(link)
        assert browser.overflow(page) == [] and browser.faults(page, "color-contrast") == []


def test_several_are_approved_without_javascript(site: Site, chromium: Browser) -> None:
    asked(site, "one-of-two")
    asked(site, "two-of-two")
    with browser.visitor(chromium, site, PHONE, java_script_enabled=False) as page:
        browser.sign_in(page, site, ADMINISTRATOR)
        page.goto(f"{site.address}/desk/approvals?text=of-two")
        for box in page.locator("input[name=pick]").all():
            box.check()
        page.get_by_role("button", name="批量通过").click()
        expect(page.locator("tbody tr")).to_have_count(2)  # waits for the page, which a click does not
        browser.tick_all(page)
        page.get_by_role("button", name="全部通过").click()
        expect(page.locator(".flashes")).to_contain_text("已通过 2 项")
        page.wait_for_load_state()
        assert re.search(r"没有符合条件", page.content())


@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_the_pages_of_the_desk(site: Site, chromium: Browser, size: tuple[int, int]) -> None:
    number = asked(site, f"walked-{size[0]}")
    with site.runtime.service(Database).transaction() as session:
        now, admin = clock.now(), number_of(session, ADMINISTRATOR)
        steps = [
            Step("省里先审", "content.approve", "province"),
            Step("总公司再审", "content.approve", "head"),
        ]
        path = approval_paths.save(
            session, kind=KIND, outlet_code=factories.PROVINCE, steps=steps, due_days=3, by=admin, now=now
        ).id
        for row in stand_ins.listing(session, now):
            stand_ins.end(session, row.id or 0, now=now)
        stand_ins.set_up(
            session, absent=number_of(session, REVIEWER), stand_in=admin, begins_at=now - timedelta(days=1),
            ends_at=now + timedelta(days=1), by=admin, now=now,
        )  # fmt: skip
    walked = [
        "",
        "?box=done",
        "?box=mine",
        f"/{number}",
        "/stand-ins",
        "/paths",
        f"/paths/{path}",
        "/paths/new",
    ]
    wrong: list[str] = []
    with browser.visitor(chromium, site, size) as page:
        page.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
        browser.sign_in(page, site, ADMINISTRATOR)
        for each in walked:
            page.goto(f"{site.address}/desk/approvals{each}")
            found = browser.overflow(page) + browser.small_targets(page, 36)
            found += browser.faults(page, browser.ALL)
            wrong += [f"{each}: {fault}" for fault in found]
    assert wrong == []
