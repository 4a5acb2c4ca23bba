"""The public pages: what comes next, the month by city, the live link at its time, files to subscribe to."""

import json
import re
from collections.abc import Iterator
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from campaign.events import listing, month, occurrences
from content.pages import PageFacts
from core import clock
from core.database import Database
from core.privacy import Vault
from tests import factories
from tests.campaign.events import site
from tests.campaign.events.making import ZONE
from tests.campaign.events.site import Planted
from webapp.runtime import Runtime

DATA = re.compile(r'<script type="application/ld\+json">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def planted(runtime: Runtime) -> Iterator[Planted]:
    with runtime.service(Database).transaction() as session:
        made = site.fill(session, runtime.service(Vault), clock.now())
    yield made


def test_the_events_page_shows_what_comes_next(
    client: FlaskClient, planted: Planted, declared: list[PageFacts]
) -> None:
    text = client.get("/events").text
    assert 'href="/events/tuesday"' in text and 'href="/events/class"' in text
    assert "2 个网点" in text
    assert "正在进行" in text, "campaigns stay"
    assert declared[-1].cache


def test_a_series_shows_its_dates_and_in_a_city_its_outlets(client: FlaskClient, planted: Planted) -> None:
    text = client.get("/events/tuesday").text
    assert "刷单返利" in text
    link = f'href="{planted.next.url}"'
    assert link not in text
    here = client.get("/events/tuesday", query_string={"province": "浙江省|杭州市"}).text
    assert link in here and "西湖文三路柜面" in here
    assert "刷单返利" in client.get("/events/tuesday?province=没有|这里").text
    assert client.get("/events/nothing").status_code == 404


def test_the_data_block_is_json_and_speaks_of_the_series(client: FlaskClient, planted: Planted) -> None:
    found = DATA.search(client.get("/events/tuesday").text)
    assert found
    data = json.loads(found[1])
    assert (data["@type"], data["name"]) == ("EventSeries", "相约星期二")
    assert {one["@type"] for one in data["subEvent"]} == {"EducationEvent"}
    assert data["subEvent"][0]["startDate"].endswith("+08:00")


def test_a_live_link_is_shown_at_its_time_alone_and_such_a_page_is_not_kept(
    client: FlaskClient, planted: Planted, declared: list[PageFacts]
) -> None:
    text = client.get("/events/class").text
    assert "https://live.example.com/a" in text and "马上开始" in text
    assert "https://video.example.com/1" in text, "the replay of the last one"
    assert not declared[-1].cache


@pytest.mark.parametrize(("before", "shown"), [(31, False), (30, True), (1, True), (-39, True), (-40, False)])
def test_half_an_hour_before_until_the_end(
    runtime: Runtime, planted: Planted, before: int, shown: bool
) -> None:
    now = planted.online.starts_at - timedelta(minutes=before)
    with runtime.service(Database).reading() as session:
        page = listing.series_page(session, "class", now, now.astimezone(ZONE).date())
    assert (page.live is not None) is shown
    assert page.live is None or page.live.on_now is (before <= 0)


def test_what_was_called_off_has_no_link_and_says_so(
    runtime: Runtime, client: FlaskClient, planted: Planted
) -> None:
    database = runtime.service(Database)
    number = planted.online.id or 0
    with database.transaction() as session:
        occurrences.call_off(session, number, "讲师生病", now=clock.now())
    text = client.get("/events/class").text
    assert "https://live.example.com/a" not in text and "讲师生病" in text
    with database.transaction() as session:
        occurrences.call_on(session, number, now=clock.now())


def test_the_month_is_a_table_and_in_a_city_names_outlets(client: FlaskClient, planted: Planted) -> None:
    name = f"{planted.next.day:%Y-%m}"
    whole = client.get(f"/events/calendar?month={name}").text
    assert '<table class="month">' in whole and 'scope="col"' in whole
    assert "2 个网点" in whole
    city = client.get("/events/calendar", query_string={"month": name, "city": "杭州市"}).text
    assert planted.next.url in city and "西湖古荡柜面" in city
    assert "锦江" not in city
    empty = client.get("/events/calendar?month=2021-05")
    assert "还没有排活动" in empty.text
    for odd in ("2026-13", "x", "9999-12", "", "0001-01"):
        assert client.get(f"/events/calendar?month={odd}").status_code == 200
    day = client.get(
        "/events/calendar", query_string={"month": name, "day": planted.next.day.isoformat()}
    ).text
    assert 'id="day"' in day


def test_a_hidden_series_is_nowhere(runtime: Runtime, client: FlaskClient, planted: Planted) -> None:
    database = runtime.service(Database)
    paths = ("/events", f"/events/calendar?month={planted.next.day:%Y-%m}&city=杭州市")

    def shows() -> list[bool]:
        return [
            planted.series.name in client.get(path).text or planted.next.url in client.get(path).text
            for path in paths
        ]

    assert shows() == [True, True]
    try:
        with database.transaction() as session:
            session.merge(planted.series).visible = False
        assert shows()[1] is False
        assert 'href="/events/tuesday"' not in client.get("/events").text
        for path in ("/events/tuesday", "/events/tuesday.ics", f"{planted.next.url}.ics"):
            assert client.get(path).status_code == 404, path
        assert planted.next.code not in client.get(f"/o/{factories.OUTLET_A}/events.ics").text
    finally:
        with database.transaction() as session:
            session.merge(planted.series).visible = True


@pytest.mark.parametrize(
    "path", ["/events/tuesday.ics", "/events/class.ics", f"/o/{factories.OUTLET_A}/events.ics"]
)
def test_calendar_files_are_such(client: FlaskClient, planted: Planted, path: str) -> None:
    answer = client.get(path)
    assert answer.mimetype == "text/calendar"
    assert answer.text.startswith("BEGIN:VCALENDAR") and "VEVENT" in answer.text


def test_what_an_outlet_has_next_is_listed_with_what_was_called_off(
    runtime: Runtime, planted: Planted
) -> None:
    now = clock.now()
    with runtime.service(Database).reading() as session:
        mine = listing.at_outlet(session, factories.OUTLET_A, now, most=3)
        soonest = listing.soonest(session, now)
    assert [one.outlet_code for one in mine] == [factories.OUTLET_A] * 3
    assert mine == sorted(mine, key=lambda one: one.starts_at)
    assert soonest is not None and soonest.series.code == "tuesday" and soonest.next is not None
    assert soonest.next.held == 2


def test_the_sitemap_knows_the_series(client: FlaskClient, planted: Planted) -> None:
    text = client.get("/sitemap.xml").text
    assert "/events/tuesday<" in text and "/events/calendar<" in text


def test_english_pages_have_english_words(client: FlaskClient, planted: Planted) -> None:
    client.set_cookie("sp_lang", "en")
    text = client.get("/events/tuesday").text
    assert "<h1>Tuesdays</h1>" in text


def test_months_follow_each_other() -> None:
    first = date(2026, 12, 1)
    assert (month.next_month(first).isoformat(), month.next_month(first, -12).isoformat()) == (
        "2027-01-01",
        "2025-12-01",
    )
    assert month.last_of(month.next_month(first, 2)).day == 28
