"""The page of preferences as an elder sees it on a phone: large, whole, by touch, without script."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from campaign import audience, serials
from campaign.contacts import DIARY
from campaign.unsubscribe import Unsubscriptions
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from tests import browser, servers
from tests.browser import Site
from tests.scheduler import audience_cast
from webapp.runtime import build
from webapp.wsgi import compose

pytestmark = pytest.mark.browser


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """A site with a list of three, served by threads on a free port."""
    port = servers.free_port()
    runtime = build(settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"}))
    with runtime.service(Database).transaction() as session:
        audience_cast.people(session, runtime.service(Vault), 3, clock.now())
    with servers.listening(compose(runtime), port):
        yield Site(f"http://127.0.0.1:{port}", runtime)
    runtime.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


def test_an_elder_keeps_one_channel_and_then_stops_everything(site: Site, chromium: Browser) -> None:
    index = site.runtime.service(Vault).index("email", "p2@example.com")
    path = Unsubscriptions(site.runtime.service(Keys)).path("email", index)
    with browser.visitor(chromium, site, elder=True, java_script_enabled=False) as page:
        page.goto(site.address + path)
        boxes = page.locator("input[name=want]")
        assert boxes.count() == 6, "two channels, three purposes"
        assert (
            float(
                page.locator(".preferences p").first.evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
            )
            >= 20
        )
        assert browser.overflow(page) == []
        page.locator("input[value='email:education']").uncheck()
        page.click("button[value=preferences]")
        expect(page.get_by_role("status").first).to_contain_text("已保存")
        assert not page.locator("input[value='email:education']").is_checked()
        assert page.locator("input[value='webhook:education']").is_checked()
        page.click("button[value=everything]")
        expect(page.locator("h1")).to_contain_text("不再打扰")
        assert browser.overflow(page) == []
    with site.runtime.service(Database).reading() as session:
        assert audience.is_refused(session, "email", index)


def test_a_letter_of_the_diary_lets_an_elder_leave_the_diary_alone(site: Site, chromium: Browser) -> None:
    index = site.runtime.service(Vault).index("email", "p2@example.com")
    path = Unsubscriptions(site.runtime.service(Keys)).path("email", index, DIARY)
    with browser.visitor(chromium, site, elder=True, java_script_enabled=False) as page:
        page.goto(site.address + path)
        assert browser.overflow(page) == []
        page.click("button[value=diary]")
        expect(page.locator("h1")).to_contain_text("日记不再寄给您")
        assert page.locator("button[value=diary]").count() == 0
        assert browser.overflow(page) == []
    with site.runtime.service(Database).reading() as session:
        assert serials.has_left(session, "email", index)
        assert not audience.is_refused(session, "email", index)
    with browser.visitor(chromium, site) as page:
        page.goto(site.address + path)
        assert browser.faults(page, browser.ALL) == []
