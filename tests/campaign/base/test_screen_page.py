"""The screen page through HTTP: what it shows, what it sends along, and who may write."""

import json
import re
import time

import pytest
from flask.testing import FlaskClient

from campaign.base import screens, slides
from campaign.base.models import HallScreen
from content.pages import PageFacts
from core import clock
from core.database import Database
from tests import browser, factories
from tracking import links
from tracking.attribution import Attribution, Attributions, PageKeys
from webapp.runtime import Runtime

OUTLET = factories.OUTLET_A
PATH = f"/screen/{OUTLET}"


def test_it_shows_the_base_the_shelf_and_the_next_tuesday(client: FlaskClient) -> None:
    text = client.get(PATH).text
    assert re.findall(r'class="slide (\w+)"', text) == ["base", "piece", "piece", "piece", "event"]
    for word in ("老花镜", "相约星期二", "96110"):
        assert word in text
    assert "没有" not in client.get(PATH).headers.get("Content-Security-Policy", "")


def test_its_codes_are_owed_to_the_outlet_and_its_showings_too(client: FlaskClient, runtime: Runtime) -> None:
    attributions = runtime.service(Attributions)
    text = client.get(PATH).text
    keys = [attributions.unseal(one) for one in re.findall(r'data-keys="([^"]+)"', text)]
    assert keys[1] == PageKeys("full-surrender", browser.CAMPAIGN, OUTLET)
    assert {one.outlet for one in keys if one} == {OUTLET} and None not in keys
    with runtime.service(Database).reading() as session:
        page = slides.screen_page(
            session, OUTLET, clock.now().date(), attributions=attributions, public_url="https://e.com"
        )
    maker = slides._Maker(page.outlet, browser.CAMPAIGN, attributions, "https://e.com")
    token = attributions.sign(Attribution(browser.CAMPAIGN, OUTLET, "screen"))
    assert page.slides[1].qr == links.qr_svg(f"https://e.com/p/full-surrender?a={token}")
    assert maker.base().qr == page.slides[0].qr


def test_it_is_no_page_view_and_not_cached_for_everybody(
    client: FlaskClient, declared: list[PageFacts | None]
) -> None:
    answer = client.get(PATH)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert declared == [None]
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<style|\sstyle=|<script>|\son\w+=", answer.text), "nothing inline"


def test_the_worker_sees_screens_and_nothing_else(client: FlaskClient) -> None:
    answer = client.get("/screen/worker.js")
    assert answer.mimetype == "text/javascript"
    assert answer.headers["Service-Worker-Allowed"] == "/screen/"
    assert answer.headers["Cache-Control"] == "no-cache"


def test_an_outlet_that_there_is_not_has_no_screen(client: FlaskClient) -> None:
    assert client.get("/screen/99999999").status_code == 404


def _paired(client: FlaskClient, runtime: Runtime) -> str:
    with runtime.service(Database).transaction() as session:
        made = screens.make(session, OUTLET, "大厅", by=None, now=clock.now())
    answer = client.post(f"{PATH}/pair", json={"code": made.spelled})
    assert answer.status_code == 200
    return str(answer.get_json()["key"])


def _shown(
    client: FlaskClient, key: str, *, path: str = PATH, batch: str = "b", at: float | None = None
) -> int:
    sealed = re.findall(r'data-keys="([^"]+)"', client.get(PATH).text)[1]
    body = json.dumps({"shown": [[int((at or time.time()) * 1000), sealed]]})
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": batch, "Accept": "application/json"}
    return int(client.post(f"{path}/shown", data=body, headers=headers).status_code)


def test_a_paired_screen_counts_until_it_is_ended(client: FlaskClient, runtime: Runtime) -> None:
    key = _paired(client, runtime)
    at = time.time() - 30
    assert [_shown(client, key, at=at) for _ in range(2)] == [200, 200]
    assert _shown(client, key, batch="c", at=time.time() - 600) == 400, "behind the last"
    assert _shown(client, key, batch="") == 400
    assert _shown(client, key, path=f"/screen/{factories.OUTLET_B}", batch="d") == 403
    assert _shown(client, key + "x", batch="e") == 403
    with runtime.service(Database).transaction() as session:
        one = session.get_one(HallScreen, _newest(session))
        assert one.showings == 1
        screens.end(session, one, now=clock.now())
    assert _shown(client, key, batch="f") == 403


def _newest(session: object) -> int:
    return max(one.id or 0 for one in screens.of_outlet(session, OUTLET))  # type: ignore[arg-type]


@pytest.mark.parametrize("said", [{"code": "wrongone"}, {"code": 7}, {"code": ["a"]}, [], "x"])
def test_a_wrong_pairing_is_told_in_one_sentence(client: FlaskClient, said: object) -> None:
    answer = client.post(f"{PATH}/pair", json=said, headers={"Accept": "application/json"})
    assert answer.status_code == 403
    assert answer.get_json()["error"]["message"].startswith("配对码不对")


def test_the_first_sentence_is_cut_where_it_ends() -> None:
    assert slides.sentence("先停一停。再问一问。") == "先停一停。"
    assert slides.sentence("Stop first. Then ask.") == "Stop first."
    assert len(slides.sentence("很" * 200)) == 49
