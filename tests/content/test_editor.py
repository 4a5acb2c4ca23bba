"""What the editor asks for while somebody writes: the look, pictures, and work that is not saved yet."""

import io
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlmodel import select

from content import history, unsaved
from content.desk.palette import PALETTE
from content.media import Picture
from content.rendering import render
from content.unsaved import Spot, Unsaved, Work
from core.database import Database
from core.errors import Conflict
from institution import retention
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tests.content.test_desk import form, hidden, typed
from webapp import personal

Entered = Callable[[str], FlaskClient]
NEW, EDIT = "/desk/pieces/new", "/desk/pieces/stop-first/edit"


@pytest.fixture
def editor(entered: Entered) -> FlaskClient:
    """The editor's browser."""
    return entered(factories.EDITOR)


def asked(client: FlaskClient, path: str, data: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """What an address answers a script."""
    answer = client.post(path, data=data, headers={"Accept": "application/json"})
    assert answer.status_code == status, answer.get_data(as_text=True)
    return dict(answer.get_json())


@pytest.mark.parametrize("entry", PALETTE, ids=lambda entry: entry.name)
def test_every_block_of_the_palette_is_good_as_it_stands(entry: Any) -> None:
    made = render(entry.text, {"media/name.png": Picture("0123456789abcdef.png", "", "", 4, 3)}, "article")
    assert made.faults == ()
    assert entry.text.count(f"\n{entry.wraps}\n") == 1 if entry.wraps else True


def test_the_look_follows_the_text_and_faults_have_their_lines(
    editor: FlaskClient, database: Database
) -> None:
    said = asked(editor, "/desk/pieces/live", form(pieces.text(), elder="1"))
    assert "问一问，再转账" in said["html"]
    assert "data-elder" in said["html"]
    assert said["faults"] == []
    wrong = asked(editor, "/desk/pieces/live", form(pieces.text(more="theme: pink\n", body="/// panel\n")))
    assert wrong["html"] == ""
    assert [one["line"] for one in wrong["faults"]] == [6, 8]
    assert wrong["wrong"] == 1
    assert 'id="f-fact.theme-error"' in wrong["facts"]
    with database.reading() as session:
        assert history.newest_of_all(session) == []
        assert session.exec(select(Unsaved)).all() == []


def test_a_changed_field_is_written_into_the_text(editor: FlaskClient) -> None:
    said = asked(editor, "/desk/pieces/live", form(pieces.text()))
    shown = hidden(said["facts"], "facts_shown")
    fields: dict[str, Any] = {name: "" for name in ("fact.kicker", "fact.minutes")}
    fields |= {
        "fact.title": "再想一想",
        "facts_shown": json.dumps({"names": ["title"], "values": json.loads(shown)["values"]}),
    }
    changed = asked(editor, "/desk/pieces/live", form(pieces.text(), **fields))
    assert changed["text"] == pieces.text().replace("title: 先停一停", "title: 再想一想")


def test_a_guide_is_written_by_its_fields_and_a_strip_leads_to_the_composer(editor: FlaskClient) -> None:
    guide = pieces.text(kind="guide", more="way: phone\n")
    said = asked(editor, "/desk/pieces/live", form(guide))
    assert re.search(r'<option value="phone" selected>打电话<', said["facts"])
    assert 'name="fact.suits" value="hearing"' in said["facts"]
    fields: dict[str, Any] = {"fact.way": "visit", "fact.tasks": ["ask"], "fact.bring": "保单\r\n身份证"}
    fields["facts_shown"] = json.dumps({"names": ["way", "tasks", "bring"], "values": {"way": "phone"}})
    changed = asked(editor, "/desk/pieces/live", form(guide, **fields))
    for written in ("way: visit\n", "tasks: [ask]\n", "bring: [保单, 身份证]\n"):
        assert written in changed["text"]
    assert changed["faults"] == []
    assert 'href="/desk/strips"' in said["facts"]
    strip = "strip:\n  - place: home\n    cast: [{who: xiaobao}]\n"
    editor.post(NEW, data=form(pieces.text(kind="diary", more="number: 1\n" + strip)))
    page = editor.get(EDIT).get_data(as_text=True)
    assert "1 格 · 小宝" in page
    assert page.count("/desk/pieces/stop-first/strip") == 1
    assert "走哪条路" not in page
    assert "写 &lt;br&gt;。" in page
    wrong = asked(editor, "/desk/pieces/live", form(guide.replace("phone", "pigeon")))
    assert 'id="f-fact.way-error"' in wrong["facts"]


def test_a_picture_is_taken_in_under_a_name_of_its_own(editor: FlaskClient) -> None:
    def take(data: bytes, kept: str, status: int = 200) -> dict[str, Any]:
        given = {"file": (io.BytesIO(data), "截图 A.svg"), "kept": kept}
        return asked(editor, "/desk/pieces/pictures", given, status)

    first = take(pieces.SVG, "")
    again = take(pieces.SVG, first["kept"])
    other = take(pieces.SVG.replace(b"#abc", b"#def"), first["kept"])
    assert [one["name"] for one in (first, again, other)] == ["media/a.svg", "media/a.svg", "media/a-2.svg"]
    assert first["url"] != other["url"]
    body = "/// picture | media/a-2.svg\n    alt: 图\n///\n"
    said = asked(editor, "/desk/pieces/live", form(pieces.text(body=body), kept=other["kept"]))
    assert other["url"] in said["html"]
    assert "SVG" in take(b"GIF89a", "", 400)["error"]["message"]
    assert asked(editor, "/desk/pieces/pictures", {}, 400)["error"]["message"]


def test_unsaved_work_is_offered_gone_on_with_and_gone_once_saved(
    editor: FlaskClient, database: Database
) -> None:
    editor.post(NEW, data=form(pieces.text()))
    mine = pieces.text(body="## 还没写完\n")
    said = asked(editor, "/desk/pieces/stop-first/unsaved", form(mine, base=1))
    assert said["follows"] == 1
    opened = editor.get(EDIT).get_data(as_text=True)
    assert f"{EDIT}?unsaved=1" in opened
    assert typed(opened) == pieces.text()
    page = editor.get(f"{EDIT}?unsaved=1").get_data(as_text=True)
    assert typed(page) == mine
    assert (hidden(page, "follows"), hidden(page, "base")) == ("1", "1")
    with database.reading() as session:
        assert len(history.revisions(session, "stop-first")) == 1
    editor.post(EDIT, data=form(mine, base=1, follows="1"))
    assert "unsaved=1" not in editor.get(EDIT).get_data(as_text=True)
    assert editor.get(f"{EDIT}?unsaved=1").status_code == 404
    with database.reading() as session:
        assert session.exec(select(Unsaved)).all() == []


def test_unsaved_work_of_two_places_is_not_written_over(editor: FlaskClient, database: Database) -> None:
    editor.post(NEW, data=form(pieces.text()))
    path = "/desk/pieces/stop-first/unsaved"
    asked(editor, path, form("一处", base=1))
    assert "另一台电脑" in asked(editor, path, form("另一处", base=1), 409)["error"]["message"]
    assert asked(editor, path, form("接着写", base=1, follows="1"))["follows"] == 2
    editor.post(EDIT, data=form(pieces.text(body="## 存了\n"), base=1, follows="1"))
    with database.reading() as session:
        assert session.exec(select(Unsaved)).one().text == "接着写"
    editor.post("/desk/pieces/stop-first/unsaved/discard")
    with database.reading() as session:
        assert session.exec(select(Unsaved)).all() == []


def test_new_pieces_are_kept_each_by_itself_and_for_their_writer_alone(
    editor: FlaskClient, entered: Entered, database: Database
) -> None:
    slots = [hidden(editor.get(NEW).get_data(as_text=True), "slot") for _time in range(2)]
    for slot, title in zip(slots, ("甲篇", "乙篇"), strict=True):
        asked(editor, f"{NEW}/unsaved", form(f"---\ntitle: {title}\n", slot=slot))
    page = editor.get(NEW).get_data(as_text=True)
    assert "甲篇" in page
    assert "乙篇" in page
    assert "甲篇" in typed(editor.get(f"{NEW}?unsaved={slots[0]}").get_data(as_text=True))
    other = entered(factories.ADMINISTRATOR)
    assert "甲篇" not in other.get(NEW).get_data(as_text=True)
    assert other.get(f"{NEW}?unsaved={slots[0]}").status_code == 404
    editor.post(f"{NEW}/unsaved/discard", data={"slot": slots[1]})
    editor.post(NEW, data=form(pieces.text(), slot=slots[0], follows="1"))
    with database.reading() as session:
        assert session.exec(select(Unsaved)).all() == []


def test_unsaved_work_is_cleared_after_its_time_and_never_more_than_so_much(
    database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    assert personal.content_unsaved
    me = cast[factories.EDITOR].id or 0
    with database.transaction() as session:
        unsaved.keep(session, Spot(me, "old"), Work("旧", {}, 1), now - timedelta(days=unsaved.DAYS + 1))
        for number in range(unsaved.MOST_NEW + 3):
            at = now + timedelta(minutes=number)
            unsaved.keep(session, Spot(me, "", f"{number:016x}"), Work(f"{number}", {}, 0), at)
        kept = unsaved.new_pieces(session, me)
        assert [one.text for one in kept] == [str(number) for number in range(22, 2, -1)]
    assert retention.run(database, {}, now)["content.unsaved"] == 1
    with database.transaction() as session, pytest.raises(Conflict):
        unsaved.keep(session, Spot(me, "", f"{9:016x}"), Work("x", {}, 0), now)


def test_who_may_not_write_keeps_nothing(entered: Entered, app: Flask) -> None:
    reviewer = entered(factories.REVIEWER)
    for path in ("/desk/pieces/live", "/desk/pieces/pictures", f"{NEW}/unsaved"):
        assert reviewer.post(path, data=form("x")).status_code == 403
        assert app.test_client().post(path, data=form("x")).status_code in (302, 401, 403)
