"""Two phones and the screen of a hall, in real browsers: joining, progress, a lost network, the end."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from campaign.play_sessions import hosting
from campaign.play_sessions.hosting import ScreenLinks
from core import clock
from core.database import Database
from core.settings import Settings
from tests import browser, factories, servers
from tests.browser import Site
from tests.campaign.play_sessions.conftest import host
from tests.content.rooms.conftest import publish
from tests.content.rooms.hands import click
from webapp.runtime import build
from webapp.wsgi import compose

pytestmark = pytest.mark.browser


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """The site with the sample room, served by threads on a free port."""
    port = servers.free_port()
    runtime = build(settings.model_copy(update={"public_url": f"http://127.0.0.1:{port}"}))
    with runtime.service(Database).transaction() as session:
        cast = factories.cast(session, clock.now())
        people = cast[factories.EDITOR], cast[factories.REVIEWER]
        publish(session, runtime.service(Settings), *people, clock.now())
    with servers.listening(compose(runtime), port):
        yield Site(f"http://127.0.0.1:{port}", runtime)
    runtime.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


def test_two_phones_and_a_screen(site: Site, chromium: Browser) -> None:
    database = site.runtime.service(Database)
    one = host(database, clock.now())
    path = site.runtime.service(ScreenLinks).screen(one.id or 0)
    with (
        browser.visitor(chromium, site, (1920, 1080)) as screen,
        browser.visitor(chromium, site) as first,
        browser.visitor(chromium, site, elder=True) as second,
    ):
        problems: list[str] = []
        screen.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
        screen.goto(site.address + path)
        expect(screen.get_by_text("等第一位朋友扫码")).to_be_visible()
        assert browser.faults(screen, browser.ALL) == []
        for phone, code in (
            (first, one.code or ""),
            (second, f"{(one.code or '')[:3]} {(one.code or '')[3:]}"),
        ):
            phone.goto(f"{site.address}/play/join")
            phone.fill("[name=code]", code)
            phone.click("main form button")
            phone.fill("[name=nickname]", "阿明")
            phone.click("main form button")
        expect(second.get_by_role("alert").first).to_contain_text("已有人用")
        assert second.input_value("[name=nickname]") == "阿明"
        second.fill("[name=nickname]", "李阿姨")
        second.click("main form button")
        expect(second.locator("#room-title")).to_have_text("客厅")
        for name in ("阿明", "李阿姨"):
            expect(screen.locator(".play-bars")).to_contain_text(name)
        click(first, "look:phone")
        first.get_by_label("先停一停，不转账").check()
        click(first, "answer:first")
        expect(screen.locator(".play-bars li", has_text="阿明")).to_contain_text("1/7")
        expect(screen.locator(".play-lines li")).to_have_count(1)
        assert problems == []
        screen.context.set_offline(True)
        expect(screen.locator(".lost")).to_be_visible()
        expect(screen.locator(".play-bars")).to_contain_text("阿明")
        with database.transaction() as session:
            hosting.end(session, one.id or 0, now=clock.now())
        screen.context.set_offline(False)
        expect(screen.get_by_text("这一场结束了")).to_be_visible()
        expect(screen.locator(".lost")).to_be_hidden()
        expect(screen.locator(".play-lines").first).to_contain_text("阿明")
        assert browser.overflow(screen) == []
        tall = screen.evaluate(
            "() => document.querySelector('.right').scrollHeight - document.querySelector('.right').clientHeight"
        )
        assert tall <= 0
