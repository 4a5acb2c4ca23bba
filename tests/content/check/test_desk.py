"""The check at the desk: at the text that is written, on the page of the piece, before several are submitted."""

import html
import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient

from content import history, lifecycle
from content.models import State
from core.database import Database
from institution import approvals
from institution.models import Staff
from tests import factories
from tests.content import pieces

Entered = Callable[[str], FlaskClient]
URGING = "## 讲座\n\n😀 名额有限，先到先得。\n"
PROMISING = "## 产品\n\n我们的产品保本保息。\n"


@pytest.fixture
def editor(entered: Entered) -> FlaskClient:
    return entered(factories.EDITOR)


def write(client: FlaskClient, body: str, do: str = "save", **more: str) -> str:
    """Post the form of a new piece; the page that answers."""
    given = {"text": pieces.text(body=body, **more).replace("\n", "\r\n"), "base": "0", "do": do}
    return client.post("/desk/pieces/new", data=given).get_data(as_text=True)


def page(client: FlaskClient) -> str:
    return client.get("/desk/pieces/stop-first").get_data(as_text=True)


def marks(text: str) -> list[str]:
    return re.findall(r'name="mark" value="(\w+)"', text)


def state(database: Database) -> str:
    with database.reading() as session:
        return history.by_number(session, "stop-first", 1).state


def test_while_writing_findings_name_their_place_and_nothing_is_saved(
    editor: FlaskClient, database: Database
) -> None:
    shown = write(editor, URGING, do="check")
    assert "名额有限" in shown
    places = [(int(a), int(b)) for a, b in re.findall(r'data-offset="(\d+)" data-length="(\d+)"', shown)]
    text = pieces.text(body=URGING)
    assert [text[a : a + b] for a, b in places] == ["名额有限", "先到先得"]
    assert html.unescape(shown).count(text) == 1
    with database.reading() as session:
        assert history.newest(session, "stop-first") is None


def test_an_error_keeps_a_piece_from_review_at_every_door(editor: FlaskClient, database: Database) -> None:
    write(editor, PROMISING)
    shown = page(editor)
    assert "改好以后才能提交审查" in shown
    assert "/1/submit" not in shown
    editor.post("/desk/pieces/stop-first/1/submit", data={})
    assert "保本" in page(editor)  # why, in a flash
    several = {"action": "submit", "pick": "stop-first"}
    assert "规则检查有" in editor.post("/desk/pieces/bulk", data=several).get_data(as_text=True)
    editor.post("/desk/pieces/bulk", data=several | {"confirm": "1"})
    assert state(database) == State.draft


def test_a_warning_is_left_with_a_reason_that_the_reviewer_reads(
    editor: FlaskClient, entered: Entered, database: Database
) -> None:
    write(editor, URGING)
    first = marks(page(editor))[0]
    editor.post("/desk/pieces/stop-first/1/overrule", data={"mark": first, "reason": ""})
    assert "请写明为什么可以保留" in page(editor)
    editor.post("/desk/pieces/stop-first/1/overrule", data={"mark": first, "reason": "场地只有四十个座位"})
    assert "场地只有四十个座位" in page(editor)
    editor.post("/desk/pieces/stop-first/1/submit", data={})
    assert state(database) == State.draft, "another warning is not answered"
    for other in marks(page(editor)):
        editor.post("/desk/pieces/stop-first/1/overrule", data={"mark": other, "reason": "讲座确实要领号"})
    editor.post("/desk/pieces/stop-first/1/submit", data={})
    assert state(database) == State.submitted
    with database.reading() as session:
        request = approvals.open_request(session, kind=lifecycle.APPROVAL_KIND, subject="stop-first")
    assert request is not None
    seen = entered(factories.REVIEWER).get(f"/desk/approvals/{request.id}").get_data(as_text=True)
    assert "场地只有四十个座位" in seen
    assert "讲座确实要领号" in seen
    editor.post("/desk/pieces/stop-first/1/restore", data={"mark": first})
    assert "场地只有四十个座位" in page(editor)  # what is submitted stays as it is


def test_what_falls_due_is_listed_for_ones_own_part(
    editor: FlaskClient, database: Database, cast: dict[str, Staff]
) -> None:
    with database.transaction() as session:
        text = pieces.text(more="review_by: 2026-09-20\n")
        by = cast[factories.EDITOR], cast[factories.REVIEWER]
        pieces.to_the_site(session, text, *by, cast[factories.EDITOR].created_at)
    assert "stop-first" in editor.get("/desk/due?days=365").get_data(as_text=True)
