"""Signing in on a phone and on a desktop as a person does: second factor set up, recovery codes, next sign-in."""

from datetime import UTC, datetime

import pyotp
import pytest

from core.database import Database
from core.settings import Settings
from institution import people
from tests import browser
from tests.factories import EDITOR

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("size", [browser.PHONE, browser.DESKTOP])
def test_a_second_factor_is_set_up_and_used(settings: Settings, size: tuple[int, int]) -> None:
    asked = settings.model_copy(update={"second_factor": "required"})
    with (
        browser.running(asked, datetime.now(UTC)) as site,
        browser.chromium() as chrome,
        browser.visitor(chrome, site, size) as page,
    ):
        browser.sign_in(page, site, EDITOR)
        assert page.url.split("?")[0].endswith("/desk/second-factor/set-up")
        assert page.locator(".side").count() == 0 and page.locator("img.qr").is_visible()
        assert not [*browser.overflow(page), *browser.small_targets(page, 24), *browser.faults(page)]
        page.click("details.spell summary")
        secret = page.inner_text("details.spell code").replace(" ", "")
        page.fill("[name=code]", pyotp.TOTP(secret).now())
        page.keyboard.press("Enter")
        page.wait_for_selector("ol.codes")
        recovery = page.locator("ol.codes code").all_inner_texts()
        assert len(recovery) == 10 and page.locator("[data-print]").is_visible()
        page.click("a.button.primary")
        page.wait_for_url(f"{site.address}/desk")
        page.context.clear_cookies()
        browser.sign_in(page, site, EDITOR)
        assert page.url.split("?")[0].endswith("/desk/second-factor")
        page.fill("[name=code]", recovery[0])
        page.keyboard.press("Enter")
        page.wait_for_url(f"{site.address}/desk")
        page.goto(f"{site.address}/desk/me")
        assert "还剩 9 个恢复码" in page.inner_text("main")
        assert not [*browser.overflow(page), *browser.small_targets(page, 24)]
        with site.runtime.service(Database).reading() as session:
            account = people.by_login(session, EDITOR)
            assert account and account.second_factor
