"""Real Chromium: a branch plans a month, moves a session and tells whoever is registered; a visitor reads the calendar."""

from collections.abc import Iterator
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Dialog, Page
from sqlmodel import select

from campaign.events import month, series
from campaign.registration.models import Notice
from core import clock
from core.database import Database
from core.settings import Settings
from tests import browser, factories, servers
from tests.browser import DESKTOP, PHONE, Site
from tests.campaign.events.making import ZONE, all_of

pytestmark = pytest.mark.browser
BOTH = pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.chromium() as found:
        yield found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template) -> Iterator[Site]:
    home = tmp_path_factory.mktemp("events")
    with database_template.copy(home) as url:
        settings = Settings(
            _env_file=None, home=home, database_url=url, secret_key="of-no-value", second_factor="off"
        )
        with browser.running(settings, clock.now()) as running:
            yield running


def later(months: int) -> datetime:
    """The first of a month to come."""
    first = month.next_month(clock.today(ZONE).replace(day=1), months)
    return datetime(first.year, first.month, 1, tzinfo=ZONE)


@BOTH
def test_a_month_is_planned_by_one_press_and_the_next_press_finds_no_gap(
    site: Site, chromium: Browser, size: tuple[int, int]
) -> None:
    first = later(4 if size == PHONE else 5)
    with browser.visitor(chromium, site, size) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        page.goto(
            f"{site.address}/desk/events/series/tuesday/plan?month={first:%Y-%m}&node={factories.COUNTY}"
        )
        assert page.locator(".gap-cell.lv-3").count() > 0
        page.click(".make .button.primary")
        page.wait_for_selector(".make .flash.good")
        assert page.locator(".gap-cell.lv-0").count() == page.locator(".gap-cell").count() > 0
        assert browser.overflow(page) == []
        page.goto(f"{site.address}/desk/events/load?month={first:%Y-%m}&node={factories.CITY}")
        page.click("table.load tbody a")
        assert "西湖文三路柜面" in page.inner_text("table.load")
    with site.runtime.service(Database).reading() as session:
        mine = [
            one
            for one in all_of(session, series.get(session, "tuesday"))
            if f"{one.day:%Y-%m}" == f"{first:%Y-%m}"
        ]
    keys = {(one.outlet_code, one.day) for one in mine}
    assert len(keys) == len(mine) > 0


def test_a_form_shows_the_next_dates_while_one_types(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, DESKTOP) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        page.goto(f"{site.address}/desk/events/new")
        page.fill("[name=first_on]", "2027-02-02")
        page.wait_for_selector("#preview li:has-text('2月9日')")
        assert "不办：春节" in page.inner_text("#preview"), (
            "9 February 2027 is the fourth day of the festival"
        )
        page.fill("[name=rule_own]", "FREQ=HOURLY")
        page.wait_for_selector("#preview .error")


def test_a_move_asks_first_says_how_many_are_told_and_tells_them(site: Site, chromium: Browser) -> None:
    asked: list[str] = []
    with browser.visitor(chromium, site, PHONE) as page:
        browser.sign_in(page, site, factories.ADMINISTRATOR)
        page.goto(f"{site.address}/desk/events/o/1")
        _open(page, "改时间或地点")

        def refuse(dialog: Dialog) -> None:
            asked.append(dialog.message)
            dialog.dismiss()

        page.once("dialog", refuse)
        page.fill("details[open] [name=place]", "二楼")
        page.click("details[open] .button")
        page.wait_for_timeout(200)
        assert len(asked) == 1 and "3 份报名" in asked[0]
        with site.runtime.service(Database).reading() as session:
            assert session.exec(select(Notice).where(Notice.kind == "moved")).all() == [], (
                "not until it is confirmed"
            )
        page.once("dialog", lambda dialog: dialog.accept())
        page.click("details[open] .button")
        page.wait_for_selector(".flash.good")
        assert "会通知 3 份报名" in page.inner_text(".flash.good")
    with site.runtime.service(Database).reading() as session:
        assert len(session.exec(select(Notice).where(Notice.kind == "moved")).all()) == 3


def _open(page: Page, words: str) -> None:
    page.click(f"summary:has-text('{words}')")


@BOTH
@pytest.mark.parametrize("elder", [False, True], ids=["normal", "elder"])
def test_the_calendar_leads_from_a_city_to_a_session(
    site: Site, chromium: Browser, size: tuple[int, int], elder: bool
) -> None:
    with browser.visitor(chromium, site, size, elder=elder, java_script_enabled=False) as page:
        page.goto(f"{site.address}/events")
        page.click("text=按月看日历")
        page.select_option("[name=province]", "浙江省")
        page.click(".finder button")
        page.select_option("[name=city]", "杭州市")
        page.click(".finder button")
        page.click("text=下个月")
        assert f"{later(1).year}年{later(1).month}月" in page.inner_text("h1")
        place = ".days" if size == PHONE else ".month"
        other = ".month" if size == PHONE else ".days"
        assert page.is_visible(place) and not page.is_visible(other), (
            "a table where there is room, a list on a phone"
        )
        assert page.locator(f"{place} .ev a[href^='/e/']").count() > 20
        assert browser.overflow(page) == []


def test_the_data_block_is_not_refused_by_the_policy_and_never_run(site: Site, chromium: Browser) -> None:
    with browser.visitor(chromium, site, DESKTOP) as page:
        said: list[str] = []
        page.on("console", lambda message: said.append(message.text))
        page.goto(f"{site.address}/events/tuesday")
        kind = page.evaluate(
            "JSON.parse(document.querySelector('script[type=\"application/ld+json\"]').textContent)['@type']"
        )
        assert kind == "EventSeries"
        assert [one for one in said if "Content Security Policy" in one] == []
        refused = page.evaluate(
            """() => new Promise((done) => {
              addEventListener('securitypolicyviolation', (event) => done(event.violatedDirective));
              const script = document.createElement('script');
              script.textContent = 'window.ran = 1';
              document.head.append(script);
              setTimeout(() => done(window.ran ? 'ran' : 'silent'), 500);
            })"""
        )
        assert "script-src" in refused, "the control: a script in the page is refused"
