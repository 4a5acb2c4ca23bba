"""The report page through HTTP: what it opens with, filters, the rows behind a figure, saved views, paper, scope."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from core import clock
from core.database import Database
from core.settings import Settings
from institution.audit_models import AuditRecord
from institution.powers import WHOLE, Scope
from tests import entering, factories
from tests.tracking.rows import event, ship
from tests.tracking.test_report_desk import runtime
from tracking import asking, dimensions, paper, view_saving
from tracking.events import ReachEvent
from tracking.store import ReachStore
from tracking.view_models import ReachView
from webapp.create_app import create_app
from webapp.runtime import Runtime

assert runtime  # the fixture: objects of a server with the named cast
PERSON = factories.EDITOR


def _events(day: str, visitors: int, **more: Any) -> list[ReachEvent]:
    return [event(day, visitor=one, **more) for one in range(1, visitors + 1)]


@pytest.fixture
def filled(runtime: Runtime) -> Iterator[Runtime]:
    """Reach in two provinces, over two years, by two channels; the outsider has a piece and a campaign of its own."""
    mine, other = factories.OUTLET_A, factories.OUTSIDE_OUTLET
    with runtime.service(Database).transaction() as session:
        dimensions.describe(session, "campaign", "shu", "蜀地专场")
        dimensions.describe(session, "piece", "shu-piece", "蜀地故事")
        factories.staff(session, factories.BRANCH_MANAGER, clock.now())
    ship(
        runtime.service(ReachStore),
        "seg-1",
        [
            *_events("2022-09-05", 2, outlet=mine),
            *_events("2023-09-05", 3, outlet=mine, campaign="demo-september", piece="p"),
            *_events("2023-09-06", 4, outlet=factories.OUTLET_B, channel="wechat"),
            *_events("2023-03-15", 5, outlet=other, channel="sms", campaign="shu", piece="shu-piece"),
        ],
    )
    yield runtime


@pytest.fixture
def client(filled: Runtime) -> FlaskClient:
    """Somebody of head office."""
    return entering.client(create_app(filled), PERSON)


@pytest.fixture
def manager(filled: Runtime) -> FlaskClient:
    """The manager of one province."""
    return entering.client(create_app(filled), factories.BRANCH_MANAGER)


def links(page: str, pattern: str) -> list[str]:
    return [unescape(found) for found in re.findall(rf'href="({pattern})"', page)]


def test_it_opens_with_the_year_so_far_when_this_year_has_reach(client: FlaskClient, filled: Runtime) -> None:
    assert "全国触达 · 2023 年" in client.get("/desk/reach").text, "the newest year that has any"
    yesterday = clock.today(filled.service(Settings).zone) - timedelta(days=1)
    ship(filled.service(ReachStore), "seg-2", _events(yesterday.isoformat(), 1, outlet=factories.OUTLET_A))
    page = client.get("/desk/reach").text
    assert re.search(r'aria-current="true">今年以来</a>', page)
    assert f"{yesterday.year}-01-01 – {yesterday}" in page
    assert f"{yesterday.year - 1}-01-01" in page
    pinned = re.search(r'id="f-link" type="text" readonly value="[^"]*\?([^"]*)"', page)
    assert pinned and f"at={yesterday}" in pinned[1], "a shared link shows the same days tomorrow"


def test_filters_are_chips_chosen_from_what_exists(client: FlaskClient) -> None:
    page = client.get("/desk/reach?pick=channel").text
    assert re.findall(r'name="channel" value="(\w+)"', page) == ["sms", "wechat", "web"]
    page = client.get("/desk/reach?channel=web&channel=wechat&by=outlet").text
    assert "渠道：网站" in page and "渠道：微信公众号" in page
    assert re.search(r"合计</th><td class=\"n k-gross\"[^>]*><a [^>]*>7</a>", page)
    assert "?by=outlet&channel=wechat" in links(page, r"\?[^\"]*"), "a chip comes off alone"


def test_every_grouping_has_a_page_with_links_that_answer(client: FlaskClient) -> None:
    for by in ("year", "quarter", "week", "day", "county", "city", "kind", "audience", "place"):
        page = client.get(f"/desk/reach?by={by}&wait=1")
        assert page.status_code == 200, by
        found = [*links(page.text, r"/desk/reach/rows\?[^\"]*")[:2], *links(page.text, r"\?span=[^\"]*")[-1:]]
        for link in found:
            answer = client.get(link if link.startswith("/") else f"/desk/reach{link}")
            assert answer.status_code == 200, link


def test_two_groupings_are_a_matrix_whose_cells_lead_to_their_rows(client: FlaskClient) -> None:
    page = client.get("/desk/reach?by=outlet&by2=channel&compare=none").text
    assert '<table class="matrix">' in page
    cell = next(
        link for link in links(page, r"/desk/reach/rows\?[^\"]*") if "key2=wechat" in link and "key=" in link
    )
    assert "4 人次背后的记录" in client.get(cell).text
    listed = client.get("/desk/reach?by=outlet&by2=channel&only=top10").text
    assert '<table class="matrix">' not in listed and '<table class="reach">' in listed


def test_too_much_leaves_the_page_standing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "按时段统计一次最多 62 天" in client.get("/desk/reach?by=hour").text
    assert client.get("/desk/reach?span=month&at=2023-09&by=hour").text.count('data-label="触达人次"') >= 24
    monkeypatch.setattr(asking, "MOST_ON_PAGE", 100)
    page = client.get("/desk/reach?by=outlet&by2=day").text
    assert "页面上看不完" in page and "kpis" in page


def test_the_calendar_shows_both_years_with_their_table(client: FlaskClient) -> None:
    page = client.get("/desk/reach?wait=1").text
    assert page.count('<svg class="heat" viewBox="0 0 7') == 2
    assert page.count('<table class="weeks">') == 2
    assert 'data-d="2023-03-15" data-n="5"' in page


def test_what_takes_long_comes_later_and_without_javascript_by_itself(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracking.desk.SOON", 0.0)
    page = client.get("/desk/reach?by=channel").text
    assert "统计中" in page and 'data-late="/desk/reach?by=channel&amp;wait=1"' in page
    assert '<noscript><meta http-equiv="refresh" content="2;url=/desk/reach?by=channel&amp;wait=1">' in page
    whole = client.get("/desk/reach?by=channel&wait=1").text
    assert "统计中" not in whole and "data-late" not in whole and 'class="n k-people"' in whole


def test_the_rows_behind_a_figure_say_that_they_add_up(client: FlaskClient) -> None:
    page = client.get("/desk/reach?by=outlet").text
    behind = next(link for link in links(page, r"/desk/reach/rows\?[^\"]*") if factories.OUTLET_B in link)
    rows = client.get(behind).text
    assert "4 人次背后的记录" in rows and "与报告一致" in rows and "2023-09-06 12:00:00" in rows
    for group in ("day", "kind", "source", "batch", "outlet", "rows"):
        assert client.get(f"{behind}&group={group}").status_code == 200
    csv = client.get(f"{behind}&group=rows&export=csv")
    assert csv.mimetype == "text/csv"
    lines = csv.get_data().decode("utf-8-sig").splitlines()
    assert len(lines) == 5 and "西湖古荡柜面" in lines[1] and "visitor" not in lines[0]
    empty = client.get("/desk/reach/rows?by=channel&key=nothing-such").text
    assert "这个数背后没有记录" in empty


# somebody who has a part of the tree

PARAMETERS = [
    "", "by=outlet", "by=piece", "by=campaign", "span=campaign", "pick=piece", "pick=campaign", "by=outlet&by2=piece",
    "piece=shu-piece", "campaign=shu", "campaign=shu&pick=campaign", "by=piece&piece=shu-piece", "by=county",
    "span=campaign&at=shu@2023", "by=city&only=bottom50", f"channel=sms&by={factories.OUTSIDE_OUTLET}", "by=day&by2=piece",
]  # fmt: skip


@pytest.mark.parametrize("path", ["/desk/reach", "/desk/reach/rows", "/desk/reach/download"])
def test_no_parameter_shows_another_province(manager: FlaskClient, path: str) -> None:
    for query in PARAMETERS:
        page = manager.get(f"{path}?{query}&wait=1&group=piece&format=csv")
        assert page.status_code == 200, query
        found = [word for word in ("四川", "春熙", "蜀地", "锦江") if word in page.get_data(as_text=True)]
        assert found == [], query


def test_the_words_are_there_for_who_may_see_them(client: FlaskClient) -> None:
    """The control: a page that never shows a name would pass above."""
    text = "".join(
        client.get(f"/desk/reach?{query}&wait=1").text for query in ("by=outlet", "piece=shu-piece")
    )
    assert {word for word in ("四川", "春熙", "蜀地") if word in text} == {"四川", "春熙", "蜀地"}


ELSEWHERE = (
    f"within={factories.OUTSIDE_PROVINCE}", f"within={factories.HEAD_OFFICE}", "within=nowhere",
    f"by=outlet&key={factories.OUTSIDE_OUTLET}", f"by=branch&key={factories.OUTSIDE_PROVINCE}",
    f"by=province&key={factories.OUTSIDE_PROVINCE}&base=1", "by=outlet&key=",
    f"by=channel&by2=outlet&key2={factories.OUTSIDE_OUTLET}",
)  # fmt: skip


def test_rows_outside_are_answered_like_rows_that_do_not_exist(manager: FlaskClient) -> None:
    found = {query: manager.get(f"/desk/reach/rows?{query}").status_code for query in ELSEWHERE}
    assert found == dict.fromkeys(ELSEWHERE, 404)


# saved views


def post(client: FlaskClient, path: str, **data: str) -> str:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/me").text)
    assert token
    answer = client.post(path, data={"csrf_token": token[1], **data}, follow_redirects=True)
    return f"{answer.status_code} {answer.text}"


def saved(runtime: Runtime) -> list[ReachView]:
    with runtime.service(Database).reading() as session:
        return list(session.exec(select(ReachView).order_by("id")))


def test_a_view_is_saved_opened_renamed_and_its_deletion_undone(client: FlaskClient, filled: Runtime) -> None:
    assert "各渠道" in post(client, "/desk/reach/views", name=" 各渠道 ", query="by=channel&x=1&channel=web")
    (view,) = saved(filled)
    assert (view.name, view.query, view.shared) == ("各渠道", "by=channel&channel=web", False)
    opened = client.get(f"/desk/reach/views/{view.id}")
    assert opened.headers["Location"] == f"/desk/reach?by=channel&channel=web&view={view.id}"
    assert "已有一个叫“各渠道”" in post(client, "/desk/reach/views", name="各渠道", query="")
    unnamed = post(client, "/desk/reach/views", name=" ", query="by=channel\r\nX-A: 1")
    assert unnamed.startswith("200") and "请给视图起一个名字" in unnamed
    page = post(client, f"/desk/reach/views/{view.id}/rename", name="渠道月报")
    assert "改回去" in page and 'value="各渠道"' in page
    page = post(client, f"/desk/reach/views/{view.id}/remove")
    assert "已删除视图“渠道月报”" in page and "撤销" in page
    assert "渠道月报" not in client.get("/desk/reach/views").text
    assert "渠道月报" in post(client, f"/desk/reach/views/{view.id}/restore")
    with filled.service(Database).reading() as session:
        told = [one.action for one in session.exec(select(AuditRecord)) if one.kind == "reach_view"]
    assert told == [f"reach_view.{verb}" for verb in ("save", "rename", "delete", "restore")]


def test_the_report_opens_with_the_default_view_and_anything_said_comes_before_it(
    client: FlaskClient, filled: Runtime
) -> None:
    post(client, "/desk/reach/views", name="月", query="span=month&at=2023-09", first="1")
    post(client, "/desk/reach/views", name="周", query="span=week&at=2023-W36")
    one, other = saved(filled)
    assert "span=month" in client.get("/desk/reach").headers["Location"]
    post(client, f"/desk/reach/views/{other.id}/first")
    assert "span=week" in client.get("/desk/reach").headers["Location"]
    assert client.get("/desk/reach?span=year").status_code == 200
    post(client, f"/desk/reach/views/{other.id}/unfirst")
    assert client.get("/desk/reach").status_code == 200
    assert one.first


def test_who_opens_a_shared_view_sees_their_own_part(
    client: FlaskClient, manager: FlaskClient, filled: Runtime
) -> None:
    post(client, "/desk/reach/views", name="全国网点", query="by=outlet", shared="1")
    post(
        client, "/desk/reach/views", name="四川网点", query=f"within={factories.OUTSIDE_PROVINCE}", shared="1"
    )
    post(client, "/desk/reach/views", name="我的", query="by=piece")
    whole, other, private = saved(filled)
    listed = manager.get("/desk/reach/views").text
    assert (
        "全国网点" in listed
        and "四川网点" not in listed
        and "我的" not in listed.replace("我的视图", "").replace("我的账号", "")
    )
    page = manager.get(f"/desk/reach/views/{whole.id}", follow_redirects=True).text
    assert "浙江省分公司触达" in page and "春熙" not in page
    post(client, "/desk/reach/views", name="总公司", query=f"within={factories.HEAD_OFFICE}", shared="1")
    above = saved(filled)[-1]
    opened = manager.get(f"/desk/reach/views/{above.id}", follow_redirects=True)
    assert opened.status_code == 200 and "浙江省分公司触达" in opened.text
    for view in (other, private):
        assert manager.get(f"/desk/reach/views/{view.id}").status_code == 404
    for verb in ("rename", "remove", "unshare", "first"):
        assert post(manager, f"/desk/reach/views/{whole.id}/{verb}", name="抢").startswith("404")
    assert post(
        manager, "/desk/reach/views", name="偷", query=f"within={factories.OUTSIDE_PROVINCE}"
    ).startswith("404")
    post(client, f"/desk/reach/views/{whole.id}/unshare")
    assert manager.get(f"/desk/reach/views/{whole.id}").status_code == 404


def test_deleted_views_go_for_good_after_a_month(filled: Runtime, now: datetime) -> None:
    scope = Scope(frozenset({WHOLE}))
    with filled.service(Database).transaction() as session:
        old = view_saving.save(session, 1, "旧", "", scope=scope, shared=False, now=now)
        view_saving.remove(session, old, now)
        view_saving.save(session, 1, "新", "", scope=scope, shared=False, now=now + view_saving.KEPT / 2)
        assert old in session
        view_saving.save(session, 1, "更新", "", scope=scope, shared=False, now=now + view_saving.KEPT * 2)
    assert [one.name for one in saved(filled)] == ["新", "更新"]


# paper


@pytest.mark.browser
def test_the_page_is_printed_as_pdf(client: FlaskClient) -> None:
    answer = client.get("/desk/reach/pdf?by=channel&channel=web")
    assert answer.status_code == 200
    assert answer.mimetype == "application/pdf"
    assert answer.get_data().startswith(b"%PDF-") and len(answer.get_data()) > 10_000


def test_without_chromium_it_says_what_to_do(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert paper.chromium() == ""
    answer = client.get("/desk/reach/pdf")
    assert answer.status_code == 409
    assert "没有安装 Chromium" in answer.text
