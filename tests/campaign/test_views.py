"""The public pages: what they say, what they count, what they are kept by, and the two switches."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest
from flask.testing import FlaskClient

from campaign import front, programme, views
from content.pages import PageFacts
from core import clock
from core.database import Database
from tests import browser, factories
from tracking.attribution import Attributions, PageKeys
from webapp.runtime import Runtime


@contextmanager
def changed(runtime: Runtime, **words: object) -> Iterator[None]:
    """The campaign of the test site with other words for a while."""
    day = clock.now().date()
    usual = browser.campaign_file(day, [])
    usual.pop("pieces")
    with runtime.service(Database).transaction() as session:
        programme.import_file(session, usual | words, clock.now())
    yield
    with runtime.service(Database).transaction() as session:
        programme.import_file(session, usual, clock.now())


def test_the_home_page_shows_the_campaign_of_the_day(client: FlaskClient) -> None:
    text = client.get("/").text
    assert "先停一停，<br>问一问，再转账" in text
    assert f'href="/c/{browser.CAMPAIGN}"' in text
    assert "小宝成长日记" in text
    assert "相约星期二" in text
    assert 'href="tel:96110"' in text


def test_the_home_page_without_a_campaign_still_helps(client: FlaskClient, runtime: Runtime) -> None:
    long_ago = clock.now().date() - timedelta(days=400)
    with changed(runtime, starts_on=long_ago, ends_on=long_ago):
        text = client.get("/").text
    assert f'href="/c/{browser.CAMPAIGN}"' not in text
    assert "冬日防骗月" in text  # the one that comes
    assert "先停一停" in text


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/", PageKeys(campaign=browser.CAMPAIGN)),
        (f"/c/{browser.CAMPAIGN}", PageKeys(campaign=browser.CAMPAIGN)),
        (f"/o/{factories.OUTLET_A}", PageKeys(outlet=factories.OUTLET_A)),
        ("/help", PageKeys()),
        ("/events", PageKeys()),
    ],
)
def test_pages_about_something_are_counted_for_it(
    client: FlaskClient, runtime: Runtime, declared: list[PageFacts | None], path: str, keys: PageKeys
) -> None:
    sealed = client.get(path).text.split('data-keys="')[1].split('"')[0]
    assert declared == [PageFacts(keys)]
    assert runtime.service(Attributions).unseal(sealed) == keys


@pytest.mark.parametrize(
    "path", ["/o", "/library", "/privacy", "/accessibility", "/sitemap.xml", "/robots.txt"]
)
def test_ways_to_other_pages_are_not_counted(
    client: FlaskClient, declared: list[PageFacts | None], path: str
) -> None:
    assert client.get(path).status_code == 200
    assert declared == [None]


def test_no_public_page_sets_a_session(client: FlaskClient) -> None:
    for path in ("/", "/o", "/help", "/library", f"/o/{factories.OUTLET_A}", "/nothing"):
        answer = client.get(path)
        assert "Set-Cookie" not in answer.headers, path
        assert "csrf_token" not in answer.text, path


def test_an_outlet_page_is_its_plaque(client: FlaskClient, runtime: Runtime) -> None:
    text = client.get(f"/o/{factories.OUTLET_A}").text
    assert "消费者权益保护" in text
    assert "基-330106-0001" in text
    assert 'href="tel:0571-88001234"' in text
    assert "2021年3月15日" in text
    assert "西湖古荡柜面" in text  # nearby
    assert "锦江春熙路柜面" not in text  # in another province


def test_a_closed_outlet_says_so_and_names_others(client: FlaskClient) -> None:
    text = client.get(f"/o/{browser.CLOSED_OUTLET}").text
    assert "已于 2024年6月30日 停止服务" in text
    assert "西湖文三路柜面" in text


def test_the_qr_code_leads_home_and_counts_for_the_outlet(client: FlaskClient, runtime: Runtime) -> None:
    with client.application.app_context():
        link = views.outlet_link(factories.OUTLET_A, browser.CAMPAIGN)
    token = link.partition("?a=")[2]
    found = runtime.service(Attributions).read(token)
    assert found is not None
    assert (found.outlet, found.campaign, found.channel) == (factories.OUTLET_A, browser.CAMPAIGN, "qr")
    answer = client.get(f"/o/{factories.OUTLET_A}/qr.svg")
    assert answer.mimetype == "image/svg+xml"
    assert ET.fromstring(answer.text).tag.endswith("svg")
    assert client.get("/o/none/qr.svg").status_code == 404


def test_the_finder_narrows_by_province_city_and_name(client: FlaskClient) -> None:
    first = client.get("/o").text
    assert "浙江省" in first
    assert "四川省" in first
    assert 'class="outlets"' not in first
    assert "锦江春熙路柜面" in client.get("/o?province=四川省").text
    found = client.get("/o?province=浙江省&city=杭州市&text=文三路").text
    assert "西湖文三路柜面" in found
    assert "锦江" not in found
    assert "没有找到" in client.get("/o?text=没有这个地方").text
    assert (
        "锦江春熙路柜面" in client.get("/o?province=不存在&text=锦江").text
    )  # an unknown province is left out
    assert "西湖老柜面" not in client.get("/o?text=西湖老柜面").text.split('id="found"')[1]  # closed


def test_the_finder_pages_through_many(client: FlaskClient, runtime: Runtime) -> None:
    seen: list[str] = []
    for page in (1, 2, 3):
        with runtime.service(Database).reading() as session:
            found = front.finder(session, date(2026, 9, 15), province="浙江省", page=page).found
        assert found is not None
        assert found.pages == 3
        seen += [one.code for one in found.outlets]
    assert len(seen) == len(set(seen)) == 32
    assert "province=%E6%B5%99" in client.get("/o?province=浙江省&page=2").text


def test_the_library_narrows_by_kind_and_topic(client: FlaskClient, runtime: Runtime) -> None:
    assert client.get("/library").text.count('class="card"') > 10
    diary = client.get("/library?kind=diary").text
    assert "/p/diary-first-deposit" in diary
    assert "/p/full-surrender" not in diary
    with runtime.service(Database).reading() as session:
        topic = front.library(session).topics[0]
        shown = front.library(session, topic=topic)
    assert all(topic in piece.topics for _kind, _name, pieces in shown.groups for piece in pieces)
    assert client.get("/library?kind=nonsense").text.count('class="card"') > 10


def test_the_sitemap_names_every_page_once_and_no_closed_outlet(client: FlaskClient) -> None:
    root = ET.fromstring(client.get("/sitemap.xml").text)
    places = [node.text or "" for node in root.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]
    assert len(places) == len(set(places))
    base = "http://127.0.0.1:8000"
    for path in ("/", "/help", f"/c/{browser.CAMPAIGN}", "/p/full-surrender", f"/o/{factories.OUTLET_A}"):
        assert base + path in places
    assert f"{base}/o/{browser.CLOSED_OUTLET}" not in places
    for place in places[:40]:
        assert client.get(place.removeprefix(base)).status_code == 200, place


def test_robots_may_read_all_but_the_desk(client: FlaskClient) -> None:
    text = client.get("/robots.txt").text
    assert "Disallow: /desk" in text
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in text


def test_a_hidden_campaign_is_not_found(client: FlaskClient, runtime: Runtime) -> None:
    with changed(runtime, visible=False):
        assert client.get(f"/c/{browser.CAMPAIGN}").status_code == 404
    assert client.get(f"/c/{browser.CAMPAIGN}").status_code == 200
    assert client.get("/c/no-such").status_code == 404


def test_the_elder_switch_is_remembered_for_a_year_and_taken_back(client: FlaskClient) -> None:
    answer = client.post("/elder", data={"on": "1", "next": "/o?province=浙江省"})
    assert answer.status_code == 303
    assert answer.location == "/o?province=浙江省" or "province=" in answer.location
    assert "Max-Age=31536000" in answer.headers["Set-Cookie"]
    assert "data-elder" in client.get("/help").text
    client.post("/elder", data={"on": "0"})
    assert "data-elder" not in client.get("/help").text


def test_the_switches_lead_only_to_our_own_pages(client: FlaskClient) -> None:
    for target in ("https://evil.example", "//evil.example", "/\\evil.example", ""):
        assert client.post("/elder", data={"on": "1", "next": target}).location == "/"
    assert client.post("/lang/en", data={"next": "/help"}).location == "/help"
    assert client.post("/lang/xx").status_code == 404


def test_the_language_is_remembered(client: FlaskClient) -> None:
    client.post("/lang/en", data={"next": "/"})
    text = client.get("/").text
    assert '<html lang="en"' in text
    assert "Stop. Ask.<br>Then pay." in text
    client.post("/lang/zh", data={"next": "/"})
    assert '<html lang="zh-CN"' in client.get("/").text


def test_a_page_does_not_carry_the_token_it_was_reached_by(client: FlaskClient) -> None:
    text = client.get("/help?a=abcdef123&utm_source=x&lang=zh").text
    assert "abcdef123" not in text
    assert "utm_source" not in text


def test_errors_lead_on(client: FlaskClient) -> None:
    answer = client.get("/p/not-there")
    assert answer.status_code == 404
    assert 'action="/o"' in answer.text
    assert 'href="/library"' in answer.text
    assert 'href="tel:' in answer.text
