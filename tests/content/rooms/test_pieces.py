"""A room is a piece: in and out of a folder, in the form, in lists; and it must be proved before it is reviewed."""

import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from content import history, library, lifecycle
from content.desk.beginnings import beginning
from content.drafting import check
from content.escape_room.proof import prove
from content.faults import Faulty
from content.models import Kind
from content.rooms import file
from core.database import Database
from core.settings import Settings
from institution.models import Staff
from tests import factories
from tests.content import pieces
from tests.content.rooms.conftest import KEY, SAMPLES

Enter = Callable[[str], FlaskClient]


def test_a_folder_with_a_room_comes_back_as_it_was(
    database: Database, settings: Settings, cast: dict[str, Staff], now: datetime, tmp_path: Path
) -> None:
    given = pieces.folder(tmp_path / "in", pieces.text())
    shutil.copytree(SAMPLES / KEY, given / KEY)
    by = cast[factories.EDITOR].id or 0
    with database.transaction() as session:
        first = library.load_folder(session, settings.files_dir, given, by=by, now=now)
        library.save_folder(session, settings.files_dir, tmp_path / "out")
        again = library.load_folder(session, settings.files_dir, tmp_path / "out", by=by, now=now)
    assert set(first.created) == {KEY, "stop-first"} == set(again.unchanged)
    for path in (SAMPLES / KEY).iterdir():
        assert (tmp_path / "out" / KEY / path.name).read_bytes() == path.read_bytes()


def test_every_fault_of_a_room_in_a_folder_is_named_and_nothing_is_applied(
    database: Database, settings: Settings, cast: dict[str, Staff], now: datetime, tmp_path: Path
) -> None:
    given = pieces.folder(tmp_path / "in", pieces.text())
    shutil.copytree(SAMPLES / KEY, given / "other-name")
    (given / "other-name" / "stairs.svg").unlink()
    room = given / "other-name" / "room.yaml"
    with pytest.raises(Faulty) as found, database.transaction() as session:
        library.load_folder(session, settings.files_dir, given, by=1, now=now)
    assert "other-name/room.yaml" in str(found.value) and "stairs.svg" in str(found.value)
    room.write_text(room.read_text("utf-8").replace("right: true", "rihgt: true", 1), "utf-8")
    with pytest.raises(Faulty) as found, database.transaction() as session:
        library.load_folder(session, settings.files_dir, given, by=1, now=now)
    assert "rihgt" in str(found.value)
    with database.reading() as session:
        assert history.newest(session, KEY) is None


def test_a_room_written_as_an_ordinary_piece_is_refused() -> None:
    draft, faults = check("x.md", pieces.text(kind="escape_room"), {})
    assert draft is None and any("room.yaml" in str(fault) for fault in faults)


def test_a_room_that_is_not_proved_cannot_be_put_before_others(
    database: Database, cast: dict[str, Staff], now: datetime
) -> None:
    editor = cast[factories.EDITOR].id or 0
    stuck = beginning(Kind.escape_room).replace(
        "then: {lock: call}", "when: {visited: hall, not: {visited: hall}}\n        then: {lock: call}"
    )
    draft, faults = check("", stuck, {})
    assert draft is not None, [str(fault) for fault in faults]
    with database.transaction() as session:
        revision = lifecycle.save(session, draft, by=editor, now=now)
        assert revision is not None
    with pytest.raises(Faulty) as found, database.transaction() as session:
        lifecycle.submit(session, revision.id or 0, by=editor, now=now)
    assert "safe" in str(found.value) or "call" in str(found.value)


def test_the_text_that_a_new_room_begins_with_is_proved() -> None:
    report = prove(file.stored(beginning(Kind.escape_room)))
    assert report.good, [str(fault) for fault in report.faults]


def test_the_form_saves_previews_and_shows_all_faults_of_a_room(entered: Enter) -> None:
    editor = entered(factories.EDITOR)
    text = beginning(Kind.escape_room)
    assert "kind: escape_room" in editor.get("/desk/pieces/new?kind=escape_room").get_data(as_text=True)
    wrong = text.replace("right: true}\n      pay", "}\n      pay", 1).replace("start: hall", "start: cellar")
    shown = editor.post("/desk/pieces/new", data={"text": wrong, "do": "save", "base": "0"})
    assert shown.status_code == 400
    said = shown.get_data(as_text=True)
    assert "locks.call" in said
    preview = editor.post("/desk/pieces/new", data={"text": text, "do": "preview", "base": "0"})
    assert "钱转出去就很难追回" in preview.get_data(as_text=True), "reviewers read every word"
    saved = editor.post("/desk/pieces/new", data={"text": text, "do": "save", "base": "0"})
    assert saved.status_code == 302
    assert "密室探索" in editor.get("/desk/pieces/room-1").get_data(as_text=True)


def test_a_published_room_stands_wherever_pieces_do(app: Flask, room: str) -> None:
    visitor = app.test_client()
    for path in ("/", "/library", "/feed.xml", "/sitemap.xml"):
        assert f"/p/{room}" in visitor.get(path).get_data(as_text=True), path
    assert "密室探索" in visitor.get("/library").get_data(as_text=True)
    cover = visitor.get(f"/p/{room}").get_data(as_text=True)
    assert "开始探索" in cover and "8 分钟" in cover and "财产安全权" in cover
    assert "安全账户" not in cover and "data-keys" not in cover.partition("<body")[2].partition(">")[0]
    english = visitor.get(f"/p/{room}?lang=en").get_data(as_text=True)
    assert "A telephone call" in english and "Right to safety of property" in english
    assert "财产安全权" not in english
