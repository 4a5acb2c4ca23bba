"""Search over the desk: by name or number, exact first, and never beyond a person's part of the tree."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from campaign import programme
from campaign.contacts import ContactList
from core import clock
from core.database import Database
from core.privacy import Vault
from core.settings import Settings
from institution import search
from institution.search import Hit
from tests import browser, entering, factories
from tests.campaign.events import site
from tests.campaign.returns import filled
from tests.factories import ADMINISTRATOR, BRANCH_MANAGER, EDITOR, OUTLET_A, OUTLET_STAFF, OUTSIDER, PROVINCE
from webapp.create_app import create_app
from webapp.runtime import build


@pytest.fixture
def app(settings: Settings, now: datetime) -> Iterator[Flask]:
    runtime = build(settings)
    with runtime.service(Database).transaction() as session:
        factories.cast(session, now)
        for login in (BRANCH_MANAGER, OUTLET_STAFF, OUTSIDER):
            factories.staff(session, login, now)
        programme.import_file(session, browser.campaign_file(now.date(), []), now)
        for name, place in (("西湖老客户", PROVINCE), ("全国客户", "")):
            session.add(ContactList(name=name, outlet_code=place, created_at=now, updated_at=now))
    app = create_app(runtime)
    yield app
    runtime.close()


def found(app: Flask, login: str, text: str) -> list[tuple[str, str]]:
    answer = entering.client(app, login).get("/desk/search.json", query_string={"q": text})
    assert answer.status_code == 200
    rows: list[dict[str, Any]] = answer.get_json()
    return [(row["kind"], row["title"]) for row in rows]


def test_a_code_or_an_exact_name_comes_first(app: Flask) -> None:
    assert found(app, ADMINISTRATOR, OUTLET_A)[0] == ("网点", "西湖文三路柜面")
    assert found(app, ADMINISTRATOR, "西湖支公司")[0] == ("网点", "西湖支公司")
    assert found(app, ADMINISTRATOR, "  ") == []


def test_every_kind_is_found_and_the_page_groups_them(app: Flask) -> None:
    assert {kind for kind, _ in found(app, ADMINISTRATOR, "西湖")} == {"网点", "名单"}
    assert ("活动期", "金融教育宣传周") in found(app, ADMINISTRATOR, "宣传周")
    assert ("人员", "陈负责") in found(app, ADMINISTRATOR, "chen")
    shown = entering.client(app, ADMINISTRATOR).get("/desk/search?q=西湖").text
    assert 'href="/desk/outlets/33010601"' in shown and "西湖老客户" in shown


def test_nobody_finds_what_lies_outside_their_part(app: Flask) -> None:
    inside = found(app, BRANCH_MANAGER, "西湖")
    assert ("网点", "西湖文三路柜面") in inside and ("名单", "西湖老客户") in inside
    assert found(app, OUTSIDER, "西湖") == []
    assert [title for _kind, title in found(app, OUTLET_STAFF, "西湖")] == ["西湖文三路柜面"]
    assert ("名单", "全国客户") not in found(app, BRANCH_MANAGER, "全国")
    assert ("名单", "全国客户") in found(app, ADMINISTRATOR, "全国")


def test_accounts_are_found_only_by_who_manages_all_of_them(app: Flask) -> None:
    assert ("人员", "吴柜员") in found(app, BRANCH_MANAGER, "吴柜员")
    assert found(app, BRANCH_MANAGER, "罗负责") == found(app, BRANCH_MANAGER, "王管理") == []
    assert found(app, EDITOR, "吴柜员") == []


def test_what_head_office_made_for_all_is_found_in_a_branch(app: Flask) -> None:
    assert ("活动期", "金融教育宣传周") in found(app, BRANCH_MANAGER, "宣传周")


def test_letters_of_a_pattern_are_letters(app: Flask) -> None:
    for text in ("%", "_", "' OR 1=1 --", "\\"):
        assert found(app, ADMINISTRATOR, text) == []


def test_no_kind_takes_all_the_room(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [Hit(f"西湖{n}", "", "/", "网点") for n in range(30)]
    few = [Hit("去西湖", "", "/", "内容"), Hit("到西湖", "", "/", "推送")]
    monkeypatch.setattr(search, "providers", [lambda *_: many, lambda *_: few])
    with app.extensions["signpost"][Database].reading() as session:
        hits = search.find(session, None, "西湖", most=12)  # type: ignore[arg-type]
        assert len(hits) == 12 and {hit.kind for hit in hits} == {"网点", "内容", "推送"}
        assert len(search.find(session, None, "西湖")) == 32  # type: ignore[arg-type]


def test_nodes_are_suggested_within_the_permission_asked_for(app: Flask) -> None:
    def suggested(login: str, permission: str) -> list[str]:
        query = {"q": "柜面", "permission": permission}
        answer = entering.client(app, login).get("/desk/places.json", query_string=query).get_json()
        return [one["code"] for one in answer]

    assert len(suggested(ADMINISTRATOR, "content.edit")) == 3
    assert len(suggested(BRANCH_MANAGER, "content.edit")) == 2
    assert suggested(OUTLET_STAFF, "content.edit") == suggested(ADMINISTRATOR, "no.such") == []


def test_a_stranger_finds_the_way_to_the_door(app: Flask) -> None:
    assert app.test_client().get("/desk/search?q=x").status_code == 302


def test_events_and_returns_are_found_within_ones_part_what_is_to_come_first(
    app: Flask, settings: Settings
) -> None:
    runtime, now = app.extensions["signpost"], clock.now()
    with runtime.service(Database).transaction() as session:
        site.fill(session, runtime.service(Vault), now)
        filled.fill(session, settings, now, "")
    events = [title for kind, title in found(app, BRANCH_MANAGER, "相约星期二 文三路") if kind == "活动场次"]
    assert events and events[0] == "相约星期二 · 刷单返利：先给甜头"
    assert found(app, OUTLET_STAFF, "刷单返利") == [("活动场次", "相约星期二 · 刷单返利：先给甜头")]
    assert ("活动场次", "线上小课 · 这一课") in found(app, ADMINISTRATOR, "这一课")
    assert found(app, OUTLET_STAFF, "这一课") == [], "online belongs to head office"
    theirs = [title for kind, title in found(app, OUTLET_STAFF, "先停一停") if kind == "活动回执"]
    assert theirs and all("西湖文三路柜面" in title for title in theirs)
    assert len(found(app, BRANCH_MANAGER, "先停一停")) == 3
    assert found(app, OUTSIDER, "先停一停") == found(app, OUTSIDER, "相约星期二") == []
