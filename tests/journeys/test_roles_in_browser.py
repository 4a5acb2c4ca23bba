"""A day at the institution in a real browser: every role signs in with a second factor and does its work."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyotp
import pytest
from playwright.sync_api import Browser, Page

from core import clock
from core.database import Database
from core.settings import Settings
from institution.powers import ROLES, allowed
from tests import browser, factories, servers
from tests.browser import DESKTOP, PHONE, Site
from webapp.layout import NAVIGATION

pytestmark = pytest.mark.browser
# Roles of a branch have their part of the tree, the others the whole institution.
PLACES = {"branch_manager": factories.PROVINCE, "outlet_staff": factories.OUTLET_A}
OUTSIDE = ("四川", "春熙路", factories.OUTSIDE_PROVINCE)
TEXT = """---
key: day-at-work
kind: article
title: 先问一问再签字
title_en: Ask before you sign
summary: 不懂的条款，先问一问。
summary_en: Ask about terms you do not understand.
help: [{label: 反诈专线, phone: "96110"}]
review_by: 2027-06-30
---

看不懂的条款，先问一问，再签字。

/// call | 拿不准
    phone: "96110"
    label: 反诈专线

先打电话，再决定。
///
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    """A site that asks for second factors, with one person of each role."""
    home = tmp_path_factory.mktemp("roles")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        with browser.running(Settings(_env_file=None, **values), clock.now()) as site:
            with site.runtime.service(Database).transaction() as session:
                for role in ROLES:
                    place = PLACES.get(role, "")
                    factories.person(session, login(role), role, role, clock.now(), at=place)
            site.people |= {login(role): factories.password(login(role)) for role in ROLES}
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def login(role: str) -> str:
    """The login of the person with this role."""
    return f"a.{role.replace('_', '-')}"


@contextmanager
def desk(chromium: Browser, site: Site, role: str, size: tuple[int, int] = DESKTOP) -> Iterator[Page]:
    """The desk of somebody who has just signed in, by password and second factor."""
    with browser.visitor(chromium, site, size) as page:
        said: list[str] = []
        page.on("pageerror", lambda error: said.append(str(error)))
        enter(page, site, login(role))
        yield page
        assert said == []


def enter(page: Page, site: Site, name: str) -> None:
    """Sign in as the person would: the first time a second factor is set up, later a recovery code does."""
    browser.sign_in(page, site, name)
    if page.url.split("?")[0].endswith("/second-factor/set-up"):
        secret = (page.locator(".spell code").text_content() or "").replace(" ", "")
        page.fill("[name=code]", pyotp.TOTP(secret).now())
        page.get_by_role("button", name="开启").click()
        page.locator(".codes code").first.wait_for()
        site.codes[name] = page.locator(".codes code").all_text_contents()
        page.get_by_role("link", name="收好了，继续").click()
    elif page.url.split("?")[0].endswith("/second-factor"):
        page.fill("[name=code]", site.codes[name].pop())
        page.get_by_role("button", name="继续").click()
    page.wait_for_load_state()
    assert page.url.split("?")[0] == f"{site.address}/desk", page.url


@pytest.mark.parametrize("role", ROLES)
def test_every_role_sees_its_pages_and_no_others(site: Site, chromium: Browser, role: str) -> None:
    every = {item.path for _title, items in NAVIGATION for item in items}
    with desk(chromium, site, role) as page:
        shown = page.locator(".side nav.menu a").evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert set(shown) <= every and "/desk" in shown
        for path in sorted(every):
            answer = page.goto(site.address + path)
            assert answer is not None
            assert (path in shown) == (answer.status == 200), (path, answer.status)
            if path in shown:
                assert browser.overflow(page) == [], path
                page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
                assert browser.overflow(page) == [], f"{path} on a phone"
                page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
            if role in PLACES:
                text = page.locator("main").inner_text()
                assert not [word for word in OUTSIDE if word in text], path


def test_a_text_is_sent_back_and_mended_before_it_is_published(site: Site, chromium: Browser) -> None:
    with desk(chromium, site, "editor") as page:
        page.goto(f"{site.address}/desk/pieces/new")
        page.fill("[name=text]", TEXT.replace("先问一问，再签字", "问一问"))
        page.get_by_role("button", name="保存为新版本").click()
        submit(page, "第 1 版")
    with desk(chromium, site, "reviewer", PHONE) as page:
        request(page, site, "先问一问再签字")
        page.fill("[name=opinion]", "最后一句要告诉人先做什么。")
        page.get_by_role("button", name="请修改").click()
    with desk(chromium, site, "editor") as page:
        page.goto(f"{site.address}/desk/pieces/day-at-work")
        assert "最后一句要告诉人先做什么" in page.locator("main").inner_text()
        page.goto(f"{site.address}/desk/pieces/day-at-work/edit")
        page.fill("[name=text]", TEXT)
        page.get_by_role("button", name="保存为新版本").click()
        submit(page, "第 2 版")
    with desk(chromium, site, "reviewer", PHONE) as page:
        request(page, site, "先问一问再签字")
        browser.tick_all(page)
        page.get_by_role("button", name="通过", exact=True).click()
    with desk(chromium, site, "campaign_manager") as page:
        page.goto(f"{site.address}/desk/pieces/day-at-work")
        page.get_by_role("button", name=re.compile("发布")).first.click()
    with browser.visitor(chromium, site, PHONE) as page:
        page.goto(f"{site.address}/p/day-at-work")
        assert "先问一问，再签字" in page.locator("main").inner_text()


def submit(page: Page, which: str) -> None:
    """Ask for the review of the newest revision."""
    page.get_by_role("button", name=re.compile(f"提交{which}")).click()
    page.wait_for_load_state()
    assert "待审查" in page.locator("main").inner_text()


def request(page: Page, site: Site, title: str) -> None:
    """Open what waits, from the queue."""
    page.goto(f"{site.address}/desk/approvals")
    page.get_by_role("link", name=title).first.click()
    page.wait_for_load_state()


def test_a_branch_manager_keeps_their_own_outlets(site: Site, chromium: Browser) -> None:
    with desk(chromium, site, "branch_manager", PHONE) as page:
        page.goto(f"{site.address}/desk/outlets/{factories.OUTLET_A}/edit")
        page.fill("[name=hours]", "周二 9:00–16:00")
        page.get_by_role("button", name="保存").click()
        assert "周二 9:00–16:00" in page.locator("main").inner_text()
        outside = page.goto(f"{site.address}/desk/outlets/{factories.OUTSIDE_OUTLET}")
        missing = page.goto(f"{site.address}/desk/outlets/nothing-there")
        assert outside is not None and missing is not None
        assert (outside.status, missing.status) == (404, 404)


def test_the_auditor_reads_all_of_it_and_changes_nothing(site: Site, chromium: Browser) -> None:
    with desk(chromium, site, "auditor") as page:
        page.goto(f"{site.address}/desk/audit")
        assert "登录" in page.locator("main").inner_text()
        for path in ("/desk/outlets/new", "/desk/pieces/new", "/desk/plans/new", "/desk/staff/new"):
            answer = page.goto(site.address + path)
            assert answer is not None and answer.status == 403, path


def test_an_analyst_takes_the_figures_home(site: Site, chromium: Browser) -> None:
    with desk(chromium, site, "analyst") as page:
        answer = page.request.get(
            f"{site.address}/desk/reach/download?format=csv&from=2026-01-01&to=2026-12-31&by=branch"
        )
        assert answer.status == 200 and "text/csv" in answer.headers["content-type"]


def test_what_each_role_may_is_what_the_table_says() -> None:
    assert "content.publish" not in allowed("reviewer")
    assert not {one for one in allowed("auditor") if not one.endswith(".view")}
