"""content.library: a folder in, the same folder out; nothing applied if one file is wrong."""

from datetime import datetime
from pathlib import Path

import pytest
from sqlmodel import Session, select

from content import library
from content.faults import Faulty
from content.models import Revision
from core.database import Database
from core.errors import Conflict, Invalid
from institution import people
from tests.content import pieces

OTHER = pieces.SVG.replace(b"#abc", b"#def")
WITH_PICTURE = pieces.text("with-picture", body="/// picture | media/x.svg\n    alt: 图\n///\n")
COVERED = pieces.text("covered", more="cover: media/wild.svg\ncover_alt: 图\n")
WILD = pieces.SVG.replace(b"<rect", b"<script>x</script><rect")


def load(session: Session, home: Path, folder: Path, now: datetime) -> library.Loaded:
    by = people.system_account(session, "system.import", "导入", now).id or 0
    return library.load_folder(session, home / "files", folder, by=by, now=now)


def test_a_round_trip_changes_nothing(database: Database, now: datetime, tmp_path: Path) -> None:
    pictures = {"media/x.svg": pieces.SVG, "media/wild.svg": WILD}
    odd = "\ufeff" + pieces.text("odd", body="行尾空格  \r\n\r\n没有结尾换行")
    given_ = pieces.folder(tmp_path / "in", WITH_PICTURE, COVERED, pictures=pictures)
    (given_ / "odd.md").write_bytes(odd.encode())
    with database.transaction() as session:
        first = load(session, tmp_path, given_, now)
        library.save_folder(session, tmp_path / "files", tmp_path / "out")
        second = load(session, tmp_path, tmp_path / "out", now)
        third = load(session, tmp_path, given_, now)
    assert first.created == ("covered", "odd", "with-picture")
    assert pieces.contents(tmp_path / "out") == pieces.contents(given_)
    assert second.unchanged == third.unchanged == first.created
    assert not (second.created or second.changed or third.changed)


def test_a_changed_picture_is_a_new_revision(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = pieces.folder(tmp_path / "in", WITH_PICTURE, pieces.text(), pictures={"media/x.svg": pieces.SVG})
    with database.transaction() as session:
        load(session, tmp_path, folder, now)
        (folder / "media/x.svg").write_bytes(OTHER)
        again = load(session, tmp_path, folder, now)
    assert again.changed == ("with-picture",)
    assert again.unchanged == ("stop-first",)


def test_nothing_is_applied_if_one_file_is_wrong(database: Database, now: datetime, tmp_path: Path) -> None:
    folder = pieces.folder(
        tmp_path / "in", pieces.text(), WITH_PICTURE, pictures={"media/y.png": b"no picture"}
    )
    (folder / "late.md").write_text(
        pieces.text("late").replace("summary: 三句话记住\n", ""), encoding="utf-8"
    )
    (folder / "name.md").write_text(pieces.text("other-name"), encoding="utf-8")
    (folder / "latin.md").write_bytes("文".encode("gb18030"))
    with database.transaction() as session:
        with pytest.raises(Faulty) as caught:
            load(session, tmp_path, folder, now)
        assert session.exec(select(Revision)).first() is None
    places = {(fault.file, fault.field) for fault in caught.value.faults}
    assert places >= {
        ("late.md", "summary"),
        ("with-picture.md", ""),
        ("media/y.png", ""),
        ("name.md", "key"),
        ("latin.md", ""),
    }
    assert not (tmp_path / "files").exists()


def test_one_picture_name_may_mean_two_pictures(database: Database, now: datetime, tmp_path: Path) -> None:
    second = WITH_PICTURE.replace("with-picture", "second")
    one = pieces.folder(tmp_path / "one", WITH_PICTURE, pictures={"media/x.svg": pieces.SVG})
    two = pieces.folder(tmp_path / "two", second, pictures={"media/x.svg": OTHER})
    with database.transaction() as session:
        load(session, tmp_path, one, now)
        load(session, tmp_path, two, now)
        library.save_folder(session, tmp_path / "files", tmp_path / "out")
        again = load(session, tmp_path, tmp_path / "out", now)
    assert again.unchanged == ("second", "with-picture")
    assert set(pieces.contents(tmp_path / "out")) == {
        "second.md",
        "with-picture.md",
        "media/x.svg",
        "media/with-picture/x.svg",
    }


def test_the_unused_is_named_and_the_readme_left_alone(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    folder = pieces.folder(tmp_path / "in", pieces.text(), pictures={"media/x.svg": pieces.SVG})
    (folder / "README.md").write_text("for people")
    with database.transaction() as session:
        assert load(session, tmp_path, folder, now).unused == ("media/x.svg",)


def test_a_folder_that_is_not_there_or_not_empty_is_refused(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "a").write_text("")
    (tmp_path / "empty").mkdir()
    with database.transaction() as session:
        for folder in (tmp_path / "none", tmp_path / "empty"):
            with pytest.raises(Invalid):
                load(session, tmp_path, folder, now)
        with pytest.raises(Conflict):
            library.save_folder(session, tmp_path / "files", tmp_path / "full")
