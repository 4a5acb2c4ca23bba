"""A reader asks to be told in a real browser, gets a push through the sandbox, and stops on the notification.

Not tried here: that the browser's maker gives an address. Headless Chromium reaches no push service, so the page gets
the address of the sandbox's stand-in in its place, and everything after that is real: the page's own calls, the worker,
the outbox, the encryption, the stand-in that opens it. What it opened is handed to the worker as Chromium would.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlmodel import select

from campaign import browsers, lists
from campaign.contacts import Refusal
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from core.signing import Keys
from scheduler import accounts
from scheduler.account_form import AccountForm
from scheduler.account_secrets import Secrets
from scheduler.jobs import Outgoing
from scheduler.models import ChannelAccount, Delivery
from scheduler.sandbox import webpush as stand_in
from scheduler.sandbox.core import Sandbox
from scheduler.sandbox.webpush import KEY, WebPush, subscription
from tests import browser, factories, servers
from tests.browser import STARTER, Site
from tests.content import pieces
from tests.scheduler import audience_cast
from webapp.runtime import build
from webapp.wsgi import compose

pytestmark = pytest.mark.browser
WECHAT = "Mozilla/5.0 (Linux; Android 13) AppleWebKit/537.36 Chrome/116 Mobile MicroMessenger/8.0.42"
PIECE = "/p/ai-voice"
# In place of the service of the browser's maker: a new address each time, as a real one gives.
GIVES = """(all) => {
  const held = () => JSON.parse(sessionStorage.getItem("held") || "null");
  const made = (one) => one && {
    endpoint: one.endpoint, options: {}, toJSON: () => one,
    unsubscribe: async () => { sessionStorage.removeItem("held"); return true; },
  };
  PushManager.prototype.getSubscription = async () => made(held());
  PushManager.prototype.subscribe = async (asked) => {
    window.askedWith = asked;
    const used = Number(sessionStorage.getItem("used") || 0);
    if (!all[used]) throw new DOMException("no service", "AbortError");
    sessionStorage.setItem("used", used + 1);
    sessionStorage.setItem("held", JSON.stringify(all[used]));
    return made(all[used]);
  };
}"""


@dataclass
class Place:
    """A site with an account that pushes to the sandbox."""

    site: Site
    sandbox: Sandbox
    service: str

    def gives(self, page: Page, *names: str) -> None:
        given = [json.loads(subscription(self.service, name)) for name in names]
        page.add_init_script(f"({GIVES})({json.dumps(given)})")

    def push(self, *names: str) -> list[str]:
        """Plan, approve and send one push to everybody who asked; whom of these it reached."""
        now, runtime = clock.now(), self.site.runtime
        with runtime.service(Database).transaction() as session:
            listed = lists.find_list(session, browsers.LIST)
            account = session.exec(select(ChannelAccount.id)).one()
            assert listed is not None
            plan = audience_cast.plan(
                session, listed.id, now, channel="webpush", account_id=account, piece_key="ai-voice", subject="", body=""
            )  # fmt: skip
            audience_cast.send_now(session, plan, now)
        before = len(self.sandbox.arrived)
        while runtime.service(Outgoing).run_once():
            pass
        return [one.to for one in list(self.sandbox.arrived)[before:] if one.to in names]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Place]:
    """One site for all: each test has browsers of its own names."""
    home, port, other = tmp_path_factory.mktemp("site"), servers.free_port(), servers.free_port()
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        address = f"http://127.0.0.1:{port}"
        yield from _running(Settings(_env_file=None, public_url=address, **values), port, other)


def _running(settings: Settings, port: int, other: int) -> Iterator[Place]:
    runtime = build(settings)
    now, held = clock.now(), Secrets(runtime.service(Keys), runtime.service(Vault))
    with runtime.service(Database).transaction() as session:
        cast = factories.cast(session, now)
        by = (cast[factories.EDITOR], cast[factories.REVIEWER])
        pieces.publish_folder(session, settings.files_dir, Path(STARTER / "pieces"), by, now)
        form = AccountForm("webpush", "浏览器", "", sender="push@example.cn")
        account, _shown = accounts.create(session, form, held=held, secret=KEY, now=now)
        account.options = {"allow_http": "1"}
        session.add(account)
    sandbox = Sandbox()
    sandbox.add(WebPush())
    with servers.listening(sandbox, other), servers.listening(compose(runtime), port):
        yield Place(Site(f"http://127.0.0.1:{port}", runtime), sandbox, f"http://127.0.0.1:{other}/webpush")
    runtime.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


def ask(page: Page) -> None:
    page.click("[data-told-more]")
    expect(page.locator("[data-told-terms]")).to_be_visible()
    page.click("[data-told-start]")


def test_a_reader_asks_is_told_and_stops_on_the_page(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, permissions=["notifications"]) as page:
        place.gives(page, "reader")
        page.goto(place.site.address + PIECE)
        offer = page.locator("[data-told]")
        expect(offer).to_be_visible()
        assert not page.locator("[data-told-terms]").is_visible(), "quiet until it is tapped"
        page.click("[data-told-more]")
        expect(offer).to_contain_text("7 天里最多 3 条")
        expect(offer).to_contain_text("我同意通过此渠道接收")
        assert page.evaluate("window.askedWith") is None, (
            "nothing is asked of the browser before the second tap"
        )
        page.click("[data-told-start]")
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        assert page.evaluate("window.askedWith.userVisibleOnly") is True
        assert place.push("reader") == ["reader"]
        page.reload()
        page.click("[data-told-stop]")
        expect(page.get_by_role("status").last).to_contain_text("不再打扰")
        assert place.push("reader") == []
        ask(page)  # this browser's maker has no second address for it
        expect(page.get_by_role("status").last).to_contain_text("没有成功")
    (arrived,) = [one for one in place.sandbox.arrived if one.to == "reader"]
    assert (arrived.to, place.sandbox.breaches) == ("reader", [])
    assert re.fullmatch(rf"{place.site.address}/g/[0-9a-f]{{32}}{PIECE}\?a=.+", arrived.link)


def test_who_stopped_and_asks_again_gets_a_new_address(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, permissions=["notifications"]) as page:
        place.gives(page, "first", "first", "second")
        page.goto(place.site.address + "/push")
        ask(page)
        page.click("[data-told-stop]")
        expect(page.get_by_role("status").last).to_contain_text("不再打扰")
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        assert place.push("first", "second") == ["second"]


def test_a_tap_on_the_notification_stops_it(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, permissions=["notifications"]) as page:
        place.gives(page, "tapper")
        page.goto(place.site.address + "/push")
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        said = pushed(place)
        (worker,) = page.context.service_workers
        shown = worker.evaluate(
            """async (said) => {
              const happens = async (event) => {
                let done; event.waitUntil = (work) => { done = work; };
                self.dispatchEvent(event);
                await done;
              };
              await happens(new PushEvent("push", { data: JSON.stringify(said) }));
              const [one] = await self.registration.getNotifications();
              await happens(new NotificationEvent("notificationclick", { notification: one, action: "stop" }));
              const after = await self.registration.getNotifications();
              return {
                title: one.title, actions: one.actions.map((each) => each.title), after: after.map((each) => each.title),
              };
            }""",
            said,
        )
        assert shown["actions"] == ["不再接收"] and shown["title"] == said["title"]
        assert shown["after"] == ["好的，不再打扰您。"]
        with page.expect_response(lambda answer: "/push/standing" in answer.url) as asked:
            page.reload()
        assert asked.value.json() == {"told": False}
        expect(page.locator("[data-told-more]")).to_be_visible()
    with place.site.runtime.service(Database).reading() as session:
        assert "one-click" in session.exec(select(Refusal.via)).all()
    assert place.push("tapper") == []


def test_a_browser_that_was_given_another_address_is_still_told(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, permissions=["notifications"]) as page:
        place.gives(page, "before")
        page.goto(place.site.address + "/push")
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        (worker,) = page.context.service_workers
        worker.evaluate(
            """async (given) => {
              const event = new ExtendableEvent("pushsubscriptionchange");
              event.newSubscription = { endpoint: given.endpoint, toJSON: () => given };
              let done; event.waitUntil = (work) => { done = work; };
              self.dispatchEvent(event);
              await done;
            }""",
            json.loads(subscription(place.service, "after")),
        )
        assert place.push("before", "after") == ["after"]


def test_an_address_that_is_gone_is_closed_and_the_page_offers_again(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, permissions=["notifications"]) as page:
        place.gives(page, "gone-away", "fresh")
        page.goto(place.site.address + "/push")
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        assert place.push("gone-away") == []
        with place.site.runtime.service(Database).reading() as session:
            failed = session.exec(select(Delivery.reason).where(Delivery.state == "failed")).all()
            assert failed == ["这个浏览器已取消订阅。"]
        page.reload()
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("已经打开")
        assert place.push("gone-away", "fresh") == ["fresh"]


@pytest.mark.parametrize(
    ("more", "script"),
    [
        ({"user_agent": WECHAT, "permissions": ["notifications"]}, ""),
        ({"permissions": ["notifications"]}, "delete window.PushManager"),
        ({}, "Object.defineProperty(Notification, 'permission', { get: () => 'denied' })"),
        ({"java_script_enabled": False}, ""),
    ],
    ids=["wechat", "without push", "denied", "without script"],
)
def test_where_it_cannot_be_nothing_is_offered(
    place: Place, chromium: Browser, more: dict[str, Any], script: str
) -> None:
    with browser.visitor(chromium, place.site, **more) as page:
        if script:
            page.add_init_script(script)
        page.goto(place.site.address + PIECE)
        page.wait_for_load_state("networkidle")
        assert page.locator("[data-told]").count() == 1
        assert not page.locator("[data-told]").is_visible()


def test_who_says_no_to_the_browser_is_told_how_to_change_it(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site) as page:
        page.add_init_script("Notification.requestPermission = async () => 'denied'")
        place.gives(page, "nobody")
        page.goto(place.site.address + "/push")
        ask(page)
        expect(page.get_by_role("status").last).to_contain_text("没有允许通知")
        assert page.evaluate("window.askedWith") is None


def test_the_offer_is_whole_for_elders_and_by_keyboard(place: Place, chromium: Browser) -> None:
    with browser.visitor(chromium, place.site, elder=True, permissions=["notifications"]) as page:
        place.gives(page, "elder")
        page.goto(place.site.address + "/push")
        expect(page.locator("[data-told]")).to_be_visible()
        page.focus("[data-told-more]")
        page.keyboard.press("Enter")
        expect(page.locator("[data-told-terms]")).to_be_focused()
        assert browser.overflow(page) == []
        assert browser.small_targets(page, 60) == []
        assert browser.faults(page, browser.ALL) == []
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").last).to_contain_text("已经打开")


def pushed(place: Place) -> dict[str, Any]:
    """What the stand-in opened, as the worker gets it."""
    kept: dict[str, bytes] = {}
    real = stand_in.opened
    stand_in.opened = lambda browser, body: kept.setdefault(browser, real(browser, body))
    try:
        assert place.push("tapper") == ["tapper"]
    finally:
        stand_in.opened = real
    return dict(json.loads(kept["tapper"]))
