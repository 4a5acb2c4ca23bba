"""The desk of content: written, previewed, compared, reviewed by another, published, withdrawn."""

import html
import io
import re
from collections.abc import Callable
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import history, lifecycle
from content.models import State
from core.database import Database
from institution import approvals, people
from institution.approval_models import Approval
from tests import factories
from tests.content import pieces

Entered = Callable[[str], FlaskClient]


@pytest.fixture
def editor(entered: Entered) -> FlaskClient:
    """The editor's browser."""
    return entered(factories.EDITOR)


@pytest.fixture
def reviewer(entered: Entered) -> FlaskClient:
    """The reviewer's browser."""
    return entered(factories.REVIEWER)


def form(text: str, base: int = 0, do: str = "save", **more: object) -> dict[str, object]:
    """What the form posts."""
    return {"text": text.replace("\n", "\r\n"), "base": str(base), "do": do, **more}


def hidden(page: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


def typed(page: str) -> str:
    """What stands in the text field."""
    found = re.search(r'<textarea id="f-text"[^>]*>\n?(.*?)</textarea>', page, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def state(database: Database, number: int = 1, key: str = "stop-first") -> str:
    with database.reading() as session:
        return history.by_number(session, key, number).state


def request_of(database: Database, key: str = "stop-first") -> Approval:
    with database.reading() as session:
        found = approvals.open_request(session, kind=lifecycle.APPROVAL_KIND, subject=key)
    assert found is not None
    return found


def test_from_the_form_to_the_site_and_off_it(
    editor: FlaskClient, reviewer: FlaskClient, database: Database, now: datetime
) -> None:
    assert editor.post("/desk/pieces/new", data=form(pieces.text())).status_code == 302
    with database.reading() as session:
        assert history.by_number(session, "stop-first", 1).text == pieces.text()
    editor.post("/desk/pieces/stop-first/1/submit", data={"reason": "请看期限"})
    page = reviewer.get("/desk/pieces/stop-first").get_data(as_text=True)
    assert f"/desk/approvals/{request_of(database).id}" in page
    with database.transaction() as session:
        reviewed_by = people.by_login(session, factories.REVIEWER)
        assert reviewed_by is not None
        revision = history.by_number(session, "stop-first", 1)
        lifecycle.approve(session, revision.id or 0, by=reviewed_by.id or 0, now=now, opinion="可以")
    assert state(database) == State.approved
    editor.post("/desk/pieces/stop-first/1/publish")
    assert editor.get("/p/stop-first").status_code == 200
    question = editor.get("/desk/pieces/stop-first/withdraw")
    assert question.status_code == 200
    assert editor.post("/desk/pieces/stop-first/withdraw", data={"reason": ""}).status_code == 400
    assert editor.get("/p/stop-first").status_code == 200
    editor.post("/desk/pieces/stop-first/withdraw", data={"reason": "数字有误"})
    assert editor.get("/p/stop-first").status_code == 410
    assert "数字有误" in editor.get("/desk/pieces/stop-first").get_data(as_text=True)


def test_a_failed_form_keeps_what_was_typed_and_uploaded(editor: FlaskClient) -> None:
    wrong = pieces.text(more="colour: red\n", body="/// picture | media/new.svg\n    alt: 图\n///\n")
    upload = (io.BytesIO(pieces.SVG), "New.SVG")
    answer = editor.post("/desk/pieces/new", data=form(wrong, pictures=upload))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 400
    assert "colour" in page
    assert typed(page) == wrong
    mended = form(wrong.replace("colour: red\n", ""), kept=hidden(page, "kept"))
    assert editor.post("/desk/pieces/new", data=mended).status_code == 302


def test_a_made_up_place_of_a_picture_is_not_believed(editor: FlaskClient) -> None:
    body = "/// picture | media/x.svg\n    alt: 图\n///\n"
    forged = '{"media/x.svg":{"file":"0000000000000000.svg","original":"../secret.key","sha256":"","width":1,"height":1}}'
    answer = editor.post("/desk/pieces/new", data=form(pieces.text(body=body), kept=forged + ".forged"))
    assert answer.status_code == 400


def test_a_picture_that_is_none_is_named(editor: FlaskClient) -> None:
    upload = (io.BytesIO(b"GIF89a"), "anim.gif")
    answer = editor.post("/desk/pieces/new", data=form(pieces.text(), pictures=upload))
    assert answer.status_code == 400
    assert "anim.gif" in answer.get_data(as_text=True)


def test_an_edit_is_a_new_revision_and_the_same_text_is_none(editor: FlaskClient, database: Database) -> None:
    editor.post("/desk/pieces/new", data=form(pieces.text()))
    page = editor.get("/desk/pieces/stop-first/edit").get_data(as_text=True)
    assert typed(page) == pieces.text()
    assert hidden(page, "base") == "1"
    editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text(), base=1))
    editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text(body="## 二\n"), base=1))
    with database.reading() as session:
        assert [one.number for one in history.revisions(session, "stop-first")] == [2, 1]


def test_who_was_overtaken_sees_both_and_loses_nothing(editor: FlaskClient, database: Database) -> None:
    editor.post("/desk/pieces/new", data=form(pieces.text()))
    editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text(body="## 别人的\n"), base=1))
    answer = editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text(body="## 我的\n"), base=1))
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409
    assert typed(page) == pieces.text(body="## 我的\n")
    assert page.count('name="clash-1"') == 3
    assert re.search(r'<del class="word">别人</del>的.*<ins class="word">我</ins>的', page, re.DOTALL)
    mine = form(typed(page), base=int(hidden(page, "base")), began="1")
    assert editor.post("/desk/pieces/stop-first/edit", data=mine | {"do": "merge"}).status_code == 400
    editor.post("/desk/pieces/stop-first/edit", data=mine | {"do": "merge", "clash-1": "both"})
    with database.reading() as session:
        joined = pieces.text(body="## 别人的\n## 我的\n")
        assert history.by_number(session, "stop-first", 3).text == joined


def test_changes_that_do_not_touch_are_put_together(editor: FlaskClient, database: Database) -> None:
    began = "## 一\n\n甲\n\n## 二\n\n乙\n"
    editor.post("/desk/pieces/new", data=form(pieces.text(body=began)))
    theirs, mine = (
        pieces.text(body=began.replace(old, new)) for old, new in (("甲", "甲甲"), ("乙", "乙乙"))
    )
    editor.post("/desk/pieces/stop-first/edit", data=form(theirs, base=1))
    page = editor.post("/desk/pieces/stop-first/edit", data=form(mine, base=1)).get_data(as_text=True)
    assert "clash-1" not in page
    joined = form(typed(page), base=int(hidden(page, "base")), began=hidden(page, "began"), do="merge-edit")
    shown = editor.post("/desk/pieces/stop-first/edit", data=joined).get_data(as_text=True)
    assert typed(shown) == theirs.replace("乙", "乙乙")
    assert hidden(shown, "base") == "2"
    editor.post("/desk/pieces/stop-first/edit", data=joined | {"do": "merge"})
    with database.reading() as session:
        assert history.by_number(session, "stop-first", 3).text == typed(shown)


def test_a_key_in_use_and_a_changed_key_are_refused(editor: FlaskClient, database: Database) -> None:
    editor.post("/desk/pieces/new", data=form(pieces.text()))
    assert editor.post("/desk/pieces/new", data=form(pieces.text(body="## 别的\n"))).status_code == 409
    assert (
        editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text("other"), base=1)).status_code
        == 400
    )
    with database.reading() as session:
        assert len(history.newest_of_all(session)) == 1


def test_a_preview_shows_the_page_and_saves_nothing(editor: FlaskClient, database: Database) -> None:
    plain = editor.post("/desk/pieces/new", data=form(pieces.text(), do="preview")).get_data(as_text=True)
    elder = editor.post("/desk/pieces/new", data=form(pieces.text(), do="preview-elder")).get_data(
        as_text=True
    )
    assert "问一问，再转账" in plain
    assert ("data-elder" in plain, "data-elder" in elder) == (False, True)
    wrong = editor.post("/desk/pieces/new", data=form(pieces.text(more="colour: red\n"), do="preview"))
    assert "colour" in wrong.get_data(as_text=True)
    with database.reading() as session:
        assert history.newest_of_all(session) == []


def test_a_saved_revision_is_previewed_and_compared(editor: FlaskClient) -> None:
    editor.post("/desk/pieces/new", data=form(pieces.text()))
    editor.post("/desk/pieces/stop-first/edit", data=form(pieces.text(body="## 二\n"), base=1))
    assert "问一问" in editor.get("/desk/pieces/stop-first/1/preview?elder=1").get_data(as_text=True)
    page = editor.get("/desk/pieces/stop-first/compare").get_data(as_text=True)
    assert '<ins class="word">二</ins>' in page
    assert "恢复第 1 版" in page
    assert editor.get("/desk/pieces/stop-first/compare?from=9&to=1").status_code == 404
    assert editor.get("/desk/pieces/stop-first/compare?from=x").status_code == 200


def test_the_list_is_filtered_by_the_address(editor: FlaskClient, database: Database, now: datetime) -> None:
    with database.transaction() as session:
        for key, kind in (("one", "article"), ("two", "guide")):
            lifecycle.save(session, pieces.draft(pieces.text(key, kind=kind)), by=1, now=now)

    def keys(query: str) -> set[str]:
        page = editor.get(f"/desk/pieces?{query}").get_data(as_text=True)
        return set(re.findall(r'class="key">(\w+)<', page))

    assert keys("") == {"one", "two"}
    assert keys("kind=guide") == {"two"}
    assert keys("state=draft&q=ONE") == {"one"}
    assert keys("state=published") == set()
    assert keys("page=99") == {"one", "two"}


@pytest.mark.parametrize("kind", ["article", "long_graphic", "diary", "guide", "nonsense"])
def test_a_new_piece_begins_with_a_text_that_is_good(editor: FlaskClient, kind: str) -> None:
    text = typed(editor.get(f"/desk/pieces/new?kind={kind}").get_data(as_text=True))
    assert editor.post("/desk/pieces/new", data=form(text)).status_code == 302


def test_the_reviewer_may_not_write_and_nobody_enters_unknown(reviewer: FlaskClient, app: Flask) -> None:
    assert reviewer.get("/desk/pieces").status_code == 200
    assert reviewer.post("/desk/pieces/new", data=form(pieces.text())).status_code == 403
    assert app.test_client().get("/desk/pieces").status_code == 302


def test_a_form_without_its_token_is_refused(editor: FlaskClient, app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = True
    assert editor.post("/desk/pieces/new", data=form(pieces.text())).status_code == 400
    page = editor.get("/desk/pieces/new").get_data(as_text=True)
    data = form(pieces.text(), csrf_token=hidden(page, "csrf_token"))
    assert editor.post("/desk/pieces/new", data=data).status_code == 302
