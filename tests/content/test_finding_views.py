"""Search, topics, rights, guides and "did this help" through the whole application with the starter library."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from sqlmodel import col, select

from content import lifecycle
from content.guiding import WAYS
from content.models import Kind
from content.voices import telling
from content.voices.models import PieceVoice
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import retention
from tests import browser, entering, factories, servers
from webapp import limiting
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

AGENT = {"User-Agent": "Mozilla/5.0 (Linux; Android 13) Chrome/126.0 Mobile Safari/537.36"}


@pytest.fixture(scope="module")
def runtime(
    tmp_path_factory: pytest.TempPathFactory, database_template: servers.Template
) -> Iterator[Runtime]:
    """A site with the starter library, shared by the tests of this file."""
    home = tmp_path_factory.mktemp("site")
    with database_template.copy(home) as url:
        values: dict[str, Any] = {
            "home": home,
            "database_url": url,
            "secret_key": "of-no-value",
            "second_factor": "off",
        }
        settings = Settings(_env_file=None, **values)
        runtime = build(settings)
        with runtime.service(Database).transaction() as session:
            browser.fill(session, settings, clock.now())
        yield runtime
        runtime.close()


@pytest.fixture(scope="module")
def app(runtime: Runtime) -> Flask:
    """The application."""
    app = create_app(runtime)
    app.config["WTF_CSRF_ENABLED"] = False
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A visitor."""
    return app.test_client()


def test_search_answers_and_is_kept_nowhere(client: FlaskClient) -> None:
    answer = client.get("/search?q=空中客服")
    assert answer.headers["Cache-Control"] == "no-store"
    first = re.search(r'<ol class="hits">.*?href="([^"]+)"', answer.text, re.DOTALL)
    assert first is not None and first[1] == "/p/video-counter"
    assert "<mark>空中客服</mark>" in answer.text
    assert len(answer.data) < 60_000


def test_what_is_typed_is_shown_and_never_run(client: FlaskClient) -> None:
    text = client.get("/search", query_string={"q": '<script>"&', "kind": "<b>"}).text
    assert "<script>&#34;" not in text and 'value="&lt;script&gt;' in text
    assert "<b>" not in text.split("<main", 1)[1].split("<footer", 1)[0].replace('<b class="call', "")


def test_nothing_found_says_what_to_do(client: FlaskClient) -> None:
    text = client.get("/search?q=理陪").text
    assert "/search?q=%E7%90%86%E8%B5%94" in text  # 理赔
    assert 'href="tel:12378"' in text


def test_an_empty_search_offers_what_many_look_for(client: FlaskClient) -> None:
    text = client.get("/search").text
    assert text.count("/topics/") > 6


def test_search_is_limited_because_each_costs(app: Flask) -> None:
    for method, kind in (("/search?q=x", "search"), ("/topics", "")):
        with app.test_request_context(method):
            assert limiting.kind_of(request) == kind


@pytest.mark.parametrize("path", ["/", "/library", "/help", "/topics", "/nothing-here"])
def test_the_search_box_stands_where_people_look(client: FlaskClient, path: str) -> None:
    assert client.get(path).text.count('action="/search"') == 1


def test_a_piece_leads_to_its_topics_rights_and_to_what_goes_with_it(client: FlaskClient) -> None:
    page = client.get("/p/full-surrender").text
    links = re.findall(r'href="(/(?:topics|rights)/[^"]+)"', page)
    assert links
    for link in links:
        assert "/p/full-surrender" in client.get(link).text, link
    more = page.split('id="more-title"', 1)[1].split("</section>", 1)[0]
    assert len(set(re.findall(r'href="/p/([^"]+)"', more))) == 3


def test_the_sitemap_names_topics_rights_and_guides(client: FlaskClient) -> None:
    text = client.get("/sitemap.xml").text
    for path in ("/guides", "/topics", "/rights/property", "/topics/%E7%90%86%E8%B5%94"):
        assert f"{path}<" in text


def test_every_way_has_a_whole_guide(runtime: Runtime, client: FlaskClient) -> None:
    with runtime.service(Database).reading() as session:
        guides = lifecycle.published_list(session, Kind.guide)
    assert {one.way for one in guides if one.way} == set(WAYS)
    for one in guides:
        assert (
            one.hours and one.audience and one.title_en and one.summary_en and one.cover_url and one.tasks
        ), one.key
        page = client.get(one.url).text
        assert 'class="steps"' in page or "steps" in page, one.key
        assert one.hours in page
    text = client.get("/guides?task=claim&suit=moving").text
    assert (
        "/p/home-visit" in text and "/p/self-service" not in text.split('id="fit"', 1)[1].split('id="how"')[0]
    )


def say(client: FlaskClient, key: str = "human-help", **form: str) -> Any:
    return client.post(f"/p/{key}/helpful", data={"number": "1", **form}, headers=AGENT)


def voices(runtime: Runtime, key: str) -> list[telling.Voice]:
    with runtime.service(Database).reading() as session:
        return telling.voices(session, runtime.service(Vault), col(PieceVoice.piece_key) == key)


def test_a_reader_is_heard_once_a_day_without_script_and_nothing_says_who(
    runtime: Runtime, app: Flask
) -> None:
    client = app.test_client()
    client.set_cookie("sp_v", "00c0ffee00c0ffee")
    answer = say(client, helpful="0")
    assert answer.status_code == 303
    asked = client.get(answer.location).text
    assert 'value="failed"' in asked and 'value="clear"' not in asked
    words = "打了 13812345678 没人接，我的号 330102199001011234，邮箱 a@b.cn，96110 通了"
    done = say(client, helpful="0", reason="failed", words=words, more="1")
    assert "记下了" in client.get(done.location).text
    only = voices(runtime, "human-help")
    assert [(one.helpful, one.reason) for one in only] == [(False, "failed")]
    assert only[0].words == "打了 *** 没人接，我的号 ***，邮箱 ***，96110 通了"
    say(client, helpful="1")  # another mind on the same day
    assert [one.helpful for one in voices(runtime, "human-help")] == [True]
    say(app.test_client(), helpful="0")
    assert len(voices(runtime, "human-help")) == 2
    with runtime.service(Database).reading() as session:
        row = session.exec(select(PieceVoice)).first()
        assert row is not None and "c0ffee" not in row.visitor and len(row.visitor) == 22


def test_what_cannot_be_an_answer_is_refused(client: FlaskClient, runtime: Runtime) -> None:
    assert say(client, "claims").status_code == 400
    assert say(client, "claims", helpful="1", words="长" * 201, more="1").status_code == 400
    assert say(client, "nothing-there", helpful="1").status_code == 404
    elsewhere = client.post(
        "/p/claims/helpful", data={"helpful": "1"}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert elsewhere.status_code == 400
    assert voices(runtime, "claims") == []
    assert say(client, "claims", helpful="1", reason="failed", number="99").status_code == 303
    assert [(one.reason, one.number) for one in voices(runtime, "claims")] == [("", 1)]


def test_editors_read_it_in_their_part_and_take_it_as_a_file(runtime: Runtime, app: Flask) -> None:
    say(app.test_client(), "elder-services", helpful="0", reason="hard", words="=2+3 字太小", more="1")
    desk = entering.client(app, factories.EDITOR)
    page = desk.get("/desk/voices?words=1&helpful=0").text
    assert "=2+3 字太小" in page and "最该先改的" in page
    assert "=2+3 字太小" not in desk.get("/desk/voices?helpful=1").text
    assert "=2+3 字太小" in desk.get("/desk/pieces/elder-services").text
    file = desk.get("/desk/voices?export=csv&piece=elder-services").data.decode("utf-8-sig")
    assert "'=2+3 字太小" in file  # a cell that no program reckons
    assert "看不懂" in file


def test_it_is_kept_for_its_time(runtime: Runtime, app: Flask) -> None:
    say(app.test_client(), "policy-services", helpful="1")
    rule = retention.RULES["content.voices"]
    with runtime.service(Database).transaction() as session:
        everything = rule.count(session, clock.now().replace(year=clock.now().year + 1))
        assert everything >= 1
        assert rule.count(session, clock.now().replace(year=clock.now().year - 1)) == 0
        assert rule.clear(session, clock.now().replace(year=clock.now().year + 1)) == everything
