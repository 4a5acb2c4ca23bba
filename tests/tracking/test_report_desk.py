"""The report page and the address that the command line asks, through HTTP."""

import csv
import io
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from core import clock
from core.database import Database
from core.settings import Settings
from institution import granting
from tests import entering, factories
from tests.tracking.rows import event, ship
from tracking import demo
from tracking.reports import InternalToken
from tracking.store import ReachStore
from webapp.create_app import create_app
from webapp.runtime import Runtime, build

TOKEN = "a-token-of-no-value"


@pytest.fixture
def runtime(settings: Settings, now: datetime) -> Iterator[Runtime]:
    """The objects of a server with the named cast."""
    runtime = build(settings)
    runtime.offer(InternalToken, lambda _r: InternalToken(TOKEN))
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        demo.describe_keys(session)
    yield runtime
    runtime.close()


@pytest.fixture
def visited(runtime: Runtime) -> Runtime:
    """Reach of two years in both provinces, with a campaign in each."""
    both = [
        event(f"{year}-09-{day:02d}", outlet=outlet, visitor=visitor, campaign="demo-september", piece="p")
        for year, visitors in ((2022, 2), (2023, 3))
        for day in (5, 6)
        for visitor in range(1, visitors + 1)
        for outlet in (factories.OUTLET_A, factories.OUTSIDE_OUTLET)
    ]
    ship(runtime.service(ReachStore), "seg-1", both)
    return runtime


@pytest.fixture
def client(runtime: Runtime) -> FlaskClient:
    """A browser without a session."""
    return create_app(runtime).test_client()


def sign_in(client: FlaskClient, login: str = factories.EDITOR) -> None:
    page = client.get("/desk/sign-in").text
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    answer = client.post(
        "/desk/sign-in",
        data={"csrf_token": found[1], "login": login, "password": factories.PASSWORDS[login]},
    )
    assert answer.status_code == 302, answer.text


def test_nobody_sees_it_without_signing_in(client: FlaskClient) -> None:
    for path in ("/desk/reach", "/desk/reach/download?from=2023-01-01&to=2023-12-31"):
        answer = client.get(path)
        assert answer.status_code == 302
        assert "/desk/sign-in" in answer.headers["Location"]


def test_without_reach_the_page_says_what_to_do(client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/desk/reach")
    assert page.status_code == 200
    assert "这段时间还没有触达" in page.text
    assert '<svg class="chart"' not in page.text


def test_the_page_shows_the_newest_year_that_has_a_base(visited: Runtime, client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/desk/reach").text
    assert "全国触达 · 2023 年" in page
    assert page.count("▲ 50.0%") >= 4, "total, two provinces, chart's table"
    assert "浙江省分公司" in page
    assert "2023-1（送达＋访问＋到场）" in page
    assert '<svg class="chart" role="img"' in page
    assert page.count('class="tile lv-') == 2
    assert "style=" not in page, "the site's policy forbids inline style"
    assert "<script>" not in page


def test_from_province_to_outlet_by_links(visited: Runtime, client: FlaskClient) -> None:
    sign_in(client)
    path, seen = "/desk/reach", []
    for name in ("浙江省分公司", "杭州中心支公司", "西湖支公司"):
        page = client.get(path).text
        found = re.search(rf'<a href="(\?[^"]*)">{name}</a></th>', page)
        assert found, name
        path = "/desk/reach" + found[1].replace("&amp;", "&")
        seen.append(path)
    last = client.get(path).text
    assert "西湖文三路柜面" in last
    assert "锦江" not in last
    assert [label for label in ("示范人寿保险总公司", "浙江省分公司", "杭州中心支公司") if label in last]


@pytest.mark.parametrize(
    "query",
    [
        "span=quarter&at=2023-Q3", "span=month&at=2023-09&by=channel", "span=campaign&by=piece",
        "span=dates&from=2023-09-01&to=2023-09-10&by=month", "compare=none&by=campaign",
        "compare=weekdays&by=outlet", "span=nonsense&by=nonsense&compare=nonsense&at=x&page=99",
    ],
)  # fmt: skip
def test_every_choice_shows_the_same_reach(visited: Runtime, client: FlaskClient, query: str) -> None:
    sign_in(client)
    page = client.get(f"/desk/reach?{query}")
    assert page.status_code == 200
    assert re.search(
        r"合计</th><td class=\"n k-gross\" data-label=\"触达人次\"><a [^>]*>12</a></td>", page.text
    )


def test_a_campaign_is_compared_with_that_of_last_year(visited: Runtime, client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/desk/reach?span=campaign").text
    assert "2023-09-05 – 2023-09-06" in page
    assert "2022-09-05 – 2022-09-06" in page
    assert "金融消费者权益保护教育宣传月 · 2023" in page


def test_wrong_dates_and_branches_are_answered_with_a_sentence(client: FlaskClient) -> None:
    sign_in(client)
    wrong = client.get("/desk/reach?span=dates&from=2023-09-10&to=2023-09-01")
    assert wrong.status_code == 400
    assert "结束日期早于开始日期" in wrong.text
    assert client.get("/desk/reach?within=nowhere").status_code == 404


def test_downloads_are_what_the_page_shows(visited: Runtime, client: FlaskClient) -> None:
    sign_in(client)
    page = client.get("/desk/reach?by=outlet").text
    links = re.findall(r'<a href="(/desk/reach/download[^"]*)"', page)
    answers = {
        form: client.get(link.replace("&amp;", "&"))
        for form, link in zip(("xlsx", "csv", "json"), links, strict=True)
    }
    assert {answer.status_code for answer in answers.values()} == {200}
    assert answers["json"].json is not None
    total: dict[str, Any] = answers["json"].json["total"]
    assert (total["gross"], total["gross_before"], total["growth"]) == (12, 8, 0.5)
    lines = list(csv.reader(io.StringIO(answers["csv"].get_data().decode("utf-8-sig"))))
    assert lines[-1][2] == "12"
    assert answers["xlsx"].get_data().startswith(b"PK")
    assert "attachment" in answers["xlsx"].headers["Content-Disposition"]
    assert client.get("/desk/reach/download?from=2023-01-01&to=2023-12-31&format=exe").status_code == 404


def test_the_command_lines_address_wants_the_token(visited: Runtime, client: FlaskClient) -> None:
    path = "/internal/reach/report?from=2023-01-01&to=2023-12-31&by=channel&format=json"
    for headers in ({}, {"X-Signpost-Token": "wrong"}, {"X-Signpost-Token": "é"}):
        assert client.get(path, headers=headers).status_code == 403
    answer = client.get(path, headers={"X-Signpost-Token": TOKEN})
    assert answer.json is not None
    assert answer.json["total"]["gross"] == 12


def test_the_command_line_may_rebuild_and_drain_through_the_server(
    visited: Runtime, client: FlaskClient
) -> None:
    headers = {"X-Signpost-Token": TOKEN}
    assert client.post("/internal/reach/rebuild").status_code == 403
    assert client.post("/internal/reach/rebuild", headers=headers).json == {"days": 4, "spans": 4}
    assert client.post("/internal/reach/drain", headers=headers).json == {"shipped": 0}
    assert client.post("/internal/reach/nothing", headers=headers).status_code == 404
    state = client.get("/internal/reach/status", headers=headers).json
    assert state is not None
    assert (state["rows"], state["closed"]) == (20, 4)


# somebody who has a part of the tree


@pytest.fixture
def manager(runtime: Runtime) -> FlaskClient:
    """The manager of the province in which the story plays."""
    with runtime.service(Database).transaction() as session:
        factories.staff(session, factories.BRANCH_MANAGER, clock.now())
    return entering.client(create_app(runtime), factories.BRANCH_MANAGER)


def test_a_branch_manager_sees_their_province_and_no_other(visited: Runtime, manager: FlaskClient) -> None:
    page = manager.get("/desk/reach?by=outlet").text
    assert "浙江省分公司触达" in page and "西湖文三路柜面" in page
    assert "四川" not in page and "春熙路" not in page
    assert manager.get(f"/desk/reach?within={factories.OUTLET_A}").status_code == 200


def test_what_lies_outside_is_answered_like_what_does_not_exist(
    visited: Runtime, manager: FlaskClient
) -> None:
    days = "from=2023-01-01&to=2023-12-31"
    for path in ("/desk/reach?", f"/desk/reach/download?{days}&"):
        answers = [
            manager.get(f"{path}within={code}")
            for code in (factories.OUTSIDE_PROVINCE, factories.HEAD_OFFICE, "no-such-place")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert len({re.sub(r"within=[^&\"]*|csrf_token[^>]*", "", answer.text) for answer in answers}) == 1


def test_a_download_holds_only_the_persons_part(visited: Runtime, manager: FlaskClient) -> None:
    data = manager.get("/desk/reach/download?format=json&from=2023-01-01&to=2023-12-31&by=outlet").get_json()
    assert [row["key"] for row in data["rows"]] == [factories.OUTLET_A]
    assert data["total"]["gross"] == 6


def test_somebody_with_two_parts_may_choose(visited: Runtime) -> None:
    with visited.service(Database).transaction() as session:
        account = factories.person(session, "two.parts", "双区", "analyst", clock.now(), at=factories.CITY)
        places = [("analyst", factories.CITY), ("analyst", factories.OUTSIDE_PROVINCE)]
        granting.set_grants(session, account, places)
    client = entering.client(create_app(visited), "two.parts")
    page = client.get("/desk/reach").text
    assert f"within={factories.OUTSIDE_PROVINCE}" in page
    assert "四川省分公司触达" in client.get(f"/desk/reach?within={factories.OUTSIDE_PROVINCE}").text
