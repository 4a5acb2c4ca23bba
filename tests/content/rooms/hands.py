"""How a visitor's hands work: press what a button says, by mouse on the picture or by keyboard alone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page
from sqlmodel import Session

from core import clock
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories, servers
from tests.browser import Site
from webapp.runtime import build
from webapp.wsgi import compose

Press = Callable[[Page, str], None]
Publish = Callable[[Session, Settings, Staff, Staff], None]
_TURNS = 90  # presses of Tab on the longest page


@contextmanager
def serving(home: Path, template: servers.Template, publish: Publish, **more: Any) -> Iterator[Site]:
    """A site with the named cast and what `publish` puts on it, on a free port; `more` are settings."""
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    with template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home, "database_url": url, "secret_key": "of-no-value", "public_url": address, **more,
        }  # fmt: skip
        runtime = build(Settings(_env_file=None, **values))
        with runtime.service(Database).transaction() as session:
            cast = factories.cast(session, clock.now())
            publish(session, runtime.service(Settings), cast[factories.EDITOR], cast[factories.REVIEWER])
        with servers.listening(compose(runtime), port):
            yield Site(address, runtime)
        runtime.close()


def click(page: Page, do: str) -> None:
    """Press a button as a mouse does; on the picture where it is there."""
    on_picture = page.locator(f'.hots button[value="{do}"]')
    target = on_picture if on_picture.count() else page.locator(f'button[value="{do}"]')
    with page.expect_response(lambda answer: "/play/" in answer.url and answer.request.method == "POST"):
        target.first.click()
    page.wait_for_selector("#room:not([aria-busy])", state="attached")


def key(page: Page, do: str) -> None:
    """Reach a button with the Tab key alone, and press it with Enter."""
    wanted = f'button[value="{do}"]'
    for _turn in range(_TURNS):
        if page.evaluate("wanted => document.activeElement?.matches(wanted)", wanted):
            break
        page.keyboard.press("Tab")
    else:
        raise AssertionError(f"{do} is not reached by keyboard")
    with page.expect_response(lambda answer: "/play/" in answer.url and answer.request.method == "POST"):
        page.keyboard.press("Enter")
    page.wait_for_selector("#room:not([aria-busy])", state="attached")
