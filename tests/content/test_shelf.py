"""Many pieces at once: the list in order and as a file, and bulk actions that are previewed before they write."""

import re
from datetime import datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import history, lifecycle
from core.database import Database
from institution.models import Staff
from tests import entering, factories
from tests.content import pieces

BULK = "/desk/pieces/bulk"


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    return entering.client(app, factories.EDITOR)


@pytest.fixture(autouse=True)
def three(database: Database, cast: dict[str, Staff], now: datetime) -> None:
    """A draft, one that waits for its review, and one on the site."""
    editor, reviewer = cast[factories.EDITOR], cast[factories.REVIEWER]
    with database.transaction() as session:
        pieces.saved(session, pieces.text("draft-one"), editor.id or 0, now)
        waiting = pieces.saved(session, pieces.text("waiting-one"), editor.id or 0, now)
        lifecycle.submit(session, waiting.id or 0, by=editor.id or 0, now=now)
        pieces.to_the_site(session, pieces.text("shown-one"), editor, reviewer, now)


def states(database: Database) -> dict[str, str]:
    with database.reading() as session:
        return {one.piece_key: one.state for one in history.newest_of_all(session)}


def bulk(client: FlaskClient, act: str, *keys: str, **more: str) -> tuple[int, str]:
    answer = client.post(BULK, data={"action": act, "pick": list(keys), **more}, follow_redirects=True)
    return answer.status_code, answer.text


def test_the_list_is_sorted_by_the_address(editor: FlaskClient) -> None:
    def keys(query: str) -> list[str]:
        return re.findall(r'class="key">([\w-]+)<', editor.get(f"/desk/pieces?{query}").text)

    assert keys("sort=state") == ["draft-one", "waiting-one", "shown-one"]
    assert keys("sort=-state") == ["shown-one", "waiting-one", "draft-one"]
    assert sorted(keys("sort=nonsense")) == ["draft-one", "shown-one", "waiting-one"]


@pytest.mark.parametrize(("form", "begin"), [("csv", b"\xef\xbb\xbf"), ("xlsx", b"PK")])
def test_the_list_is_a_file_too(editor: FlaskClient, form: str, begin: bytes) -> None:
    data = editor.get(f"/desk/pieces?export={form}&state=draft").data
    assert data.startswith(begin)
    if form == "csv":
        text = data.decode("utf-8-sig")
        assert "draft-one" in text and "shown-one" not in text


def test_a_bulk_action_is_previewed_before_it_writes(editor: FlaskClient, database: Database) -> None:
    status, page = bulk(editor, "submit", "draft-one", "shown-one", "no-such")
    assert status == 200
    assert "将要变化的 1 项" in page and "不会变化的 2 项" in page
    assert states(database)["draft-one"] == "draft"
    status, page = bulk(editor, "submit", "draft-one", "shown-one", confirm="1", reason="一起看")
    assert "完成 1 篇" in page and "有 1 篇没有变化" in page
    assert states(database) == {
        "draft-one": "submitted",
        "waiting-one": "submitted",
        "shown-one": "published",
    }


def test_withdrawing_many_asks_for_the_reason_and_keeps_what_was_ticked(
    editor: FlaskClient, database: Database
) -> None:
    status, page = bulk(editor, "withdraw", "shown-one", "draft-one", confirm="1", reason=" ")
    assert status == 400
    assert 'name="pick" value="shown-one"' in page and "请写明撤下的原因" in page
    assert states(database)["shown-one"] == "published"
    bulk(editor, "withdraw", "shown-one", confirm="1", reason="数字过期")
    assert states(database)["shown-one"] == "withdrawn"


def test_nothing_ticked_and_an_unknown_act_say_what_to_do(editor: FlaskClient) -> None:
    assert "请先在表格里勾选" in bulk(editor, "submit")[1]
    assert "请选择要做的事" in bulk(editor, "burn", "draft-one")[1]


def test_nobody_does_in_bulk_what_they_may_not_do_singly(
    app: Flask, database: Database, now: datetime
) -> None:
    with database.transaction() as session:
        factories.staff(session, factories.BRANCH_MANAGER, now)
    branch = entering.client(app, factories.BRANCH_MANAGER)
    for act in ("submit", "publish", "withdraw"):
        before = states(database)
        _status, page = bulk(branch, act, *before, confirm="1", reason="都要")
        assert "完成 0 篇" in page
        assert states(database) == before
    assert bulk(entering.client(app, factories.REVIEWER), "submit", "draft-one")[0] == 403
