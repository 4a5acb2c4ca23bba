"""The desk of campaigns: who may, the form with its sentences, the order of pieces, the preview."""

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text as sql
from sqlmodel import col, delete

from campaign import programme
from campaign.models import Campaign, CampaignPiece
from content import lifecycle
from content.pages import PageFacts
from core import clock
from core.database import Database
from tests import browser, factories
from tests.campaign.conftest import Desk, token
from webapp.runtime import Runtime

NEW = {"code": "spring", "name": "春天", "starts_on": "2027-03-09", "ends_on": "2027-03-15", "theme": "young"}
LIST, OWN, EDIT = "/desk/campaigns", "own-week", "/desk/campaigns/own-week"


@pytest.fixture(autouse=True)
def own(runtime: Runtime) -> None:
    """A campaign to write to, new for each test."""
    with runtime.service(Database).transaction() as session:
        for code in (OWN, "spring"):
            session.execute(delete(CampaignPiece).where(col(CampaignPiece.campaign_code) == code))
            session.execute(delete(Campaign).where(col(Campaign.code) == code))
        some = [piece.key for piece in lifecycle.published_list(session)][:5]
        data = browser.campaign_file(clock.now().date(), some) | {"code": OWN, "name": "自己的一周"}
        programme.import_file(session, data, clock.now())


def post(client: FlaskClient, path: str, form: str, **data: str) -> tuple[int, str]:
    answer = client.post(path, data={"csrf_token": token(client, form), **data})
    return answer.status_code, answer.text


def keys(runtime: Runtime) -> list[str]:
    with runtime.service(Database).reading() as session:
        return programme.piece_keys(session, OWN)


def test_only_who_may_edit_campaigns_gets_in(client: FlaskClient, desk: Desk) -> None:
    answer = client.get(LIST)
    assert answer.status_code == 302
    assert "/desk/sign-in" in answer.location
    reviewer = desk(factories.REVIEWER)
    assert reviewer.get(LIST).status_code == 200
    assert '<form class="box"' not in reviewer.get(EDIT).text, "who may not edit sees what it says"
    assert reviewer.get(f"{LIST}/new").status_code == 403
    assert reviewer.post(EDIT, data={"csrf_token": token(reviewer, "/desk/password")}).status_code == 403
    assert desk(factories.EDITOR).get(LIST).status_code == 200


def test_a_write_without_its_token_is_refused(desk: Desk) -> None:
    assert desk(factories.EDITOR).post(f"{LIST}/new", data=NEW).status_code == 400


def test_the_list_says_where_each_stands(desk: Desk) -> None:
    text = desk(factories.EDITOR).get(LIST).text
    assert "正在进行" in text
    assert "将要开始" in text
    assert "5 篇" in text


def test_a_new_campaign_is_saved_and_shown(desk: Desk, runtime: Runtime) -> None:
    editor = desk(factories.EDITOR)
    status, _text = post(editor, f"{LIST}/new", f"{LIST}/new", visible="1", heading="春天<br>来了", **NEW)
    assert status == 303
    text = editor.get(f"{LIST}/spring").text
    assert "春天&lt;br&gt;来了" in text
    assert "活动期已建好" in text
    with runtime.service(Database).reading() as session:
        assert programme.get(session, "spring").theme == "young"


def test_a_mistake_keeps_what_was_typed_and_says_where(desk: Desk) -> None:
    editor = desk(factories.EDITOR)
    form = {**NEW, "ends_on": "2027-03-01", "summary": "写了很久的话"}
    status, text = post(editor, f"{LIST}/new", f"{LIST}/new", **form)
    assert status == 400
    assert "写了很久的话" in text
    assert "结束日期不能早于开始日期" in text
    assert 'aria-describedby="f-ends_on-error"' in text
    status, text = post(editor, f"{LIST}/new", f"{LIST}/new", **{**NEW, "code": browser.CAMPAIGN})
    assert status == 400
    assert "已经被用" in text


def test_editing_keeps_the_pieces(desk: Desk, runtime: Runtime) -> None:
    before = keys(runtime)
    status, _text = post(desk(factories.EDITOR), EDIT, EDIT, **{**NEW, "name": "改了名字"})
    assert status == 303
    with runtime.service(Database).reading() as session:
        changed = programme.get(session, OWN)
        assert (changed.name, changed.visible) == ("改了名字", False)
    assert keys(runtime) == before


def test_pieces_are_ordered_with_buttons(desk: Desk, runtime: Runtime) -> None:
    editor = desk(factories.EDITOR)
    first, second, *_rest = keys(runtime)
    post(editor, f"{EDIT}/pieces", EDIT, down=first)
    assert keys(runtime)[:2] == [second, first]
    post(editor, f"{EDIT}/pieces", EDIT, up=first)
    assert keys(runtime)[:2] == [first, second]
    post(editor, f"{EDIT}/pieces", EDIT, out=first)
    assert first not in keys(runtime)
    post(editor, f"{EDIT}/pieces", EDIT, piece=first, add="1")
    assert keys(runtime)[-1] == first


def test_the_preview_shows_a_hidden_campaign_and_is_not_counted(
    desk: Desk, declared: list[PageFacts | None]
) -> None:
    editor = desk(factories.EDITOR)
    post(editor, EDIT, EDIT, **{**NEW, "name": "还没给人看"})
    answer = editor.get(f"{EDIT}/preview")
    assert "还没给人看" in answer.text
    assert declared[-1] is None
    assert "data-keys" not in answer.text
    assert editor.get(f"/c/{OWN}").status_code == 404


def test_without_its_table_the_desk_still_shows_a_page_that_leads_on(desk: Desk, runtime: Runtime) -> None:
    editor = desk(factories.EDITOR)
    with runtime.service(Database).transaction() as session:
        session.execute(sql("ALTER TABLE staff RENAME TO staff_gone"))
    try:
        answer = editor.get(LIST)
    finally:
        with runtime.service(Database).transaction() as session:
            session.execute(sql("ALTER TABLE staff_gone RENAME TO staff"))
    assert answer.status_code == 500
    assert "我们已经记录" in answer.text
    assert 'href="/desk"' in answer.text
