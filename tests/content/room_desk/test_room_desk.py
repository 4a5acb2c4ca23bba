"""The desk of rooms through the client: without script, with every button that stands on a page."""

import html
import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlmodel import select

from content import history
from content.models import Revision
from core.database import Database
from institution.audit_models import AuditRecord
from tests import factories
from tests.content.room_desk.conftest import Entered

ROOM = "/desk/pieces/a-call/room"
EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


def typed(page: str) -> dict[str, Any]:
    """What a browser without script would send of the form of a part."""
    form = page[page.index('<form class="part-form"') :]
    form = form[: form.index("</form>")]
    found: dict[str, Any] = {}
    for tag, attributes, inner in re.findall(
        r"<(input|textarea|select)\b([^>]*)>(?:\n?(.*?)</\1>)?", form, re.DOTALL
    ):
        known = dict(re.findall(r'([\w-]+)="([^"]*)"', attributes))
        name, value = known.get("name", ""), known.get("value", "")
        if tag == "textarea":
            value = inner
        if tag == "select":
            chosen = re.search(r'<option value="([^"]*)" selected', inner)
            value = chosen[1] if chosen else ""
        ticked = known.get("type") != "checkbox" or attributes.endswith(" checked")
        if name and ticked and known.get("type") != "file":
            found.setdefault(html.unescape(name), []).append(html.unescape(value))
    return found


def opened(client: FlaskClient, path: str) -> tuple[str, dict[str, Any]]:
    page = client.get(f"{ROOM}{path}").get_data(as_text=True)
    return page, typed(page)


def newest(database: Database) -> Revision:
    with database.reading() as session:
        return history.revisions(session, "a-call")[0]


def faults(page: str) -> list[str]:
    return [html.unescape(one) for one in re.findall(r'<p class="error">(.*?)</p>', page)]


def test_the_room_is_shown_with_its_map_its_proof_and_all_its_parts(editor: FlaskClient) -> None:
    page = editor.get(ROOM).get_data(as_text=True)
    assert "证明过了" in page and "最短走到“钱都在”" in page and "最长的一局" in page
    for part in (
        "scenes/living",
        "locks/caller",
        "dialogues/clerk",
        "endings/lost",
        "items/booklet",
        "facts/hang-up",
    ):
        assert page.count(f'href="{ROOM}/{part}"') >= 1, part
    assert page.count('class="node n-') == 3 + 2 + 7 + 3
    assert f'href="{ROOM}"' in editor.get("/desk/pieces/a-call").get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    [
        "/scenes/living", "/scenes/outlet", "/locks/first", "/locks/caller", "/locks/drawer", "/locks/message",
        "/locks/cards", "/locks/numbers", "/locks/steps", "/items/booklet", "/clues/calm", "/characters/granny",
        "/dialogues/granny", "/endings/safe", "/facts/hang-up", "/about/room",
    ],
)  # fmt: skip
def test_a_form_that_is_sent_as_it_came_makes_no_new_revision(
    editor: FlaskClient, database: Database, path: str
) -> None:
    before = newest(database)
    page, form = opened(editor, path)
    assert faults(page) == []
    answer = editor.post(ROOM + path, data={**form, "do": "save"}, follow_redirects=True)
    assert answer.status_code == 200, faults(answer.get_data(as_text=True))
    assert "完全相同" in answer.get_data(as_text=True)
    assert newest(database).id == before.id


def test_a_change_is_a_new_revision_that_is_proved_at_once(editor: FlaskClient, database: Database) -> None:
    _page, form = opened(editor, "/scenes/living")
    form |= {"title.en": "Sitting room", "doors.0.when": "{has: booklet, knows: nobody-knows}", "do": "save"}
    refused = editor.post(f"{ROOM}/scenes/living", data=form)
    assert refused.status_code == 400
    assert faults(refused.get_data(as_text=True)) == ["没有叫“nobody-knows”的线索。"]
    assert newest(database).number == 1
    again = typed(refused.get_data(as_text=True))
    assert again["title.en"] == ["Sitting room"], "what was typed is still there"
    again |= {"doors.0.when": "{visited: outlet}", "do": "save"}
    saved = editor.post(f"{ROOM}/scenes/living", data=again, follow_redirects=True).get_data(as_text=True)
    assert "已保存为第 2 版" in saved and "处要改" in saved
    assert newest(database).number == 2 and "Sitting room" in newest(database).text
    page = editor.get(ROOM).get_data(as_text=True)
    assert "改好之前不能提交审查" in page and "走不到结局" in page and 'class="node n-scene lost"' in page
    submitted = editor.post("/desk/pieces/a-call/2/submit", follow_redirects=True)
    assert "处需要修改" in submitted.get_data(as_text=True)


def test_buttons_add_move_and_take_away_rows_and_save_nothing(
    editor: FlaskClient, database: Database
) -> None:
    _page, form = opened(editor, "/scenes/living")
    page = editor.post(f"{ROOM}/scenes/living", data={**form, "do": "add:hotspots"}).get_data(as_text=True)
    more = typed(page)
    assert more["hotspots.row"] == ["0", "1", "2", "3", "4", "5"] and more["hotspots.5.@"] == ["hotspot-6"]
    more |= {"hotspots.5.label.zh": "花瓶", "hotspots.5.text.zh": "空的。"}
    page = editor.post(f"{ROOM}/scenes/living", data={**more, "do": "up:hotspots.5"}).get_data(as_text=True)
    page = editor.post(f"{ROOM}/scenes/living", data={**typed(page), "do": "remove:hotspots.4"}).get_data(
        as_text=True
    )
    assert typed(page)["hotspots.row"] == ["0", "1", "2", "3", "5"]
    assert newest(database).number == 1
    refused = editor.post(f"{ROOM}/scenes/living", data={**typed(page), "do": "save"}, follow_redirects=True)
    assert "已保存为第 2 版" in refused.get_data(as_text=True)
    assert "花瓶" in newest(database).text and "奶奶的手机" not in newest(database).text


@pytest.mark.parametrize("kind", ["choice", "choices", "code", "order", "match", "spot", "conversation"])
def test_every_kind_of_lock_begins_as_a_form(editor: FlaskClient, kind: str) -> None:
    _page, form = opened(editor, f"/add/locks?kind={kind}")
    answer = editor.post(f"{ROOM}/add/locks", data={**form, "do": "save"})
    assert form["kind"] == [kind] and answer.status_code == 400
    assert len(faults(answer.get_data(as_text=True))) >= 2


def test_a_new_lock_is_written_and_taken_away_again(editor: FlaskClient, database: Database) -> None:
    _page, form = opened(editor, "/add/locks?kind=choice")
    assert form["options.row"] == ["0", "1"]
    form |= {
        "name": "window", "title.zh": "窗", "ask.zh": "关吗？", "teaches": "hang-up", "options.0.text.zh": "关",
        "options.0.right": "1", "options.1.text.zh": "不关", "options.1.because.zh": "有风。", "do": "save",
    }  # fmt: skip
    taken = editor.post(f"{ROOM}/add/locks", data={**form, "name": "drawer"})
    assert faults(taken.get_data(as_text=True)) == ["已经有叫“drawer”的锁。"]
    wrong = editor.post(f"{ROOM}/add/locks", data={**form, "name": "我的锁"})
    assert faults(wrong.get_data(as_text=True))[0].startswith("名字只能用")
    made = editor.post(f"{ROOM}/add/locks", data=form)
    assert made.headers["Location"] == f"{ROOM}/locks/window"
    assert "没有地方会遇到锁" in editor.get(f"{ROOM}/locks/window").get_data(as_text=True)
    gone = editor.post(f"{ROOM}/locks/window/remove", data={"base": "2"}, follow_redirects=True)
    assert "已保存为第 3 版" in gone.get_data(as_text=True)
    assert newest(database).text.count("window") == 0


def test_what_is_still_named_elsewhere_is_not_taken_away(editor: FlaskClient, database: Database) -> None:
    answer = editor.post(f"{ROOM}/scenes/stairs/remove", data={"base": "1"}, follow_redirects=True)
    assert "还不能删去" in answer.get_data(as_text=True) and "stairs" in answer.get_data(as_text=True)
    assert newest(database).number == 1
    assert editor.post(f"{ROOM}/about/room/remove", data={"base": "1"}).status_code == 404


def test_who_saved_before_is_shown_against_what_was_typed(editor: FlaskClient, database: Database) -> None:
    _page, mine = opened(editor, "/scenes/living")
    _page, theirs = opened(editor, "/items/booklet")
    editor.post(f"{ROOM}/items/booklet", data={**theirs, "name.en": "Leaflet", "do": "save"})
    answer = editor.post(f"{ROOM}/scenes/living", data={**mine, "title.en": "Parlour", "do": "save"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 409 and "有人先保存了" in page and "Parlour" in page and "Leaflet" in page
    assert newest(database).number == 2


def test_what_somebody_writes_stays_text(editor: FlaskClient) -> None:
    for path, field in (("/scenes/living", "title"), ("/items/booklet", "name"), ("/locks/first", "title")):
        _page, form = opened(editor, path)
        form |= {f"{field}.zh": EVIL, f"{field}.en": EVIL, "do": "save"}
        assert editor.post(ROOM + path, data=form).status_code == 302
    for path in (
        "",
        "/scenes/living",
        "/items/booklet",
        "/locks/first",
        "/play",
        "/play?at=locks/first",
        "/scenes/stairs",
    ):
        page = editor.get(ROOM + path).get_data(as_text=True)
        assert "<script>alert" not in page and "<img src=x" not in page, path
        assert "&lt;script&gt;" in page, path


def test_a_checked_form_says_what_is_wrong_and_saves_nothing(editor: FlaskClient, database: Database) -> None:
    _page, form = opened(editor, "/scenes/living")
    answer = editor.post(
        f"{ROOM}/scenes/living",
        data={**form, "hotspots.2.when": "{has: [", "do": "check"},
        headers={"X-Part": "1"},
    )
    page = answer.get_data(as_text=True)
    assert answer.status_code == 200 and faults(page) == ["不是正确的 YAML：括号要成对，冒号后要有空格。"]
    assert "<!doctype" not in page and newest(database).number == 1


@pytest.mark.parametrize(
    "path",
    ["/scenes/nowhere", "/nothing/hall", "/add/nothing", "/play?at=scenes/nowhere", "/add/locks?kind=iron"],
)
def test_what_is_not_there_is_not_found(editor: FlaskClient, path: str) -> None:
    assert editor.get(ROOM + path).status_code == 404


def test_who_may_only_read_sees_the_forms_and_no_buttons(entered: Entered, draft: str) -> None:
    reader = entered(factories.REVIEWER)
    page = reader.get(f"{ROOM}/scenes/living").get_data(as_text=True)
    assert '<fieldset class="bare" disabled>' in page and 'value="add:hotspots"' not in page
    assert reader.post(f"{ROOM}/scenes/living", data={"base": "1"}).status_code == 403
    assert reader.post(f"{ROOM}/file.zip", data={"base": "1"}).status_code == 403


def test_every_save_leaves_a_record(editor: FlaskClient, database: Database) -> None:
    _page, form = opened(editor, "/clues/calm")
    editor.post(f"{ROOM}/clues/calm", data={**form, "text.zh": "慢慢来。", "do": "save"})
    with database.reading() as session:
        found = session.exec(select(AuditRecord).where(AuditRecord.action == "piece.save")).all()
    assert [one.after.get("number") if isinstance(one.after, dict) else None for one in found][-1] == 2
