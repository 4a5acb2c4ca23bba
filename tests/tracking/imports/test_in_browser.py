"""The way from a file to the request for approval in a real browser, on a phone and on a desktop, without a mouse."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from core import clock
from core.settings import Settings
from tests import browser, factories, servers
from tests.browser import DESKTOP, PHONE, Site
from tests.tracking.imports.cast import ZONE

pytestmark = pytest.mark.browser
YESTERDAY = (clock.today(ZONE) - timedelta(days=1)).isoformat()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {"home": home, "database_url": url, "secret_key": "of-no-value"}
        values["second_factor"] = "off"
        with browser.running(Settings(_env_file=None, **values), clock.now()) as site:
            yield site


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as started:
        yield started


@pytest.mark.parametrize(("size", "locale"), [(PHONE, "zh"), (DESKTOP, "en")], ids=["phone", "desktop"])
def test_a_file_is_handed_in(
    site: Site, chromium: Browser, tmp_path: Path, size: tuple[int, int], locale: str
) -> None:
    file = tmp_path / f"screens-{locale}.csv"
    rows = [f"{YESTERDAY},{factories.OUTLET_A},full-surrender,{len(locale) + size[0]}"]
    file.write_text(
        "\n".join(["日期,网点编号,内容,点播次数", *rows, f"{YESTERDAY},no-outlet,x,-1"]), encoding="utf-8"
    )
    with browser.visitor(chromium, site, size, locale=locale) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        for text, good in (
            (file.read_text("utf-8"), False),
            ("\n".join(file.read_text("utf-8").splitlines()[:-1]), True),
        ):
            file.write_text(text, encoding="utf-8")
            page.goto(f"{site.address}/desk/reach/imports/new?source=screens")
            page.set_input_files("[name=file]", str(file))
            page.locator("main form button.primary").first.press("Enter")
            page.wait_for_url("**/imports/new/*")
            assert page.locator("[name=action][value=submit]").count() == int(good)
            assert browser.overflow(page) == []
            assert browser.small_targets(page, 36) == []
            assert browser.faults(page, browser.ALL) == []
        page.locator("[name=action][value=submit]").press("Enter")
        page.wait_for_url("**/imports/*")
        assert page.locator(".status").first.inner_text() == (
            "待审批" if locale == "zh" else "Waiting for approval"
        )
        assert browser.overflow(page) == []
        assert browser.faults(page, browser.ALL) == []
