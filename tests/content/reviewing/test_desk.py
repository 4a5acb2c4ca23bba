"""The desk of reviewing: remarks at passages, the checklist in the form, several at once, figures, what is due."""

import io
import re
from datetime import datetime, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from openpyxl import load_workbook

from content import history, lifecycle
from content.models import State
from core.database import Database
from institution.approval_models import Approval
from institution.models import Staff
from tests import entering, factories
from tests.content import pieces

BULK = "/desk/approvals/bulk"


@pytest.fixture
def asked(database: Database, cast: dict[str, Staff], now: datetime) -> dict[str, Approval]:
    """Two pieces by the editor and one by the administrator, submitted."""
    found = {}
    with database.transaction() as session:
        for key, login in (
            ("one", factories.EDITOR),
            ("two", factories.EDITOR),
            ("boss", factories.ADMINISTRATOR),
        ):
            by = cast[login].id or 0
            revision = pieces.saved(session, pieces.text(key), by, now)
            found[key] = lifecycle.submit(session, revision.id or 0, by=by, now=now)
    return found


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return entering.client(app, factories.REVIEWER)


def tick(one: Approval) -> str:
    return f"{one.id}.{one.subject_hash}"


def state(database: Database, key: str) -> str:
    with database.reading() as session:
        return history.by_number(session, key, 1).state


def test_the_form_asks_every_item_and_keeps_what_was_typed(
    client: FlaskClient, asked: dict[str, Approval]
) -> None:
    where = f"/desk/approvals/{asked['one'].id}"
    page = client.get(where).get_data(as_text=True)
    assert page.count("<fieldset") == 12 and "广告法" in page
    half = {"item-truthful": "ok", "words-truthful": "核对过原文", "decision": "approved"}
    answer = client.post(f"{where}/decide", data=half)
    again = answer.get_data(as_text=True)
    assert answer.status_code == 400 and "还有没答的" in again
    assert "核对过原文" in again and re.search(r'name="item-truthful" value="ok" checked', again)
    assert client.post(f"{where}/decide", data=pieces.ALL_RIGHT | {"decision": "approved"}).status_code == 302
    page = client.get(where).get_data(as_text=True)
    assert "审查清单的回答" in page and asked["one"].subject_hash[:12] in page


def test_several_are_looked_at_and_decided_at_once_but_never_ones_own(
    app: Flask, database: Database, asked: dict[str, Approval]
) -> None:
    boss = entering.client(app, factories.ADMINISTRATOR)
    picks = [tick(one) for one in asked.values()]
    page = boss.post(BULK, data={"pick": picks, "action": "approve"}).get_data(as_text=True)
    assert page.count("<iframe") == 2 and page.count("规则检查") == 2
    assert "自己提交的内容要由另一位同事审批" in page and 'name="item-truthful"' in page
    posted = {"pick": picks[:2], "action": "approve", "confirm": "1"}
    refused = boss.post(BULK, data=posted)
    assert refused.status_code == 400 and "还有没答的" in refused.get_data(as_text=True)
    assert state(database, "one") == State.submitted
    assert boss.post(BULK, data=posted | {"pick": picks} | pieces.ALL_RIGHT).status_code == 302
    assert [state(database, key) for key in asked] == ["approved", "approved", "submitted"]


def test_several_are_sent_back_with_one_reason(
    client: FlaskClient, database: Database, asked: dict[str, Approval]
) -> None:
    posted = {"pick": [tick(one) for one in asked.values()], "action": "changes", "confirm": "1"}
    refused = client.post(BULK, data=posted)
    assert refused.status_code == 400 and "请写明理由" in refused.get_data(as_text=True)
    assert client.post(BULK, data=posted | {"opinion": "标题改短"}).status_code == 302
    assert [state(database, key) for key in asked] == ["draft"] * 3
    # … and the figures say so
    page = client.get("/desk/reviews/figures").get_data(as_text=True)
    assert "100 %" in page and "以案说险" in page
    rows = client.get("/desk/reviews/figures?export=csv").get_data(as_text=True).splitlines()
    assert rows[1].startswith("合计,合计,3,")
    book = load_workbook(io.BytesIO(client.get("/desk/reviews/figures?export=xlsx").data))
    assert [cell.value for cell in book.worksheets[0][2]][2] == 3
    assert "请" in client.get("/desk/reviews/figures?from=x").get_data(as_text=True)


def test_a_remark_is_written_at_its_passage_and_answered_there(
    app: Flask, client: FlaskClient, asked: dict[str, Approval]
) -> None:
    editor, where = entering.client(app, factories.EDITOR), "/desk/pieces/one/1"
    page = client.get(f"{where}/passages").get_data(as_text=True)
    line = re.findall(r'id="line-(\d+)"', page)[-1]
    wrong = {"first": line, "last": line, "words": "问谁？", "quote": "没有的字"}
    answer = client.post(f"{where}/remarks", data=wrong)
    assert answer.status_code == 400 and "问谁？" in answer.get_data(as_text=True)
    assert editor.post(f"{where}/remarks", data=wrong).status_code == 403
    client.post(f"{where}/remarks", data=wrong | {"quote": "问一问"})
    for path in ("/desk/pieces/one", f"{where}/passages", f"/desk/approvals/{asked['one'].id}"):
        assert "问谁？" in editor.get(path).get_data(as_text=True), path
    editor.post(f"{where}/remarks/1/answer", data={"answer": "问家里人"})
    assert "问家里人" in client.get(f"{where}/passages").get_data(as_text=True)
    editor.post(f"{where}/remarks/1/resolve")
    assert "没有待了结的意见" in editor.get("/desk/pieces/one").get_data(as_text=True)
    editor.post(f"{where}/remarks/1/reopen")
    assert "还有 1 条没有了结" in editor.get("/desk/pieces/one").get_data(as_text=True)
    assert editor.post("/desk/pieces/two/1/remarks/1/answer", data={"answer": "x"}).status_code == 302


def test_the_institution_writes_its_own_items_and_only_head_office_does(
    app: Flask, asked: dict[str, Approval]
) -> None:
    where, boss = "/desk/reviews/checklist", entering.client(app, factories.ADMINISTRATOR)
    own = "- id: own-brand\n  since: 2026-01-01\n  says: {zh: 名称和标识统一。}\n  source: 品牌办法第八条\n"
    wrong = boss.post(where, data={"items": "- id: 乱写"})
    assert wrong.status_code == 400 and "第 1 项" in wrong.get_data(as_text=True)
    assert boss.post(where, data={"items": own, "note": "加一项"}).status_code == 302
    assert "品牌办法第八条" in boss.get(where).get_data(as_text=True)
    reader = entering.client(app, factories.REVIEWER)
    assert 'name="items"' not in reader.get(where).get_data(as_text=True)
    assert reader.post(where, data={"items": own}).status_code == 403


def test_what_is_due_names_its_owner_and_is_confirmed_there(
    app: Flask, database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    day = now.date() + timedelta(days=20)
    with database.transaction() as session:
        given = pieces.text("aging", kind="long_graphic", more=f"review_by: {day}\n")
        pieces.to_the_site(session, given, cast[factories.EDITOR], cast[factories.REVIEWER], now)
    editor = entering.client(app, factories.EDITOR)
    page = editor.get("/desk/due?days=365").get_data(as_text=True)
    assert "林编辑" in page and "自动撤下" in page
    assert "我的内容快到复核日" in editor.get("/desk").get_data(as_text=True)
    editor.post("/desk/pieces/aging/still-true", data={"until": "tomorrow"})
    assert state(database, "aging") == State.published
    editor.post("/desk/pieces/aging/still-true", data={"until": str(now.date() + timedelta(days=300))})
    with database.reading() as session:
        assert history.by_number(session, "aging", 2).state == State.submitted
    assert "新的一版正在审查" in editor.get("/desk/due?days=365").get_data(as_text=True)
