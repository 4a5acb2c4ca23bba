"""static/js/push_worker.js in a real browser: what the channel pushes is what the phone shows."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.wrappers import Request, Response

from scheduler.channels.webpush import _payload
from tests import browser as browsers
from tests.scheduler.channels.test_webpush import message
from tests.servers import free_port, listening

pytestmark = pytest.mark.browser
WORKER = Path(__file__).resolve().parents[2] / "static" / "js" / "push_worker.js"
_SHOWN = """async () => {
  const [one] = await (await navigator.serviceWorker.ready).getNotifications();
  return {title: one.title, body: one.body, lang: one.lang, tag: one.tag, link: one.data.link ?? ""};
}"""

_CLEAR = """async () => {
  for (const one of await (await navigator.serviceWorker.ready).getNotifications()) one.close();
}"""


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browsers.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def pushed(chromium: Browser) -> Iterator[tuple[Page, Any]]:
    """A page whose worker is ready, and a way to have something pushed to it as the browser's maker does."""
    port = free_port()

    @Request.application
    def site(request: Request) -> Response:
        if request.path == "/push_worker.js":
            return Response(WORKER.read_bytes(), content_type="text/javascript")
        return Response("<!doctype html><title>x</title>", content_type="text/html")

    address = f"http://127.0.0.1:{port}"
    with listening(site, port):
        context = chromium.new_context(permissions=["notifications"])
        page = context.new_page()
        page.goto(address)
        line, found = context.new_cdp_session(page), {}
        line.on(
            "ServiceWorker.workerRegistrationUpdated",
            lambda said: found.update(
                {one["scopeURL"]: one["registrationId"] for one in said["registrations"]}
            ),
        )
        line.send("ServiceWorker.enable")
        told: list[str] = []
        line.on(
            "BackgroundService.backgroundServiceEventReceived",
            lambda said: told.append(said["backgroundServiceEvent"]["eventName"]),
        )
        line.send("BackgroundService.startObserving", {"service": "notifications"})
        line.send("BackgroundService.setRecording", {"service": "notifications", "shouldRecord": True})
        page.evaluate(
            "async () => { await navigator.serviceWorker.register('/push_worker.js'); await navigator.serviceWorker.ready; }"
        )

        def push(data: str) -> Any:
            page.evaluate(_CLEAR)
            told.clear()
            where = {"origin": address, "registrationId": found[f"{address}/"]}
            line.send("ServiceWorker.deliverPushMessage", {**where, "data": data})
            # Whoever asks the page while it is being shown makes Chromium forget it: the browser says when it is.
            until = monotonic() + 30
            while "Notification displayed" not in told and monotonic() < until:
                page.wait_for_timeout(20)
            return page.evaluate(_SHOWN)

        yield page, push
        context.close()


def test_what_the_channel_pushes_is_shown(pushed: tuple[Page, Any]) -> None:
    one = message("")
    shown = pushed[1](_payload(one).decode())
    assert shown == {
        "title": one.subject,
        "body": one.summary,
        "lang": "zh",
        "tag": one.key,
        "link": one.link,
    }


@pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "http://", ""])
def test_an_address_that_would_run_something_is_not_kept(pushed: tuple[Page, Any], link: str) -> None:
    assert pushed[1](_payload(replace(message(""), link=link)).decode())["link"] in ("", pushed[0].url)


@pytest.mark.parametrize("data", ["", "nonsense", json.dumps({"title": 3}), json.dumps(None)])
def test_what_cannot_be_read_is_said_in_plain_words(pushed: tuple[Page, Any], data: str) -> None:
    shown = pushed[1](data)
    assert (shown["title"], shown["body"]) == ("路标", "您有一条新消息。")
