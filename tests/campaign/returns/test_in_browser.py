"""From the activity to the books in a real browser: a clerk with a phone, a branch at a desk."""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from core import clock
from core.database import Database
from core.settings import Settings
from tests import browser, factories, servers
from tests.browser import DESKTOP, PHONE, Site
from tests.campaign.returns import cast

pytestmark = pytest.mark.browser
YESTERDAY = (clock.today(cast.ZONE) - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        values["second_factor"] = "off"
        with browser.running(Settings(_env_file=None, **values), clock.now()) as site:
            with site.runtime.service(Database).transaction() as session:
                for login in (factories.OUTLET_STAFF, factories.BRANCH_MANAGER):
                    factories.staff(session, login, clock.now())
                    site.people[login] = factories.password(login)
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


def sound(page: Page) -> None:
    """Nothing overflows, every target is large enough, axe is content."""
    assert browser.overflow(page) == []
    assert browser.small_targets(page, 36) == []
    assert browser.faults(page, browser.ALL) == []


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_clerk_reports_from_a_phone_and_the_branch_verifies(
    site: Site, chromium: Browser, tmp_path: Path, script: bool
) -> None:
    files = []
    for seed in (71, 72):
        files.append(tmp_path / f"photo-{seed}-{script}.jpg")
        files[-1].write_bytes(cast.jpeg(cast.picture(seed + 10 * script, (800, 600))))
    with browser.visitor(chromium, site, PHONE, java_script_enabled=script) as page:
        browser.sign_in(page, site, factories.OUTLET_STAFF)
        page.goto(f"{site.address}/desk/returns/new")
        page.fill("[name=held_on]", YESTERDAY)
        page.select_option("[name=form]", "lecture")
        page.select_option("[name=place]", "community")
        page.fill("[name=heads]", "六十")
        page.check("[name=audiences][value=elders]")
        page.fill("[name=material_leaflet]", "80")
        page.set_input_files("[name=photos]", [str(one) for one in files])
        page.click("[name=action][value=submit]")
        page.wait_for_url("**/edit?check=1")
        assert page.input_value("[name=heads]") == "六十", "nothing typed is lost"
        assert page.locator("ul.photos img").count() == 2
        assert page.locator("#f-heads-error").is_visible() and page.locator("#f-staff-error").is_visible()
        if script:
            sound(page)
        page.fill("[name=heads]", "60")
        page.fill("[name=staff]", "3")
        page.click("[name=action][value=submit]")
        page.wait_for_url(re.compile(r"/desk/returns/\d+$"))
        number = page.url.rpartition("/")[2]
        assert page.locator("ul.photos img").count() == 2
        assert page.locator("[name=decision]").count() == 0, "nobody verifies their own"
        if script:
            sound(page)
    with browser.visitor(chromium, site, DESKTOP, java_script_enabled=script) as page:
        browser.sign_in(page, site, factories.BRANCH_MANAGER)
        page.goto(f"{site.address}/desk/returns/{number}")
        if script:
            sound(page)
        page.click("[name=decision][value=approved]")
        page.wait_for_load_state()
        assert page.locator(".actions .status.good").is_visible()
