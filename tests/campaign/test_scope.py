"""Campaigns by part of the tree, and two people who edit one at the same time."""

import re
from datetime import date, datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import col, delete, select

from campaign import front, programme
from campaign.models import Campaign, CampaignPiece
from campaign.programme import CampaignForm
from content import lifecycle
from core import clock
from core.database import Database
from institution import people
from institution.audit_models import AuditRecord
from tests import entering, factories
from tests.campaign.conftest import token
from tests.content import pieces
from webapp.runtime import Runtime

LIST = "/desk/campaigns"
OWN, OTHERS = "branch-week", "outside-week"


@pytest.fixture(autouse=True)
def campaigns(runtime: Runtime) -> None:
    """A campaign of the province and one of another, new for each test; the people of both."""
    now = clock.now()
    with runtime.service(Database).transaction() as session:
        if people.by_login(session, factories.BRANCH_MANAGER) is None:
            factories.staff(session, factories.BRANCH_MANAGER, now)
            factories.staff(session, factories.OUTSIDER, now)
            by = people.by_login(session, factories.EDITOR)
            draft, node = pieces.draft(pieces.text("outside-piece")), factories.OUTSIDE_PROVINCE
            lifecycle.save(session, draft, by=by.id or 0 if by else 0, now=now, outlet_code=node)
        codes = [OWN, OTHERS, "mine"]
        session.execute(delete(CampaignPiece).where(col(CampaignPiece.campaign_code).in_(codes)))
        session.execute(delete(Campaign).where(col(Campaign.code).in_(codes)))
        for code, node in ((OWN, factories.PROVINCE), (OTHERS, factories.OUTSIDE_PROVINCE)):
            programme.save(session, campaign(code, now, node), now=now)


def campaign(code: str, now: datetime, node: str) -> CampaignForm:
    """A campaign that runs and began after every other."""
    day = now.date()
    return CampaignForm(code, f"名叫{code}", day, day + timedelta(days=3), outlet_code=node)


@pytest.fixture
def branch(app: Flask) -> FlaskClient:
    """The browser of the manager of the province."""
    return entering.client(app, factories.BRANCH_MANAGER)


def fields(client: FlaskClient, code: str) -> dict[str, str]:
    """The form of a campaign as a browser would send it back unchanged."""
    page = client.get(f"{LIST}/{code}").text
    base = re.search(r'name="base" value="([^"]*)"', page)
    assert base is not None
    values = {"base": base[1], "csrf_token": token(client, f"{LIST}/{code}"), "name": f"名叫{code}"}
    day = clock.now().date()
    return values | {
        "starts_on": day.isoformat(), "ends_on": (day + timedelta(days=3)).isoformat(), "theme": "plain",
        "visible": "1", "outlet_code": factories.PROVINCE,
    }  # fmt: skip


def named(runtime: Runtime, code: str) -> str:
    with runtime.service(Database).reading() as session:
        return programme.get(session, code).name


def test_a_branch_sees_its_own_and_what_is_over_it(branch: FlaskClient) -> None:
    text = branch.get(LIST).text
    assert OWN in text and "金融教育宣传周" in text and OTHERS not in text
    export = branch.get(f"{LIST}?export=csv").text
    assert OWN in export and OTHERS not in export


def test_outside_is_missing_and_above_is_read_only(branch: FlaskClient, runtime: Runtime) -> None:
    data = {"csrf_token": token(branch, "/desk/password"), "name": "抢来的"}
    for code, seen in ((OTHERS, 404), ("september-week", 200), ("no-such", 404)):
        assert branch.get(f"{LIST}/{code}").status_code == seen
        assert branch.get(f"{LIST}/{code}/preview").status_code == seen
        assert branch.post(f"{LIST}/{code}", data=data).status_code == 404
        assert branch.post(f"{LIST}/{code}/pieces", data=data | {"piece": "ai-voice"}).status_code == 404
    assert "名称（英文）" not in branch.get(f"{LIST}/september-week").text
    assert named(runtime, OTHERS) == f"名叫{OTHERS}"


def test_a_new_campaign_belongs_where_one_may_keep_campaigns(branch: FlaskClient, runtime: Runtime) -> None:
    data = fields(branch, OWN) | {"code": "mine"}
    for node in ("", factories.OUTSIDE_PROVINCE, factories.HEAD_OFFICE):
        assert branch.post(f"{LIST}/new", data=data | {"outlet_code": node}).status_code == 400
    assert branch.post(f"{LIST}/new", data=data | {"outlet_code": factories.CITY}).status_code == 303
    moved = branch.post(f"{LIST}/mine", data=fields(branch, "mine") | {"outlet_code": ""})
    assert moved.status_code == 400, "nor may it be given to the whole institution"
    with runtime.service(Database).reading() as session:
        assert programme.get(session, "mine").outlet_code == factories.CITY


def test_a_piece_of_another_branch_cannot_be_put_in(branch: FlaskClient, runtime: Runtime) -> None:
    page = branch.get(f"{LIST}/{OWN}").text
    assert 'value="outside-piece"' not in page and 'value="ai-voice"' in page
    data = {"csrf_token": token(branch, f"{LIST}/{OWN}"), "add": "1"}
    assert branch.post(f"{LIST}/{OWN}/pieces", data=data | {"piece": "outside-piece"}).status_code == 404
    assert branch.post(f"{LIST}/{OWN}/pieces", data=data | {"piece": "ai-voice"}).status_code == 303
    with runtime.service(Database).reading() as session:
        assert programme.piece_keys(session, OWN) == ["ai-voice"]


def test_who_was_overtaken_sees_both_versions(app: Flask, branch: FlaskClient, runtime: Runtime) -> None:
    other = entering.client(app, factories.EDITOR)
    mine, theirs = fields(branch, OWN), fields(other, OWN)
    assert (
        other.post(f"{LIST}/{OWN}", data=theirs | {"name": "先改的", "slogan": "新口号"}).status_code == 303
    )
    answer = branch.post(f"{LIST}/{OWN}", data=mine | {"name": "后改的"})
    assert answer.status_code == 409
    assert "先改的" in answer.text and "后改的" in answer.text
    assert named(runtime, OWN) == "先改的"
    base = re.search(r'name="base" value="([^"]*)"', answer.text)
    assert base is not None
    chosen = mine | {"name": "后改的", "slogan": "新口号", "base": base[1]}
    assert branch.post(f"{LIST}/{OWN}", data=chosen).status_code == 303
    with runtime.service(Database).reading() as session:
        kept = programme.get(session, OWN)
        assert (kept.name, kept.slogan) == ("后改的", "新口号")


def test_saving_what_nobody_else_changed_just_saves(branch: FlaskClient, runtime: Runtime) -> None:
    assert branch.post(f"{LIST}/{OWN}", data=fields(branch, OWN) | {"name": "改一次"}).status_code == 303
    assert branch.post(f"{LIST}/{OWN}", data=fields(branch, OWN) | {"name": "再改"}).status_code == 303
    assert named(runtime, OWN) == "再改"


def test_each_act_leaves_one_record(branch: FlaskClient, runtime: Runtime) -> None:
    def records() -> list[AuditRecord]:
        with runtime.service(Database).reading() as session:
            return list(session.exec(select(AuditRecord).order_by(col(AuditRecord.id))))

    before = len(records())
    branch.post(f"{LIST}/{OWN}", data=fields(branch, OWN) | {"name": "改名"})
    data = {"csrf_token": token(branch, f"{LIST}/{OWN}")}
    branch.post(f"{LIST}/{OWN}/pieces", data=data | {"piece": "ai-voice", "add": "1"})
    changed, arranged = records()[before:]
    assert (changed.action, changed.outlet_code) == ("campaign.change", factories.PROVINCE)
    assert (changed.before, changed.after) == ({"name": f"名叫{OWN}"}, {"name": "改名"})
    assert (arranged.action, arranged.after) == ("campaign.arrange", {"pieces": ["ai-voice"]})


def test_a_branchs_campaign_is_current_at_its_own_outlets_alone(runtime: Runtime) -> None:
    today: date = clock.now().date()

    def current(code: str = "") -> str:
        with runtime.service(Database).reading() as session:
            found = programme.current(session, today, code)
            return found.code if found else ""

    assert current() == "september-week", "the home page belongs to everybody"
    assert (current(factories.OUTLET_A), current(factories.OUTSIDE_OUTLET)) == (OWN, OTHERS)
    with runtime.service(Database).reading() as session:
        home, events = front.home(session, today, clock.now()), front.events(session, today, clock.now())
    assert home.season is not None and home.season.campaign.code == "september-week"
    places = {one.campaign.code: one.place for one in events.running}
    assert places == {OWN: "浙江省分公司", OTHERS: "四川省分公司", "september-week": ""}
